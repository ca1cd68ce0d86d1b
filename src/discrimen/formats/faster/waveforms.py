"""FASTER files with waveforms: those of oscilloscope and sampler frames, in groups or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadOptions, ReadReport, RunInfo
from discrimen.formats.faster.frames import Frames, FrameWalk, read_pieces
from discrimen.formats.faster.kinds import GROUP, OSCILLOSCOPE, WAVEFORMS, name_of
from discrimen.formats.faster.records import (
    SAMPLER_HEAD_BYTES,
    SAMPLER_STEP_NS,
    sampler_counts,
    sampler_numbers,
    sampler_samples,
    scope_heads,
    scope_samples,
)
from discrimen.formats.faster.survey import Survey
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

NAME = "faster"

_Part = tuple[NDArray[np.int64], NDArray[np.int16], float | None]
"""Positions of frames, their samples, and their sampling period."""


class FasterWaveformReader:
    """Reader of the waveforms of one file; other frames are passed over and counted.

    `channel` is the label of the frame, `timestamp_ps` its own clock, also within a group.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    found : Survey
        Of the beginning of the file.
    """

    def __init__(self, path: Path, options: ReadOptions, found: Survey) -> None:
        self._has_heads = found.samplers_have_heads
        self._given_ns = options.settings.sample_period_ns
        period_ns, pretrigger_ns = (
            next(iter(values)) if len(values) == 1 else None for values in (found.periods_ns, found.pretriggers_ns)
        )
        told = DetectorSettings(sample_period_ns=period_ns, pretrigger_ns=pretrigger_ns)
        settings, source = merge_settings(options.settings, told, found_in="file")
        steps = f"; a count is {' or '.join(sorted(found.steps))}" if found.steps else ""
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"FASTER, {found}{steps}",
            settings=settings,
            settings_source=source,
            n_entries=sum(found.n_frames[kind] for kind in WAVEFORMS) if found.is_whole else None,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        first = 0
        for frames in FrameWalk(self.report).pieces(read_pieces(self.info.path)):
            kind = frames.kind
            is_wave = np.isin(kind, WAVEFORMS)
            entry = first + np.cumsum(is_wave) - 1
            first += int(is_wave.sum())
            pass_over(kind[frames.is_sound & ~is_wave], self.report)
            parts = list(self._parts(frames, kind))
            for n_samples, period_ns in dict.fromkeys((samples.shape[1], period) for _, samples, period in parts):
                chosen = [part for part in parts if (part[1].shape[1], part[2]) == (n_samples, period_ns)]
                which = np.concatenate([at for at, *_ in chosen])
                order = np.argsort(which)
                which = which[order]
                self.report.n_read += len(which)
                yield Pulses(
                    samples=np.concatenate([samples for _, samples, _ in chosen])[order],
                    sample_period_ns=self._given_ns or period_ns,
                    entry=entry[which],
                    timestamp_ps=frames.time_ps[which],
                    channel=frames.label[which],
                )

    def _parts(self, frames: Frames, kind: NDArray[np.uint8]) -> Iterator[_Part]:
        """Yield the frames of each kind and size, and of each sampling period."""
        n_bytes = frames.load_bytes
        for number in WAVEFORMS:
            all_of_kind = np.flatnonzero((kind == number) & frames.is_sound)
            for size in np.unique(n_bytes[all_of_kind]).tolist():
                which = all_of_kind[n_bytes[all_of_kind] == size]
                read = self._scopes if number == OSCILLOSCOPE else self._samplers
                yield from read(which, frames.loads(which, size), frames)

    def _scopes(self, which: NDArray[np.int64], loads: NDArray[np.uint8], frames: Frames) -> Iterator[_Part]:
        heads = scope_heads(loads)
        if heads is None or loads.shape[1] % 2:
            self._damaged("oscilloscope frame of no whole samples", which, frames)
            return
        step_ns = heads["step_ns"]
        is_good = np.isnan(step_ns) | ((step_ns > 0) & np.isfinite(step_ns))
        self._damaged("oscilloscope frame whose step in time is none", which[~is_good], frames)
        for period_ns in np.unique(step_ns[is_good]).tolist():
            chosen = np.isnan(step_ns) if np.isnan(period_ns) else step_ns == period_ns
            yield which[chosen], scope_samples(loads[chosen]), None if np.isnan(period_ns) else period_ns

    def _samplers(self, which: NDArray[np.int64], loads: NDArray[np.uint8], frames: Frames) -> Iterator[_Part]:
        if loads.shape[1] % 2 or loads.shape[1] < 2 + SAMPLER_HEAD_BYTES * self._has_heads:
            self._damaged("sampler frame of no whole samples", which, frames)
            return
        if self._has_heads:
            is_good = sampler_counts(loads)
            self._damaged("sampler frame of another length than its head says", which[~is_good], frames)
            which, loads = which[is_good], loads[is_good]
        counted = sampler_numbers(loads) if self._has_heads else np.zeros(len(loads), np.int64)
        for number in np.unique(counted):
            chosen = counted == number
            yield which[chosen], sampler_samples(loads[chosen], has_head=self._has_heads), SAMPLER_STEP_NS

    def _damaged(self, kind: str, which: NDArray[np.int64], frames: Frames) -> None:
        if len(which):
            self.report.add_damage(kind, offset=frames.offset + int(frames.at[which[0]]), count=len(which))


def pass_over(kinds: NDArray[np.uint8], report: ReadReport) -> None:
    """Count frames that are not read; groups hold others, which are counted themselves."""
    for kind, count in zip(*np.unique(kinds, return_counts=True), strict=True):
        if kind != GROUP:
            report.pass_over(name_of(int(kind)), count=int(count))
