"""Bins of light."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, energy_bins


def test_every_energy_lies_in_one_bin_or_outside() -> None:
    energy_kevee = np.array([29.9, 30.0, 49.9, 50.0, 1999.0, 2000.0, np.nan], dtype=np.float32)
    inside = np.array([energy.contains(energy_kevee) for energy in energy_bins(DEFAULT_ENERGY_EDGES_KEVEE)])
    assert inside.sum(axis=0).tolist() == [0, 1, 1, 1, 1, 0, 0]
    assert inside.argmax(axis=0)[1:5].tolist() == [0, 0, 1, 4]
    assert str(energy_bins((30, 50.5))[0]) == "30-50.5 keVee"


@pytest.mark.parametrize("edges", [(), (30,), (50, 30), (30, 30), (30, np.inf)])
def test_edges_must_ascend(edges: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="ascending"):
        energy_bins(edges)
