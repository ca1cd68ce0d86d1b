"""Files that several engines are tried on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.network.networks import NETWORKS, frozen

from discrimen.network.frozen_file import write_frozen


@pytest.fixture(scope="session")
def frozen_networks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the frozen file of a network by its name; each is written once."""
    folder = tmp_path_factory.mktemp("networks")

    def path_of(name: str) -> Path:
        path = folder / f"{name.replace(' ', '_')}.discrimen"
        if not path.exists():
            write_frozen(frozen(*NETWORKS[name]()), path)
        return path

    return path_of
