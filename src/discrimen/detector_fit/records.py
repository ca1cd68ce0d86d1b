"""The records of one channel that a detector is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

MOST_RECORDS = 20_000
"""As many are looked at; more would not make the fit better, for its model is not."""
_Kind = tuple[int | None, int | None, int]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Records:
    """Waveforms of one channel, as digitised.

    Parameters
    ----------
    samples : ndarray of int, shape (pulse, sample)
        In ADC counts.
    file : ndarray of int, shape (pulse,)
        Which file each came from.
    settings : DetectorSettings
        What is known of the channel, the sampling period always.
    sources : tuple of str
        The files.
    notes : tuple of str
        What was left out.
    """

    samples: NDArray[Any]
    file: NDArray[np.int64]
    settings: DetectorSettings
    sources: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sample_period_ns(self) -> float:
        """Time between samples."""
        period = self.settings.sample_period_ns
        if period is None:
            raise SettingsError("the sampling period is not in the file: give it with --sample-period-ns")
        return period


def read_records(readers: Sequence[Reader], *, most: int = MOST_RECORDS) -> Records:
    """Read the first pulses of some files; of several channels or lengths, the one with most pulses.

    Raises
    ------
    DataError
        If there are no pulses, samples are no whole numbers, or files differ in what is known of them.
    SettingsError
        If the sampling period is unknown.
    """
    found: dict[_Kind, list[tuple[int, Pulses]]] = {}
    for number, reader in enumerate(readers):
        for kind, pulses in _first(reader, most // len(readers)):
            found.setdefault(kind, []).append((number, pulses))
    if not found:
        raise DataError(f"{', '.join(str(reader.info.path) for reader in readers)}: no pulses to fit a detector to")
    kind = max(found, key=lambda each: sum(len(pulses) for _, pulses in found[each]))
    parts = found[kind]
    n_others = sum(len(pulses) for other in found if other != kind for _, pulses in found[other])
    samples = np.concatenate([pulses.samples for _, pulses in parts])
    path = readers[parts[0][0]].info.path
    if samples.dtype.kind == "f":
        raise DataError(f"{path}: samples are no whole ADC counts (float32); a detector is fitted to raw records")
    return Records(
        samples=samples,
        file=np.concatenate([np.full(len(pulses), number) for number, pulses in parts]),
        settings=_settings(readers, {number for number, _ in parts}, parts[0][1]),
        sources=tuple(str(reader.info.path) for reader in readers),
        notes=_notes(kind, len(samples), n_others, readers),
    )


def _first(reader: Reader, most: int) -> list[tuple[_Kind, Pulses]]:
    taken, parts = 0, []
    for pulses in reader.chunks():
        for kind, part in _by_channel(pulses[: most - taken]):
            parts.append((kind, part))
        taken += len(pulses)
        if taken >= most:
            break
    return parts


def _by_channel(pulses: Pulses) -> list[tuple[_Kind, Pulses]]:
    none = np.full(len(pulses), -1)
    board = none if pulses.board is None else pulses.board
    channel = none if pulses.channel is None else pulses.channel
    pairs, which = np.unique(np.stack([board, channel]), axis=1, return_inverse=True)
    return [
        ((int(pair[0]), int(pair[1]), pulses.n_samples), pulses[which.ravel() == number])
        for number, pair in enumerate(pairs.T)
    ]


def _settings(readers: Sequence[Reader], numbers: set[int], pulses: Pulses) -> DetectorSettings:
    settings = [readers[number].info.settings for number in sorted(numbers)]
    for name in ("sample_period_ns", "polarity", "adc_bits"):
        values = {getattr(each, name) for each in settings}
        if len(values) > 1:
            raise DataError(f"the files differ in {name}: {', '.join(map(str, values))}; fit a detector to each alone")
    return settings[0].merged(sample_period_ns=pulses.require_sample_period_ns())


def _notes(kind: _Kind, n_taken: int, n_others: int, readers: Sequence[Reader]) -> tuple[str, ...]:
    notes = []
    if n_others:
        notes.append(
            f"only board {kind[0]}, channel {kind[1]}, {kind[2]} samples: {n_others} pulses of others left out"
        )
    known = [reader.info.n_entries for reader in readers]
    total = sum(count or 0 for count in known)
    if total > n_taken + n_others:
        notes.append(f"the first {n_taken + n_others} of {total} pulses were looked at")
    return tuple(notes)
