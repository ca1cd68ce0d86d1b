"""Signals of the crystal of type A against signals that were measured, and calculated, by GRETINA's collaboration.

The data are in a folder that is not part of this repository; nothing here is fitted to them but one response time of
all spots and, as for every pulse, the time of each.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.signals import Charges, Field, Window, build_field, induce

Floats = NDArray[np.float64]

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

FRAME = np.dtype(
    [
        ("type", "<i4"),
        ("length", "<i4"),
        ("timestamp", "<i8"),
        ("core", "<f4"),
        ("segments", "<f4", 36),
        ("pad", "<f4"),
        ("trace", "<i2", (37, 300)),
    ]
)
ADC_PER_KEV = 2.40
USED = slice(115, 180)
"""Samples of the record that hold the rise; a record ends soon after."""

RESPONSES_NS = np.arange(28.0, 77.0, 4.0)
EVERY_NS = Window(n_samples=660, sample_period_ns=1.0, onset_ns=0.0)


@pytest.fixture(scope="module")
def field() -> Field:
    pytest.importorskip("numba")
    return build_field(read_crystal("greta-a"), spacing_mm=1.0)


def best_fit(simulated: Floats, measured: Floats, times_ns: Floats) -> float:
    """Return the rms over all 37 channels at the best time, in units of the full energy."""
    samples_ns = 10.0 * np.arange(measured.shape[1])
    best = np.inf
    for time_ns in times_ns:
        at = samples_ns - time_ns
        index = np.clip(at, 0, EVERY_NS.n_samples - 1).astype(int)
        best = min(best, float(np.sqrt(np.mean((simulated[:, index] * (at >= 0) - measured) ** 2))))
    return best


def table(path: Path) -> dict[int, Floats]:
    rows = [line.split(",") for line in path.read_text().splitlines()[1:] if line.strip()]
    return {int(row[0]): np.array([float(value) for value in row[1:4]]) for row in rows}


def residuals(field: Field, places: Floats, measured: list[list[Floats]]) -> dict[float, Floats]:
    """Return the mean residual of each place for each response time."""
    found = {}
    times_ns = np.arange(140.0, 320.0, 2.0)
    for response_ns in RESPONSES_NS:
        traces = induce(field, Charges.single(places), window=EVERY_NS, time_constants_ns=response_ns).traces
        found[response_ns] = np.array(
            [np.mean([best_fit(one, m, times_ns) for m in each]) for one, each in zip(traces, measured, strict=True)]
        )
    return found


def test_measured_spots_are_met_within_1_percent_of_the_full_energy(field: Field, real_data: Path) -> None:
    folder = real_data / "gretina"
    spots = table(folder / "positions.txt")
    measured: dict[int, list[Floats]] = {run: [] for run in spots}
    for path in sorted(folder.glob("cevt_*.dat")):
        frames = np.fromfile(path, FRAME)
        assert set(frames["type"]) == {100}
        for run, frame in zip(map(int, re.findall(r"Run(\d+)Seg", path.name)), frames, strict=False):
            measured[run].append(frame["trace"][:, USED] / ADC_PER_KEV / frame["core"])
    found = residuals(field, np.array(list(spots.values())), list(measured.values()))
    response_ns = min(found, key=lambda tried: found[tried].mean())
    print(f"response {response_ns:g} ns, residuals in % {np.round(100 * found[response_ns], 2)}")
    print({tried: round(100 * float(each.mean()), 3) for tried, each in found.items()})
    assert found[response_ns].mean() < 0.01
    assert np.median(found[response_ns]) < 0.008


def test_calculated_signals_are_met(field: Field, real_data: Path) -> None:
    folder = real_data / "gretina"
    frames = np.fromfile(folder / "calculated_segment15.dat", FRAME)
    places = np.array(list(table(folder / "calculated_segment15_positions.txt").values()))
    assert len(places) == len(frames) == 50
    inside = field.depths_and_segments(places)[0] > 0.05
    assert inside.sum() >= 45, "a few lie on the wall of the bore"
    traces = [[frame["trace"][:, USED] / frame["core"]] for frame in frames[inside]]
    found = residuals(field, places[inside][:20], traces[:20])
    response_ns = min(found, key=lambda tried: np.median(found[tried]))
    print({tried: round(100 * float(np.median(each)), 2) for tried, each in found.items()})
    assert np.median(found[response_ns]) < 0.015
