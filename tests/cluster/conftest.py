"""A real Slurm for the tests that carry the marker `slurm`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.cluster.slurm_node import SlurmNode, install_line, missing_programs, running


@pytest.fixture(scope="session")
def _started_node() -> Iterator[SlurmNode]:
    if missing_programs():
        pytest.skip(f"NO SLURM: {install_line()}")
    with running() as node:
        yield node


@pytest.fixture
def slurm_node(_started_node: SlurmNode, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmNode]:
    """One idle node, which every process that a test starts finds; its jobs are ended after the test."""
    environment = _started_node.environment
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, environment[name])
    _started_node.wait_until_idle()
    yield _started_node
    _started_node.cancel_all()
