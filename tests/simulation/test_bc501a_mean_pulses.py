"""The shipped front end and component shares against the measured mean pulses, without a new fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.photosensor import PHOTOMULTIPLIER
from discrimen.simulation.pulse_model import MeanPulseShape
from discrimen.simulation.scintillator import DETECTORS


def residual_percent(time_ns: np.ndarray, measured: np.ndarray, decay_name: str, onset_ns: float) -> float:
    """Return the rms residual in % of the peak; only the height is free."""
    detector = DETECTORS["BC501A"]
    shape = MeanPulseShape.of(detector, PHOTOMULTIPLIER, DIGITIZERS["DT5751"], time_ns - onset_ns)
    components = getattr(shape, f"{decay_name}_components")
    model = getattr(detector, decay_name).normalised_shares() @ components
    height = (model @ measured) / (model @ model)
    return float(100 * np.sqrt(((height * model - measured) ** 2).mean()))


@pytest.mark.real_data
@pytest.mark.parametrize(("column", "decay_name"), [(1, "gamma"), (2, "neutron")])
def test_mean_pulses_agree_with_the_measured_ones(real_data: Path, column: int, decay_name: str) -> None:
    table = np.loadtxt(real_data / "bc501a" / "bc501a_mean_pulse_digitised.csv", delimiter=",")
    measured = table[:, column] - table[:28, column].mean()
    measured /= measured.max()
    best = minimize_scalar(
        lambda onset_ns: residual_percent(table[:, 0], measured, decay_name, onset_ns), bounds=(37, 41)
    )
    assert best.fun < 0.65
    other = "neutron" if decay_name == "gamma" else "gamma"
    swapped = minimize_scalar(
        lambda onset_ns: residual_percent(table[:, 0], measured, other, onset_ns), bounds=(37, 41)
    )
    assert swapped.fun > 3 * best.fun
