"""Trainings of the same network compile the same program, here as in the tests of the training."""

from __future__ import annotations

from tests.training.conftest import compile_once

__all__ = ["compile_once"]
