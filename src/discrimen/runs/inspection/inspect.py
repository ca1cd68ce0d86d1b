"""One pass over a run file, in constant memory, that says what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import Reader, ReadReport, RunInfo
from discrimen.output.plain import plain
from discrimen.output.summary import Summarised
from discrimen.runs.inspection.accumulate import ChannelTally, Kind, tally_chunk
from discrimen.runs.inspection.odd import Compared, compare_channels, told
from discrimen.runs.inspection.summary import ChannelSummary

MOST_LENGTHS = 16
"""Of records; each takes memory for each channel, and more are no summary."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Inspection(Summarised):
    """What one pass over a run file found."""

    info: RunInfo
    report: ReadReport
    channels: tuple[ChannelSummary, ...]

    def summary(self) -> dict[str, str]:
        """Return file, settings, channels and what was left out, for people."""
        lengths = sorted({str(each.n_samples) for each in self.channels})
        left_out = {"left out": "; ".join(self.report.left_out())} if self.report.left_out() else {}
        return {
            "file": f"{self.info.path} ({self.info.layout})",
            "pulses": f"{self.report.n_read} of {len(self.channels)} channels, {' or '.join(lengths)} samples",
            **left_out,
            **{name: value for name, value in self.info.settings.summary().items() if name != "name"},
        }

    @property
    def compared(self) -> tuple[Compared, ...]:
        """The channels next to each other, nothing where they are too few."""
        return compare_channels(self.channels)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "file": str(self.info.path),
            "format": self.info.format,
            "layout": self.info.layout,
            "settings": self.info.settings.model_dump(exclude_none=True),
            "settings_source": dict(self.info.settings_source),
            **self.report.as_dict(),
            "channels": plain(self.channels),
            "odd": told(self.channels, self.compared),
        }


def unit_of(channels: Sequence[ChannelSummary]) -> str:
    """Return the unit of the samples of some channels, for people."""
    return "ADC counts" if all(channel.digitised for channel in channels) else "unit of the file"


def inspect_run(reader: Reader, *, on_progress: Callable[[int], None] = lambda _: None) -> Inspection:
    """Read a run once and summarise each channel.

    Parameters
    ----------
    reader : Reader
        The open file.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    FormatError, DataError
        If the file cannot be read, holds no waveforms at all, or records of more than `MOST_LENGTHS` lengths.
    SettingsError
        If the baseline window that the user gave does not fit the records.
    """
    settings = reader.info.settings
    tallies: dict[Kind, ChannelTally] = {}
    lengths: Counter[int] = Counter()
    for pulses in reader.chunks():
        lengths[pulses.n_samples] += len(pulses)
        if len(lengths) <= MOST_LENGTHS:
            tally_chunk(tallies, pulses, settings=settings)
        else:
            tallies.clear()
        on_progress(len(pulses))
    if len(lengths) > MOST_LENGTHS:
        raise _too_many(lengths, reader.info)
    report = reader.report
    if not tallies:
        raise DataError(
            f"{reader.info.path}: no pulses to look at: {'; '.join(report.left_out()) or 'the file holds no event'}"
        )
    ordered = sorted(tallies.items(), key=lambda item: tuple(-1 if part is None else part for part in item[0]))
    return Inspection(info=reader.info, report=report, channels=tuple(_summary(kind, tally) for kind, tally in ordered))


def _too_many(lengths: Counter[int], info: RunInfo) -> DataError:
    """Return the error that records have too many lengths to be summarised, with what they are."""
    in_order = sorted(lengths)
    counts = np.cumsum([lengths[length] for length in in_order])
    middle = in_order[int(np.searchsorted(counts, counts[-1] / 2))]
    shortest = in_order[0]
    return DataError(
        f"{info.path}: its {counts[-1]} records have {len(lengths)} lengths, {shortest} to {in_order[-1]} samples, "
        f"half of them at least {middle}: choose one with --record-samples; at {shortest} none is left out, and longer "
        "ones are cut"
    )


def _summary(kind: Kind, tally: ChannelTally) -> ChannelSummary:
    mean_pulse = tally.sum_samples / tally.n_pulses
    baseline = tally.sum_baseline / tally.n_pulses
    spread = max(0.0, tally.sum_baseline_squared / tally.n_pulses - baseline**2) ** 0.5
    excursion = mean_pulse - baseline
    span_s = (tally.last_ps - tally.first_ps) * 1e-12 if tally.has_time and tally.has_one_clock else 0.0
    edges, counts = tally.amplitude_spectrum()
    return ChannelSummary(
        board=kind.board,
        channel=kind.channel,
        n_pulses=tally.n_pulses,
        n_samples=kind.n_samples,
        sample_period_ns=kind.sample_period_ns,
        rate_hz=(tally.n_pulses - 1) / span_s if span_s > 0 else None,
        first_ps=tally.first_ps if tally.has_time else None,
        last_ps=tally.last_ps if tally.has_time else None,
        baseline_adc=baseline,
        baseline_spread_adc=spread,
        noise_adc=(tally.sum_baseline_variance / tally.n_pulses) ** 0.5 if tally.baseline_samples > 1 else None,
        baseline_start=tally.baseline_start,
        baseline_samples=tally.baseline_samples,
        largest_excursion="positive" if excursion.max() >= -excursion.min() else "negative",
        n_saturated=tally.n_at_rails,
        digitised=tally.digitised,
        flags=dict(tally.flags),
        labels=dict(tally.labels),
        mean_pulse_adc=mean_pulse,
        amplitude_edges_adc=edges,
        amplitude_counts=counts,
    )
