"""Sums over the pulses of each channel, added chunk by chunk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses import Label, PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.rails import at_rail
from discrimen.runs.inspection.baseline import baseline_window

AMPLITUDE_BINS = 2**17
"""Of one ADC count; of floating-point samples in bins of a fraction of the first pulses' largest amplitude."""

_FLOAT_BINS = 2**12
_POWERS = np.arange(8, 17)
SPECTRUM_BINS = 64
_SATURATION_FLAGS = PulseFlag.SATURATED_INPUT | PulseFlag.SATURATED_GATE


class Kind(NamedTuple):
    """What pulses must share to be summed together."""

    board: int | None
    channel: int | None
    n_samples: int
    sample_period_ns: float | None


@dataclass(slots=True)
class ChannelTally:
    """Sums over the pulses of one kind; its size does not depend on how many there are."""

    sum_samples: NDArray[np.float64]
    baseline_samples: int
    baseline_start: int
    digitised: bool
    amplitude_width: float = 1.0
    n_pulses: int = 0
    sum_baseline: float = 0.0
    sum_baseline_squared: float = 0.0
    sum_baseline_variance: float = 0.0
    has_time: bool = False
    first_ps: int = 0
    last_ps: int = 0
    run: int | None = None
    has_one_clock: bool = True
    n_saturated: int = 0
    rails_known: bool = False
    highest: float = 0.0
    n_at_power: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(_POWERS), np.int64))
    flags: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    amplitudes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(AMPLITUDE_BINS, np.int64))

    def add(self, pulses: Pulses, *, adc_bits: int | None) -> None:
        """Add pulses of this kind."""
        samples = pulses.samples
        window = samples[:, self.baseline_start : self.baseline_start + self.baseline_samples].astype(np.float64)
        baseline = window.mean(axis=1)
        self.n_pulses += len(pulses)
        self.sum_samples += samples.sum(axis=0, dtype=np.float64)
        self.sum_baseline += float(baseline.sum())
        self.sum_baseline_squared += float((baseline**2).sum())
        self.sum_baseline_variance += float(window.var(axis=1).sum())
        highest, lowest = samples.max(axis=1), samples.min(axis=1)
        excursion = np.maximum(highest - baseline, baseline - lowest)
        if self.n_pulses == len(pulses) and not self.digitised:
            self.amplitude_width = float(excursion.max()) / _FLOAT_BINS or 1.0
        binned = np.minimum((excursion / self.amplitude_width).astype(np.int64), AMPLITUDE_BINS - 1)
        self.amplitudes += np.bincount(binned, minlength=AMPLITUDE_BINS)
        self._add_saturation(pulses, at_rail(highest, lowest, adc_bits=adc_bits))
        self.rails_known |= pulses.flags is not None or (adc_bits is not None and self.digitised)
        if adc_bits is None and samples.dtype.kind == "u":
            self.highest = max(self.highest, float(highest.max()))
            self.n_at_power += (highest[:, None] == 2**_POWERS - 1).sum(axis=0)
        self._add_columns(pulses)

    def _add_saturation(self, pulses: Pulses, cut_off: NDArray[np.bool_] | None) -> None:
        saturated = np.zeros(len(pulses), np.bool_) if cut_off is None else cut_off
        if pulses.flags is not None:
            saturated = saturated | ((pulses.flags & np.uint32(_SATURATION_FLAGS)) != 0)
        self.n_saturated += int(saturated.sum())

    @property
    def n_at_rails(self) -> int | None:
        """Pulses at a rail or flagged; without the number of bits those at 0, and at a full code if none is higher.

        None where nothing tells.
        """
        full = self.n_at_power[self.highest == 2**_POWERS - 1].sum()
        found = self.n_saturated + int(full if full > 1 else 0)
        return found if found or self.rails_known else None

    def _add_columns(self, pulses: Pulses) -> None:
        if pulses.timestamp_ps is not None:
            first, last = int(pulses.timestamp_ps.min()), int(pulses.timestamp_ps.max())
            self.first_ps = min(self.first_ps, first) if self.has_time else first
            self.last_ps = max(self.last_ps, last) if self.has_time else last
            self.has_time = True
        if pulses.run is not None:
            # Each run, and each bunch of n_TOF, counts its time again.
            self.run = int(pulses.run[0]) if self.run is None else self.run
            self.has_one_clock &= bool((pulses.run == self.run).all())
        if pulses.flags is not None:
            for flag in PulseFlag:
                count = int(((pulses.flags & np.uint32(flag)) != 0).sum())
                if count:
                    self.flags[flag.name or hex(flag)] += count
        if pulses.label is not None:
            for label in Label:
                count = int((pulses.label == label).sum())
                if count:
                    self.labels[label.name.lower()] += count

    def amplitude_spectrum(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return edges, in the unit of the samples, and counts of the spectrum, rebinned to what is filled."""
        filled = int(np.flatnonzero(self.amplitudes)[-1]) + 1
        width = max(1, -(-filled // SPECTRUM_BINS))
        n_bins = -(-filled // width)
        padded = np.zeros(n_bins * width, np.int64)
        padded[:filled] = self.amplitudes[:filled]
        edges = np.arange(n_bins + 1, dtype=np.float64) * width * self.amplitude_width
        return edges, padded.reshape(n_bins, width).sum(axis=1)


def tally_chunk(tallies: dict[Kind, ChannelTally], pulses: Pulses, *, settings: DetectorSettings) -> None:
    """Add the pulses of one chunk to the tallies of their channels, made as they are met.

    Raises
    ------
    SettingsError
        If the baseline window that the user gave does not fit the records.
    """
    for board, channel, part in _by_channel(pulses):
        kind = Kind(board, channel, pulses.n_samples, pulses.sample_period_ns)
        tally = tallies.get(kind)
        if tally is None:
            start, stop = baseline_window(part, settings.of(board or 0, channel or 0))
            digitised = pulses.samples.dtype.kind != "f"
            tally = tallies[kind] = ChannelTally(np.zeros(pulses.n_samples), stop - start, start, digitised)
        tally.add(part, adc_bits=settings.adc_bits)


def _by_channel(pulses: Pulses) -> list[tuple[int | None, int | None, Pulses]]:
    if pulses.channel is None and pulses.board is None:
        return [(None, None, pulses)]
    zeros = np.zeros(len(pulses), np.int32)
    board = zeros if pulses.board is None else pulses.board
    channel = zeros if pulses.channel is None else pulses.channel
    pairs, which = np.unique(np.stack([board, channel]), axis=1, return_inverse=True)
    return [
        (
            None if pulses.board is None else int(pair[0]),
            None if pulses.channel is None else int(pair[1]),
            pulses if pairs.shape[1] == 1 else pulses[which.ravel() == number],
        )
        for number, pair in enumerate(pairs.T)
    ]
