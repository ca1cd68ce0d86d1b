"""The line through edges, its errors and its chi2, and the resolution through them."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.calibration.edge_fit import EdgeFit
from discrimen.calibration.edge_model import EdgeShape
from discrimen.calibration.gamma_sources import EdgeGroup
from discrimen.calibration.light_line import light_line, light_resolution

LINES_KEV = (511.0, 661.657, 1274.537, 1836.063)


def edge(line_kev: float, position: float, error: float, *, resolution: float = 0.05) -> EdgeFit:
    nothing = np.zeros(1)
    return EdgeFit(
        group=EdgeGroup(lines_kev=(line_kev,), intensities=(1.0,)),
        shape=EdgeShape(position, resolution, 0.0),
        statistical=error,
        systematic=0.0,
        rival=None,
        resolution_error=0.001,
        deviance=1.0,
        freedom=1,
        edges=nothing,
        counts=nothing,
        expected=nothing,
        background=nothing,
    )


def energy_kev(line_kev: float) -> float:
    return EdgeGroup(lines_kev=(line_kev,), intensities=(1.0,)).edge_kev


def test_one_edge_gives_a_line_through_zero() -> None:
    line = light_line([edge(661.657, 954.668, 9.54668)], through_zero=False)
    assert line.gain_kevee_per_unit == pytest.approx(0.5, rel=1e-4)
    assert line.gain_error == pytest.approx(0.005, rel=1e-3)
    assert (line.offset_kevee, line.offset_error, line.probability) == (0, 0, None)


def test_gain_and_offset_are_recovered() -> None:
    edges = [edge(each, (energy_kev(each) + 12) / 0.25, 3.0) for each in LINES_KEV]
    line = light_line(edges, through_zero=False)
    assert line.gain_kevee_per_unit == pytest.approx(0.25)
    assert line.offset_kevee == pytest.approx(-12)
    assert line.chi2 == pytest.approx(0, abs=1e-9)
    assert line.probability == pytest.approx(1)


def test_a_line_through_zero_tells_of_an_offset_by_its_chi2() -> None:
    edges = [edge(each, (energy_kev(each) + 12) / 0.25, 3.0) for each in LINES_KEV]
    line = light_line(edges, through_zero=True)
    assert line.offset_kevee == 0
    assert line.freedom == 3
    assert line.probability is not None
    assert line.probability < 1e-6
    assert line.widened > 3


def test_errors_are_those_of_drawn_edges() -> None:
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(2000):
        moved = [edge(each, energy_kev(each) / 0.25 + rng.normal() * 20, 20.0) for each in LINES_KEV]
        line = light_line(moved, through_zero=False)
        drawn.append((line.gain_kevee_per_unit, line.offset_kevee))
    gain, offset = np.std(drawn, axis=0)
    line = light_line([edge(each, energy_kev(each) / 0.25, 20.0) for each in LINES_KEV], through_zero=False)
    assert line.gain_error == pytest.approx(gain, rel=0.06)
    assert line.offset_error == pytest.approx(offset, rel=0.06)


def test_resolution_of_one_edge_is_statistical() -> None:
    found = light_resolution([edge(661.657, 1.0, 0.1, resolution=0.05)])
    assert (found.constant, found.noise_kevee) == (0, 0)
    assert found.sigma_kevee(np.array([477.334]))[0] == pytest.approx(0.05 * 477.334, rel=1e-4)


def test_resolution_of_three_edges_has_three_parts() -> None:
    def sigma(light: float) -> float:
        return float(np.sqrt((0.03 * light) ** 2 + 1.2**2 * light + 6.0**2))

    lines = LINES_KEV[:3]
    found = light_resolution(
        [edge(each, 1, 0.1, resolution=sigma(energy_kev(each)) / energy_kev(each)) for each in lines]
    )
    assert found.constant == pytest.approx(0.03, rel=1e-3)
    assert found.statistical_per_sqrt_kevee == pytest.approx(1.2, rel=1e-3)
    assert found.noise_kevee == pytest.approx(6, rel=1e-2)
