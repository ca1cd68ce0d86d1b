"""Pulses in memory, from one or several files, with what must be known of them later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.formats.settings_merge import common_settings
from discrimen.output.provenance import sha256_of_file
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at
from discrimen.pulses import Label, Pulses, concatenate
from discrimen.pulses.array import settings_of_model
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.places import board_and_channel, numbered_places
from discrimen.runs.polarity import upright_chunks


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Dataset(Summarised, Tabular):
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
    labels_from : tuple of Path
        Files whose own labels the pulses have: what is known of these may lie beside them.
    contamination : mapping of str to float, optional
        Of labels that only say from which source a pulse comes: the share of each class's labels that is wrong. A
        training corrects its loss for it, and no model can be judged by such labels.
    """

    pulses: Pulses
    settings: DetectorSettings
    files: tuple[dict[str, Any], ...]
    n_unlabelled: int
    labels_from: tuple[Path, ...] = ()
    contamination: Mapping[str, float] | None = None

    def __len__(self) -> int:
        return len(self.pulses)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> Dataset:
        """Select pulses by a slice, a boolean mask or an array of positions that ascend from file to file.

        Raises
        ------
        DataError
            If the positions change the order of the files.
        """
        rows = rows_at(index, len(self))
        return replace(self, pulses=self.pulses[rows], files=files_of_rows(self.files, rows))

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns of the pulses, and their samples."""
        return self.pulses.table_columns()

    def table_remarks(self) -> dict[str, str]:
        """Return the sampling period, and the names of the files."""
        return {**self.pulses.table_remarks(), "files": ", ".join(str(file["name"]) for file in self.files)}

    def summary(self) -> dict[str, str]:
        """Return what the pulses say of themselves, and the files, for people."""
        unlabelled = {"left out": f"{self.n_unlabelled} without a label"} if self.n_unlabelled else {}
        polarity = {"polarity": self.settings.polarity} if self.settings.polarity else {}
        return {**self.pulses.summary(), **polarity, **unlabelled, "files": files_in_words(self.files)}

    def count(self, label: Label) -> int:
        """Return the number of pulses of a class."""
        return int((self.pulses.column("label") == label).sum())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Run(Summarised):
    """Pulses that were recorded together: one run of one file.

    Parameters
    ----------
    name : str
        For people: the file, and the number of the run if the file holds several.
    file : str or None
        Name of the file, None where it is unknown.
    number : int or None
        What the column `run` says, None where there is none.
    pulse : ndarray of int64, shape (pulse of the run,)
        Positions in the data set, in the order of the file.
    """

    name: str
    file: str | None
    number: int | None
    pulse: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pulse)


def files_of_rows(files: Sequence[Mapping[str, Any]], rows: Any) -> tuple[dict[str, Any], ...]:
    """Return the files that some pulses of a data set come from, with how many of each.

    Raises
    ------
    DataError
        If the pulses are not in the order of the files.
    """
    if not files:
        return ()
    of_file = file_of_pulse(files)[rows]
    if (np.diff(of_file) < 0).any():
        raise DataError("the pulses of a data set stay in the order of its files: give positions that ascend")
    counts = np.bincount(of_file, minlength=len(files)).tolist()
    return tuple({**file, "n_pulses": n} for file, n in zip(files, counts, strict=True) if n)


def files_in_words(files: Sequence[Mapping[str, Any]]) -> str:
    """Return how many files there are, and their names."""
    names = ", ".join(str(file["name"]) for file in files)
    return names if len(files) == 1 else f"{len(files)}: {names}" if files else "none"


def file_of_pulse(files: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """Return the position in the list of files of the file that each pulse came from, shape (pulse,)."""
    return np.repeat(np.arange(len(files)), [int(file["n_pulses"]) for file in files])


def runs_of(pulses: Pulses, files: Sequence[Mapping[str, Any]] = ()) -> tuple[Run, ...]:
    """Part pulses into the runs of their files, in the order of the files and of the numbers of the runs.

    Parameters
    ----------
    pulses : Pulses
        Of a data set; without a column `run` each file is one run.
    files : sequence of mapping
        The files of the data set, see :class:`Dataset`; without them only the column `run` counts.
    """
    file = file_of_pulse(files) if files else np.zeros(len(pulses), dtype=np.int64)
    runs = []
    for position in np.unique(file):
        members = np.flatnonzero(file == position)
        name = str(files[position]["name"]) if files else None
        numbers = [None] if pulses.run is None else np.unique(pulses.run[members]).tolist()
        for number in numbers:
            one = members if pulses.run is None or len(numbers) == 1 else members[pulses.run[members] == number]
            runs.append(Run(name=_run_name(name, number, n_runs=len(numbers)), file=name, number=number, pulse=one))
    return tuple(runs)


def _run_name(file: str | None, number: int | None, *, n_runs: int) -> str:
    if file is None:
        return "all pulses" if number is None else f"run {number}"
    return file if n_runs == 1 else f"{file}, run {number}"


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
        If a file has no labels or unknown ones, waveforms of different length or sampling period, or pulses against
        the polarity.
    SettingsError
        If the files contradict each other on polarity, ADC bits or the like, or the channels need preparations of
        their own.
    """
    own_labels = labelled and not transforms
    transforms = transforms or [lambda pulses: pulses] * len(readers)
    parts: list[Pulses] = []
    files = []
    n_unlabelled = 0
    for number, (reader, transform) in enumerate(zip(readers, transforms, strict=True)):
        n_before = sum(len(part) for part in parts)
        for pulses in upright_chunks(reader):
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
    pulses = concatenate(parts)
    return Dataset(
        pulses=pulses,
        settings=_settings_of(pulses, common_settings(readers)),
        files=tuple(files),
        n_unlabelled=n_unlabelled,
        labels_from=tuple(reader.info.path for reader in readers) if own_labels else (),
    )


def _settings_of(pulses: Pulses, settings: DetectorSettings) -> DetectorSettings:
    """Return what holds for the channels that the pulses are of; of several channels, which they are."""
    places, _ = numbered_places(*board_and_channel(pulses).values())
    return settings.of(*places[0]) if len(places) == 1 else settings_of_model(settings, places)


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
