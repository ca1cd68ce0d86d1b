"""The run files behind the names of runs: files, folders of files, CoMPASS runs and whole CoMPASS projects."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from discrimen.errors import DataError
from discrimen.formats.compass.files import channel_and_serial, run_name
from discrimen.formats.compass.settings import RAW_FOLDERS
from discrimen.formats.table import FORMATS
from discrimen.simulation.truth import truth_path
from discrimen.workflow.wishes import Wishes

RAW = "RAW"
_SUFFIXES = tuple(dict.fromkeys(suffix for known in FORMATS for suffix in known.suffixes))
_NO_RUNS = (".txt", ".asc", ".tsv", ".h5", ".hdf5")
"""Suffixes of run files that other files have as often: such a file is taken where it is named itself."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A run file as it was found; one that is still being written changes.

    Parameters
    ----------
    path : Path
        Where it lies.
    n_bytes, changed_ns : int
        Size and time of the last change.
    """

    path: Path
    n_bytes: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """The run files behind each wish.

    Parameters
    ----------
    mixed, gamma, test, classify : tuple of RunFile
        By their role.
    calibrate : mapping of str to tuple of RunFile
        By gamma source.
    passed_over : tuple of str
        What was found and not taken, and why; for people.
    """

    mixed: tuple[RunFile, ...]
    gamma: tuple[RunFile, ...]
    test: tuple[RunFile, ...]
    classify: tuple[RunFile, ...]
    calibrate: Mapping[str, tuple[RunFile, ...]]
    passed_over: tuple[str, ...]

    @property
    def learnt_from(self) -> tuple[RunFile, ...]:
        """The run files on which the model depends."""
        return (*self.mixed, *self.gamma, *(each for files in self.calibrate.values() for each in files))

    @property
    def everything(self) -> tuple[RunFile, ...]:
        """Each run file once, in the order in which it is needed."""
        return tuple({each.path: each for each in (*self.learnt_from, *self.test, *self.classify)}.values())


def find_runs(wishes: Wishes) -> FoundRuns:
    """Look for the run files of all roles.

    Raises
    ------
    DataError
        If a name leads to no run file, a folder holds a run in two formats, or a file has two roles.
    """
    told: list[str] = []

    def files(paths: Iterable[Path]) -> tuple[RunFile, ...]:
        found = {each: None for path in paths for each in files_of(path)}
        kept = _of_channel(found, wishes, told)
        return tuple(_as_it_is(path) for path in kept)

    mixed, gamma = files(wishes.mixed), files(wishes.gamma)
    both = {each.path for each in mixed} & {each.path for each in gamma}
    if both:
        raise DataError(f"{min(both)}: cannot be a mixed and a pure gamma source at once; name it for one of them")
    test = files(wishes.test)
    learnt = {each.path for each in (*mixed, *gamma)} & {each.path for each in test}
    if learnt:
        raise DataError(f"{min(learnt)}: the network learns from this run and cannot be tested by it; name another one")
    calibrate = {source: files(paths) for source, paths in wishes.calibrate.items()}
    return FoundRuns(mixed, gamma, test, files(wishes.classify), calibrate, tuple(dict.fromkeys(told)))


def files_of(path: Path) -> list[Path]:
    """Return the run files that a name stands for.

    A folder is a CoMPASS project (``DAQ/run_*/RAW``), its ``DAQ``, one of its runs (``RAW`` in it), or holds run files
    itself.

    Raises
    ------
    DataError
        If there is none, or the folder holds a run in two formats.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder")
        return [path]
    folders = _raw_folders(path) or [path]
    found = [file for folder in folders for file in _run_files_in(folder)]
    if not found:
        raise DataError(f"{path}: no run file in {_names(folders)}; name a run file, or the folder that holds some")
    return found


def _raw_folders(path: Path) -> list[Path]:
    if (path / RAW).is_dir():
        return [path / RAW]
    runs = path / "DAQ" if (path / "DAQ").is_dir() else path
    return sorted(
        (run / RAW for run in runs.iterdir() if (run / RAW).is_dir()), key=lambda raw: _in_order(raw.parent.name)
    )


