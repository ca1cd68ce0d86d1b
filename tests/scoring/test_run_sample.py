"""A sample of a run is even over it and bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from discrimen.pulses import Pulses
from discrimen.scoring.picture import draw_run
from discrimen.scoring.run_sample import RunSample


def chunk(first: int, n: int, *, times: bool = True) -> tuple[Pulses, np.ndarray, dict[str, np.ndarray]]:
    number = np.arange(first, first + n)
    pulses = Pulses(
        samples=np.zeros((n, 4), np.int16), sample_period_ns=10.0, timestamp_ps=number * 10**9 if times else None
    )
    measured = {"energy_kevee": 10.0 + number.astype(np.float32), "psd": (number % 7).astype(np.float32) / 10}
    return pulses, (number % 2).astype(np.int8), measured


@pytest.mark.parametrize("lengths", [(1000,), (1, 2, 3, 994), (333, 333, 334), (7,) * 142 + (6,)])
def test_every_nth_pulse_is_held_however_the_run_is_cut(lengths: tuple[int, ...]) -> None:
    sample, first = RunSample(most=100), 0
    for length in lengths:
        sample.add(*chunk(first, length))
        first += length
    _, energy, _, time_s = sample.columns()
    assert (sample.every, sample.n_seen, sample.unit) == (16, 1000, "keVee")
    np.testing.assert_array_equal(energy, 10.0 + np.arange(0, 1000, 16))
    np.testing.assert_allclose(time_s, np.arange(0, 1000, 16) * 1e-3)


@pytest.mark.drawn
@pytest.mark.parametrize("case", ["whole", "no gates", "no times", "empty", "one energy"])
def test_a_picture_is_drawn_of_whatever_is_known(tmp_path: Path, case: str) -> None:
    sample = RunSample()
    if case != "empty":
        pulses, counted, measured = chunk(0, 500, times=case != "no times")
        if case == "one energy":
            measured["energy_kevee"][:] = 5.0
        sample.add(pulses, counted, {} if case == "no gates" else measured)
    draw_run(sample, tmp_path / "run.png", title="a run")
    with Image.open(tmp_path / "run.png") as image:
        colours = image.convert("RGB").getcolors(2**24)
    assert colours is not None
    assert len(colours) > 10
