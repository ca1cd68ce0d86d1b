"""Pulses in memory, from one or several files, with what must be known of them later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.detector import DetectorSettings
from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.formats.settings_merge import common_settings
from discrimen.provenance import sha256_of_file
from discrimen.pulses import Label, Pulses, concatenate


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dataset:
    """Pulses of one detector.

    Parameters
    ----------
    pulses : Pulses
        With the column `run`; where labels were asked for, none is of unknown label.
    settings : DetectorSettings
        What is known of detector and digitizer.
    files : tuple of dict
        Name, SHA-256 and number of pulses of each file.
    n_unlabelled : int
        Pulses left out because their label is unknown.
    """

    pulses: Pulses
    settings: DetectorSettings
    files: tuple[dict[str, Any], ...]
    n_unlabelled: int

    def count(self, label: Label) -> int:
        """Return the number of pulses of a class."""
        return int((self.pulses.column("label") == label).sum())


def load_dataset(
    readers: Sequence[Reader],
    *,
    transforms: Sequence[Callable[[Pulses], Pulses]] | None = None,
    labelled: bool = True,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Dataset:
    """Read pulses into memory.

    Parameters
    ----------
    readers : sequence of Reader
        Open files; each is a run of its own unless it has a column `run`.
    transforms : sequence of callable, optional
        What to do to each chunk of each file on the way, for example give it labels.
    labelled : bool
        Whether every file must have labels, and pulses of unknown label are left out.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If a file has no labels or unknown ones, or waveforms of different length or sampling period.
    SettingsError
        If the files contradict each other on polarity, ADC bits or the like.
    """
    transforms = transforms or [lambda pulses: pulses] * len(readers)
    parts: list[Pulses] = []
    files = []
    n_unlabelled = 0
    for number, (reader, transform) in enumerate(zip(readers, transforms, strict=True)):
        n_before = sum(len(part) for part in parts)
        for pulses in reader.chunks():
            chosen = _numbered(transform(pulses), number)
            if labelled:
                chosen = _labelled(chosen, reader.info.path)
                n_unlabelled += len(pulses) - len(chosen)
            if len(chosen):
                parts.append(chosen)
            on_progress(len(pulses))
        path = reader.info.path
        n_pulses = sum(len(part) for part in parts) - n_before
        files.append({"name": path.name, "sha256": sha256_of_file(path), "n_pulses": n_pulses})
    if not parts:
        raise DataError(
            f"{', '.join(str(reader.info.path) for reader in readers)}: no {'labelled ' if labelled else ''}pulses"
        )
    return Dataset(
        pulses=concatenate(parts),
        settings=common_settings(readers),
        files=tuple(files),
        n_unlabelled=n_unlabelled,
    )


def _numbered(pulses: Pulses, number: int) -> Pulses:
    return pulses if pulses.run is not None else pulses.replace(run=np.full(len(pulses), number, np.int32))


def _labelled(pulses: Pulses, path: Path) -> Pulses:
    if pulses.label is None:
        raise DataError(f"{path}: the pulses have no labels; make a data set with 'discrimen label'")
    strange = sorted(set(np.unique(pulses.label).tolist()) - set(Label))
    if strange:
        expected = ", ".join(f"{label.value} ({label.name.lower()})" for label in Label)
        raise DataError(f"{path}: labels must be {expected}; got also {', '.join(map(str, strange))}")
    return pulses.labelled()
