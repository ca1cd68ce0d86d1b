"""A look at the beginning of a FASTER file: which frames it holds, and what their heads say of the records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport
from discrimen.formats.faster.frames import Frames, FrameWalk, read_pieces
from discrimen.formats.faster.kinds import LISTED, OSCILLOSCOPE, WAVEFORMS, name_of
from discrimen.formats.faster.records import (
    SAMPLER_HEAD_BYTES,
    sampler_before,
    sampler_counts,
    sampler_step_mv,
    scope_heads,
)

_LOOKED_AT = 32 * 2**20
_MOST_KEPT = 64


@dataclass(slots=True)
class Survey:
    """What the beginning of a file holds.

    Attributes
    ----------
    n_frames : Counter of int
        Frames of each kind.
    n_with_head, n_samplers : int
        Sampler frames whose head counts their samples, and all of them.
    periods_ns, pretriggers_ns : set of float or None
        What the heads say; None where one says nothing.
    steps : set of str
        Size of a count, for people.
    is_whole : bool
        Whether it was the whole file.
    """

    n_frames: Counter[int] = field(default_factory=Counter)
    n_with_head: int = 0
    n_samplers: int = 0
    periods_ns: set[float | None] = field(default_factory=set)
    pretriggers_ns: set[float | None] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    is_whole: bool = True

    @property
    def has_waveforms(self) -> bool:
        """Whether there is a waveform."""
        return any(self.n_frames[kind] for kind in WAVEFORMS)

    @property
    def listed(self) -> tuple[int, ...]:
        """Kinds with charges."""
        return tuple(kind for kind in sorted(self.n_frames) if kind in LISTED)

    @property
    def samplers_have_heads(self) -> bool:
        """Whether sampler frames begin with a head, as they do since it was introduced."""
        return 2 * self.n_with_head >= self.n_samplers

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name_of(kind)}" for kind, count in sorted(self.n_frames.items()))
        return f"{'frames' if self.is_whole else f'in the first {_LOOKED_AT >> 20} MiB, frames'}: {counts}"

    def add(self, frames: Frames) -> None:
        """Look at some more frames."""
        kind = frames.kind
        self.n_frames.update(kind[frames.is_sound].tolist())
        for number in WAVEFORMS:
            which = np.flatnonzero((kind == number) & frames.is_sound)
            for n_bytes in np.unique(frames.load_bytes[which]).tolist():
                here = which[frames.load_bytes[which] == n_bytes]
                (self._add_scope if number == OSCILLOSCOPE else self._add_sampler)(frames.loads(here, n_bytes))

    def _add_scope(self, loads: NDArray[np.uint8]) -> None:
        heads = scope_heads(loads)
        for head in np.unique(heads)[:_MOST_KEPT] if heads is not None else ():
            self.periods_ns.add(head["step_ns"].item() if np.isfinite(head["step_ns"]) else None)
            first_ns = head["first_ns"].item()
            self.pretriggers_ns.add(-first_ns if first_ns < 0 else None)
            self.steps.add(f"{head['step_y'].item():g} {head['unit_y'].decode('ascii', 'replace')}".strip())

    def _add_sampler(self, loads: NDArray[np.uint8]) -> None:
        self.n_samplers += len(loads)
        if loads.shape[1] < SAMPLER_HEAD_BYTES:
            return
        counted = sampler_counts(loads)
        self.n_with_head += int(counted.sum())
        for step_mv in np.unique(sampler_step_mv(loads[counted])):
            if np.isfinite(step_mv):
                self.steps.add(f"{step_mv:.3g} mV")
        self.periods_ns.add(2.0)
        for before in np.unique(sampler_before(loads[counted])).tolist():
            self.pretriggers_ns.add(2.0 * before if before >= 0 else None)


def survey(path: Path) -> Survey:
    """Look at the beginning of a file.

    Raises
    ------
    FormatError
        If it cannot be read.
    """
    found = Survey(is_whole=path.stat().st_size <= _LOOKED_AT)
    for frames in FrameWalk(ReadReport()).pieces(read_pieces(path, _LOOKED_AT)):
        found.add(frames)
    return found