def _run_files_in(folder: Path) -> list[Path]:
    files = [
        file
        for file in folder.iterdir()
        if file.is_file()
        and not file.name.startswith(".")
        and file.name.lower().endswith(_SUFFIXES)
        and not file.name.lower().endswith(_NO_RUNS)
    ]
    truths = {truth_path(file) for file in files}
    kept = sorted((file for file in files if file not in truths), key=lambda file: _in_order(file.name))
    twice = [stem for stem, count in Counter(file.stem for file in kept).items() if count > 1]
    if twice:
        same = ", ".join(file.name for file in kept if file.stem == twice[0])
        raise DataError(f"{folder}: holds a run in two formats, {same}: name the files of one of them")
    return kept


def _in_order(name: str) -> tuple[tuple[int, str], ...]:
    """Return what sorts run_2 before run_10."""
    parts: list[str] = [""]
    for letter in name:
        if letter.isdigit() == (parts[-1][-1:].isdigit()):
            parts[-1] += letter
        else:
            parts.append(letter)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def _of_channel(found: Iterable[Path], wishes: Wishes, told: list[str]) -> list[Path]:
    """Leave out files of other channels, where CoMPASS wrote one file a channel and one channel is wished."""
    kept = []
    for path in found:
        named = channel_and_serial(path)
        if wishes.channel is not None and named is not None and named[0] != wishes.channel:
            told.append(f"{path}: is of channel {named[0]}, not of channel {wishes.channel}, and is left out")
        else:
            kept.append(path)
    return kept


def _as_it_is(path: Path) -> RunFile:
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot look at it: {error.strerror or error}") from error
    return RunFile(path, found.st_size, found.st_mtime_ns)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths[:3])) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def changes(before: FoundRuns, now: FoundRuns) -> list[str]:
    """Say which runs came, went or changed since they were found.

    Parameters
    ----------
    before, now : FoundRuns
        Of the same wishes.
    """
    old, new = ({each.path: each for each in found.everything} for found in (before, now))
    lines = [f"{path}: a new run, not taken this time" for path in new if path not in old]
    lines += [f"{path}: is gone" for path in old if path not in new]
    lines += [f"{path}: {change}" for path in new if path in old and (change := changed(old[path], new[path]))]
    return lines


def changed(before: RunFile, now: RunFile) -> str:
    """Say what changed of a run file, "" if nothing did."""
    if before.n_bytes != now.n_bytes:
        return f"had {before.n_bytes} bytes and has {now.n_bytes} now: it is still being written"
    return "was written to meanwhile" if before.changed_ns != now.changed_ns else ""


def state_of(file: RunFile) -> RunFile:
    """Look at a run file again.

    Raises
    ------
    DataError
        If it is gone.
    """
    return _as_it_is(file.path)


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return a name for each run file that no other has, which stays the same when runs are added."""
    plain = {path: _short_name(path) for path in paths}
    counts = Counter(plain.values())
    return {
        path: name if counts[name] == 1 else f"{name}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
        for path, name in plain.items()
    }


def companions_of(path: Path) -> list[Path]:
    """Return the files that speak for a run file: those beside it that a reader may look into."""
    folder, own = path.parent, {path.stem, run_name(path)}
    named = [folder / name for stem in own for name in (f"{stem}_settings.xml",)]
    places = (folder, folder.parent) if folder.name.lower() in RAW_FOLDERS else (folder,)
    named += [place / name for place in places for name in ("settings.xml", "WaveDumpConfig.txt")]
    return sorted(file for file in named if file.is_file())


def _short_name(path: Path) -> str:
    """Return the file's own name; in CoMPASS' folders that of the run and of its project before it."""
    parents = path.parents
    if path.parent.name != RAW or len(parents) < 4:
        return f"{path.parent.name}_{path.stem}"
    return f"{parents[3].name if parents[2].name == 'DAQ' else parents[2].name}_{parents[1].name}_{path.stem}"
