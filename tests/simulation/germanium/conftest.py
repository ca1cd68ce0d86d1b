from __future__ import annotations

import pytest

from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.signals import Field, build_field


@pytest.fixture(scope="session")
def greta() -> Field:
    """The crystal of type A on a coarse grid."""
    pytest.importorskip("numba")
    return build_field(read_crystal("greta-a"), spacing_mm=4.0)
