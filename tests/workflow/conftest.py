"""Fixtures that the tests of this room share."""

from tests.workflow.fake_commands import commands

__all__ = ["commands"]
