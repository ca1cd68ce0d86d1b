"""What an inspection says of pulses that are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ReadReport, RunInfo
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings, WindowNs
from discrimen.runs.inspection import inspect_run

SHAPE = np.array([0, 0, 0, 0, 5, 10, 5, 2, 1, 0])


class ListReader:
    """Hands out chunks that a test made."""

    def __init__(self, *chunks: Pulses, settings: DetectorSettings | None = None) -> None:
        self._chunks = chunks
        self.info = RunInfo(
            path=Path("made.BIN"), format="list", layout="made by a test", settings=settings or DetectorSettings()
        )
        self.report = ReadReport()

    def chunks(self) -> Iterator[Pulses]:
        self.report = ReadReport(n_read=sum(map(len, self._chunks)))
        yield from self._chunks


def some_pulses(n: int = 6, *, baseline: int = 100, gain: int = 3, sign: int = 1, **columns: object) -> Pulses:
    samples = np.tile(baseline + sign * gain * SHAPE, (n, 1)).astype(np.uint16)
    return Pulses(samples=samples, sample_period_ns=2.0, entry=np.arange(n), **columns)  # type: ignore[arg-type]


def of_length(n_samples: int, n: int = 2) -> Pulses:
    return Pulses(samples=np.full((n, n_samples), 7, np.uint16), sample_period_ns=2.0)


def test_records_of_more_lengths_than_a_summary_holds_are_refused_with_what_they_are() -> None:
    few, many = ([of_length(10 + number) for number in range(n)] for n in (16, 17))
    assert len(inspect_run(ListReader(*few)).channels) == 16
    with pytest.raises(
        DataError, match="its 37 records have 17 lengths, 10 to 26 samples, half of them at least 17"
    ) as told:
        inspect_run(ListReader(*many, of_length(12, n=3)))
    assert "--record-samples; at 10 none is left out" in str(told.value)


def test_chunks_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(3)
    samples = rng.integers(0, 1000, (60, 10)).astype(np.uint16)
    columns = {"channel": rng.integers(0, 3, 60), "timestamp_ps": np.sort(rng.integers(0, 10**12, 60))}
    whole = Pulses(samples=samples, sample_period_ns=2.0, **columns)  # type: ignore[arg-type]
    settings = DetectorSettings(sample_period_ns=2.0, pretrigger_ns=8.0)
    at_once = inspect_run(ListReader(whole, settings=settings)).channels
    in_parts = inspect_run(ListReader(*(whole[at : at + 7] for at in range(0, 60, 7)), settings=settings)).channels
    assert [channel.channel for channel in at_once] == [0, 1, 2]
    for one, other in zip(at_once, in_parts, strict=True):
        assert one.n_pulses == other.n_pulses
        assert one.rate_hz == other.rate_hz
        assert other.mean_pulse_adc == pytest.approx(one.mean_pulse_adc)
        assert other.noise_adc == pytest.approx(one.noise_adc)
        assert np.array_equal(one.amplitude_counts, other.amplitude_counts)


def test_one_sample_of_baseline_tells_no_noise() -> None:
    (channel,) = inspect_run(ListReader(of_length(10))).channels
    assert (channel.baseline_samples, channel.noise_adc) == (1, None)


def test_baseline_polarity_and_amplitude_are_seen() -> None:
    settings = DetectorSettings(sample_period_ns=2.0, pretrigger_ns=8.0)
    (channel,) = inspect_run(ListReader(some_pulses(sign=-1, gain=7), settings=settings)).channels
    assert channel.baseline_adc == 100
    assert channel.baseline_samples == 3
    assert channel.noise_adc == 0
    assert channel.largest_excursion == "negative"
    (filled,) = np.flatnonzero(channel.amplitude_counts)
    assert channel.amplitude_edges_adc[filled] <= 70 < channel.amplitude_edges_adc[filled + 1]


def test_rate_is_pulses_over_time() -> None:
    pulses = some_pulses(6, timestamp_ps=np.arange(6) * 10**9)
    assert inspect_run(ListReader(pulses)).channels[0].rate_hz == pytest.approx(1000)


def test_saturation_is_counted_from_rails_and_flags_and_unknown_without_both() -> None:
    pulses = some_pulses(4, baseline=200, gain=6)
    assert inspect_run(ListReader(pulses)).channels[0].n_saturated is None
    eight_bits = DetectorSettings(adc_bits=8)
    assert inspect_run(ListReader(pulses, settings=eight_bits)).channels[0].n_saturated == 4
    flagged = pulses.replace(flags=np.array([0, PulseFlag.SATURATED_INPUT, 0, PulseFlag.PILE_UP], np.uint32))
    (channel,) = inspect_run(ListReader(flagged)).channels
    assert channel.n_saturated == 1
    assert channel.flags == {"SATURATED_INPUT": 1, "PILE_UP": 1}


def test_pulses_at_0_are_cut_off_whatever_the_number_of_bits() -> None:
    at_zero = some_pulses(3, baseline=30, gain=3, sign=-1)
    assert (at_zero.samples.min(axis=1) == 0).all()
    assert inspect_run(ListReader(at_zero)).channels[0].n_saturated == 3


def test_a_full_code_that_nothing_passes_is_an_upper_rail() -> None:
    full = some_pulses(3, baseline=200, gain=10)
    cut_off = full.replace(samples=np.minimum(full.samples, 255))
    assert inspect_run(ListReader(cut_off)).channels[0].n_saturated == 3
    higher = cut_off.replace(samples=np.concatenate([cut_off.samples[:2], full.samples[:1]]))
    assert inspect_run(ListReader(higher)).channels[0].n_saturated is None


def test_the_window_of_the_user_is_the_one_that_is_looked_at() -> None:
    pulses = some_pulses(5, baseline=100)
    moved = pulses.replace(samples=np.concatenate([pulses.samples[:, :1] + 900, pulses.samples[:, 1:]], axis=1))
    window = DetectorSettings(baseline=WindowNs(start_ns=2.0, stop_ns=6.0))
    (channel,) = inspect_run(ListReader(moved, settings=window)).channels
    assert (channel.baseline_start, channel.baseline_samples) == (1, 2)
    assert channel.baseline_adc == pytest.approx(float(moved.samples[:, 1:3].mean()))
    with pytest.raises(SettingsError, match=r"0:60 ns does not lie in records of 20 ns"):
        outside = DetectorSettings(baseline=WindowNs(start_ns=0.0, stop_ns=60.0))
        inspect_run(ListReader(moved, settings=outside))


def test_without_a_window_the_baseline_ends_before_the_earliest_pulses() -> None:
    rng = np.random.default_rng(3)
    samples = np.full((40, 400), 1000.0) + rng.normal(0, 2, (40, 400))
    samples[:, 12:] += 500 * np.exp(-np.arange(388) / 50)
    early = Pulses(samples=np.rint(samples).astype(np.uint16), sample_period_ns=2.0, entry=np.arange(40))
    (channel,) = inspect_run(ListReader(early)).channels
    assert channel.baseline_samples < 12
    assert channel.baseline_adc == pytest.approx(1000, abs=1)


def test_volts_keep_their_digits() -> None:
    pulses = some_pulses(6)
    volts = pulses.replace(samples=pulses.samples.astype(np.float32) * 1e-3)
    (channel,), (counts,) = (inspect_run(ListReader(each)).channels for each in (volts, pulses))
    assert not channel.digitised
    assert channel.baseline_adc == pytest.approx(1e-3 * counts.baseline_adc)
    assert np.count_nonzero(channel.amplitude_counts) == np.count_nonzero(counts.amplitude_counts)
    filled = np.flatnonzero(channel.amplitude_counts)[-1]
    reached = np.abs(volts.samples - channel.baseline_adc).max()
    assert channel.amplitude_edges_adc[filled] <= reached <= channel.amplitude_edges_adc[filled + 1] * (1 + 1e-6)


def test_lengths_that_differ_are_told_apart() -> None:
    short = some_pulses(2)
    long = Pulses(samples=np.zeros((3, 20), np.uint16), sample_period_ns=2.0, entry=np.arange(3))
    lengths = {channel.n_samples: channel.n_pulses for channel in inspect_run(ListReader(short, long)).channels}
    assert lengths == {10: 2, 20: 3}


def test_file_without_pulses_is_an_error() -> None:
    with pytest.raises(DataError, match="no pulses"):
        inspect_run(ListReader())
