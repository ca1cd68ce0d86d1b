"""Streams made of records: what comes before the pulse, which window belongs to which record, what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.streams import lead_in, turned_stream, windows_of_pulses
from discrimen.pulses import Pulses

CHIP = FrontEnd(polarity="positive", gap=4, n_mean_log2=2, threshold_adc=20, peak_samples=4, before=5, length=20)
PULSE = np.array([300, 1000, 800, 300, 100])


def records(pedestals: list[int], *, start: int = 6, n_samples: int = 60) -> np.ndarray:
    samples = np.tile(np.asarray(pedestals)[:, None], (1, n_samples))
    samples[:, start : start + len(PULSE)] += PULSE
    return samples.astype(np.uint16)


def pulses_of(samples: np.ndarray) -> Pulses:
    return Pulses(samples=samples, sample_period_ns=10.0)


def test_each_record_begins_with_its_own_end() -> None:
    samples = np.arange(120, dtype=np.uint16).reshape(2, 60)
    stream = turned_stream(samples, front_end=CHIP)
    moved = lead_in(CHIP)
    assert moved == 4 + 4 + 5
    assert stream[:moved].tolist() == list(range(60 - moved, 60))
    assert stream[60 : 60 + moved].tolist() == list(range(120 - moved, 120))
    assert stream[moved:60].tolist() == list(range(60 - moved))


def test_every_pulse_gives_its_window_whatever_the_pedestals_beside_it() -> None:
    found = windows_of_pulses(pulses_of(records([500, 800, 200, 500])), CHIP)
    assert found.pulse.tolist() == [0, 1, 2, 3]
    assert found.position.tolist() == [7] * 4
    assert found.share == 1.0
    assert found.positions() == {7: 1.0}
    for window in found.values:
        assert window.tolist() == [0] * 4 + PULSE.tolist() + [0] * 11


def test_blocks_of_records_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    pulses = pulses_of(records([500, 800, 200, 500, 640, 300, 410]))
    whole = windows_of_pulses(pulses, CHIP)
    monkeypatch.setattr("discrimen.fpga.streams._BLOCK_RECORDS", 3)
    parts = windows_of_pulses(pulses, CHIP)
    assert parts.pulse.tolist() == whole.pulse.tolist() == list(range(7))
    np.testing.assert_array_equal(parts.values, whole.values)


def test_low_pulses_do_not_trigger_and_later_ones_are_counted() -> None:
    samples = records([500, 500, 500])
    samples[1] = 500
    samples[2, 28 : 28 + len(PULSE)] += PULSE.astype(np.uint16)
    found = windows_of_pulses(pulses_of(samples), CHIP)
    assert found.pulse.tolist() == [0, 2]
    assert (found.n_pulses, found.n_later, found.n_cut) == (3, 1, 0)
    assert found.share == pytest.approx(2 / 3)


def test_short_records_are_refused_with_what_they_need() -> None:
    with pytest.raises(DataError, match=r"records of 32 samples are too short .* at least 33, of which 20 .* 13"):
        windows_of_pulses(pulses_of(records([500], n_samples=32)), CHIP)


def test_windows_beyond_the_record_are_refused_where_there_are_many() -> None:
    late = records([500, 500], start=34)
    with pytest.raises(DataError, match="2 of 2 windows reach beyond the end"):
        windows_of_pulses(pulses_of(late), CHIP)
    few = np.concatenate([records([500] * 40), late[:1]])
    found = windows_of_pulses(pulses_of(few), CHIP)
    assert (len(found), found.n_cut) == (40, 1)


def test_samples_that_are_no_counts_are_refused() -> None:
    with pytest.raises(DataError, match="whole numbers"):
        windows_of_pulses(pulses_of(records([500]).astype(np.float32)), CHIP)
    with pytest.raises(DataError, match=r"expected 0 to 1023 \(10 bits\)"):
        windows_of_pulses(pulses_of(records([500])), replace(CHIP, adc_bits=10))
