"""The converter of each public data set: its files become native ones, with labels where the set has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.labelling.one_class import label_all
from discrimen.output.summary import Summarised
from discrimen.public_data.lock import LOCK_NAME, read_lock
from discrimen.public_data.matrix import read_matrix, read_numbers
from discrimen.public_data.table import FileRule, PublicSet
from discrimen.public_data.unpack import UNPACKED, data_files
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.conversion import convert_runs

_TEXT_SUFFIXES = (".txt", ".csv", ".dat")
_CHUNK_PULSES = 4096


@dataclass(frozen=True, slots=True)
class Converted:
    """One file that was converted: from, to, and its pulses by class."""

    source: str
    output: str
    n_gamma: int
    n_neutron: int
    n_unknown: int


@dataclass(frozen=True, slots=True, repr=False)
class Conversion(Summarised):
    """What became of the files of a data set.

    Parameters
    ----------
    converted : tuple of Converted
        In their order.
    left : mapping of str to str
        Files that were left alone, and why.
    """

    converted: tuple[Converted, ...]
    left: dict[str, str]


def convert_set(
    known: PublicSet,
    folder: Path,
    output: Path,
    *,
    options: ReadOptions,
    overwrite: bool = False,
    on_file: Callable[[str], None] = lambda _: None,
) -> Conversion:
    """Convert what lies in the folder of a fetched data set.

    Parameters
    ----------
    known : PublicSet
        Whose rules count.
    folder : Path
        As :func:`~discrimen.public_data.fetch.fetch_set` left it; archives are unpacked in it.
    output : Path
        Folder for one ``.lh5`` a file.
    options : ReadOptions
        What no source says of these pulses: above all the sampling period.
    overwrite : bool
        Whether outputs that are there may be replaced.
    on_file : callable
        Called with each file before it is read.

    Raises
    ------
    SettingsError
        If the sampling period is needed and not given.
    DataError
        If nothing could be converted.
    FormatError, OutputError
        If the folder holds no or another data set, a file that a rule names is not what it should be, or an output
        cannot be written or is there already.
    """
    lock = read_lock(folder)
    if lock is None or lock.data_set != known.name:
        what = "no fetched data set" if lock is None else f"the data set '{lock.data_set}'"
        raise FormatError(f"expected the data set '{known.name}', found {what}: fetch it first", folder)
    converted: list[Converted] = []
    left: dict[str, str] = {}
    for path in data_files(folder):
        if path.name == LOCK_NAME:
            continue
        name = _inner_name(path, folder)
        on_file(name)
        place = output / f"{name}.lh5"
        outcome = _convert(path, known.rules, place, options=options, overwrite=overwrite)
        if isinstance(outcome, str):
            left[name] = outcome
        else:
            counts = {f"n_{label.name.lower()}": outcome[label] for label in Label}
            converted.append(Converted(source=name, output=str(place), **counts))
    if not converted:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left.items())
        raise DataError(f"{folder}: nothing to convert: {reasons or 'no files'}")
    return Conversion(tuple(converted), left)


def _inner_name(path: Path, folder: Path) -> str:
    """Return the path in the folder, without the folder of unpacked archives."""
    parts = path.relative_to(folder).parts
    return "/".join(parts[1:] if parts[0] == UNPACKED else parts)


Counts = dict[Label, int]


def _convert(
    path: Path, rules: Sequence[FileRule], place: Path, *, options: ReadOptions, overwrite: bool
) -> Counts | str:
    """Convert one file, or say why it is left alone."""
    rule = next((one for one in rules if fnmatch(path.name.lower(), one.pattern.lower())), None)
    if rule is not None and rule.ignored is not None:
        return rule.ignored
    if place.exists() and not overwrite:
        raise OutputError(f"{place}: is there already; choose another folder or give --overwrite")
    if rule is None:
        try:
            return _convert_run(path, FileRule(pattern="*"), place, options)
        except FormatError as error:
            return f"no rule names it, and as a run file: {error}"
    if path.suffix.lower() in _TEXT_SUFFIXES:
        return _convert_matrix(path, rule, place, options.settings)
    return _convert_run(path, rule, place, options)


def _convert_run(path: Path, rule: FileRule, place: Path, options: ReadOptions) -> Counts:
    reader = open_reader(path, options)
    counts = dict.fromkeys(Label, 0)

    def labelled(pulses: Pulses) -> Pulses:
        known = pulses if rule.label is None else label_all(pulses, label=rule.label)
        _count(counts, known)
        return known

    _require_period(reader.info.settings, path)
    convert_runs([reader], place, transforms=[labelled])
    return counts


def _convert_matrix(path: Path, rule: FileRule, place: Path, settings: DetectorSettings) -> Counts:
    _require_period(settings, path)
    samples = read_matrix(path)
    labels = _labels(path, rule, len(samples))
    pulses = Pulses(samples=samples, sample_period_ns=settings.sample_period_ns, label=labels)
    with open_writer(place, settings) as writer:
        for start in range(0, len(pulses), _CHUNK_PULSES):
            writer.write(pulses[start : start + _CHUNK_PULSES])
    counts = dict.fromkeys(Label, 0)
    _count(counts, pulses)
    return counts


def _labels(path: Path, rule: FileRule, n_pulses: int) -> NDArray[np.int8] | None:
    if rule.labels_file is None:
        return None if rule.label is None else np.full(n_pulses, rule.label, np.int8)
    beside = path.with_name(rule.labels_file)
    if not beside.is_file():
        raise FormatError(f"expected its labels in {beside.name} beside it, found none: fetch that file, too", path)
    numbers = read_numbers(beside, n_pulses=n_pulses)
    strange = sorted(set(np.unique(numbers).tolist()) - set(rule.label_values))
    if strange:
        known = ", ".join(f"{value} ({label.name.lower()})" for value, label in rule.label_values.items())
        raise FormatError(f"labels must be {known}; got also {', '.join(map(str, strange))}", beside)
    labels = np.empty(n_pulses, np.int8)
    for value, label in rule.label_values.items():
        labels[numbers == value] = label
    return labels


def _count(counts: Counts, pulses: Pulses) -> None:
    labels = np.full(len(pulses), Label.UNKNOWN) if pulses.label is None else pulses.label
    for label in Label:
        counts[label] += int(np.count_nonzero(labels == label))


def _require_period(settings: DetectorSettings, path: Path) -> None:
    if settings.sample_period_ns is None:
        raise SettingsError(
            f"{path}: the sampling period is neither in the file nor known of this data set: look it up in its "
            "publication and give it with --sample-period-ns"
        )
