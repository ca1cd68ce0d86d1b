"""Run files read by the workers of a cluster, for what must see all their pulses in one place.

A worker reads a file, or a part of it, and leaves its chunks as plain arrays beside the output. Whoever needs the
pulses reads those instead of the file, at the speed of the disk, and sees the very chunks that the file would give.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cluster.farm import Farm, Job, Work
from discrimen.cluster.receipt import Receipt
from discrimen.errors import DataError, FormatError
from discrimen.formats.base import ListModeReader, PartedReader, Reader, ReadReport, RunInfo
from discrimen.formats.inputs import InputOptions
from discrimen.output.files import complete_or_absent
from discrimen.pulses import Pulses
from discrimen.scoring.parts import Part, cut_run

_CHUNKS = "chunks.json"


class FetchedReader:
    """Reads chunks that workers left; a :class:`~discrimen.formats.base.Reader`.

    Parameters
    ----------
    info : RunInfo
        Of the run file.
    reports : sequence of mapping
        What was met in each part; see :meth:`~discrimen.formats.base.ReadReport.as_dict`.
    files : sequence of Path
        The chunks of each part.
    """

    def __init__(self, info: RunInfo, reports: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> None:
        self.info = info
        self.report = ReadReport()
        self._files = files
        self._whole = ReadReport(absent=tuple(name for report in reports for name in report["absent"]))
        for report in reports:
            self._whole.add(report)

    def chunks(self) -> Iterator[Pulses]:
        """Read the chunks; see :meth:`discrimen.formats.base.Reader.chunks`.

        Raises
        ------
        FormatError
            If one of their files is not there any more.
        """
        for path in self._files:
            yield from read_chunks(path)
        self.report = replace(self._whole, damaged=dict(self._whole.damaged))


def write_chunks(path: Path, chunks: Iterator[Pulses]) -> None:
    """Write chunks as arrays without compression, one after the other, in constant memory."""
    periods_ns: list[float | None] = []
    with complete_or_absent(path) as part, zipfile.ZipFile(part, "w") as archive:
        for pulses in chunks:
            for name, values in {"samples": pulses.samples, **pulses.columns()}.items():
                with archive.open(f"{len(periods_ns)}/{name}", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, np.ascontiguousarray(values), allow_pickle=False)
            periods_ns.append(pulses.sample_period_ns)
        archive.writestr(_CHUNKS, json.dumps(periods_ns))


def read_chunks(path: Path) -> Iterator[Pulses]:
    """Yield what :func:`write_chunks` wrote.

    Raises
    ------
    FormatError
        If the file is not there, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for number, period_ns in enumerate(json.loads(archive.read(_CHUNKS))):
                names = [name for name in archive.namelist() if name.startswith(f"{number}/")]
                arrays = {}
                for name in names:
                    with archive.open(name) as stream:
                        arrays[name.partition("/")[2]] = np.lib.format.read_array(stream, allow_pickle=False)
                yield Pulses(sample_period_ns=period_ns, **arrays)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FormatError(f"the chunks that a worker left cannot be read: {error}; start again", path) from error


@dataclass(frozen=True, slots=True)
class _FileToRead:
    """A run file, and the parts in which it is read; none stands for the whole."""

    path: Path
    identity: Mapping[str, str]
    folder: Path
    parts: tuple[Part, ...]


def read_on_workers(
    farm: Farm,
    paths: Sequence[Path],
    inputs: InputOptions,
    *,
    folder: Path,
    part_bytes: int,
    on_wait: Callable[[], None] = lambda: None,
) -> tuple[dict[Path, Reader], list[Receipt]]:
    """Read run files by the workers of a farm.

    Parameters
    ----------
    farm : Farm
        Where the jobs go.
    paths : sequence of Path
        Run files.
    inputs : InputOptions
        How to open them.
    folder : Path
        On a file system that this side and the workers share; its content is as large as the pulses.
    part_bytes : int
        Files of twice this size and more are read in parts.
    on_wait : callable
        Called now and then.

    Returns
    -------
    tuple
        A reader of each file, and the receipts of what was done now. Files without waveforms are opened here.

    Raises
    ------
    DataError
        If a file cannot be read.
    ClusterError
        If the scheduler is gone.
    """
    readers = {path: inputs.open(path) for path in paths}
    files = {
        path: _plan(reader, folder / f"{number:05}", part_bytes)
        for number, (path, reader) in enumerate(readers.items())
        if not isinstance(reader, ListModeReader)
    }
    jobs = {path: [_job(file, inputs, part) for part in file.parts or (None,)] for path, file in files.items()}
    owner = {job.name: path for path, several in jobs.items() for job in several}
    for several in jobs.values():
        for job in several:
            farm.hand_in(job)
    done: dict[str, Receipt] = {}
    n_open = {path: len(several) for path, several in jobs.items()}
    for outcome in farm.outcomes(on_wait):
        path = owner[outcome.job.name]
        n_open[path] -= 1
        if outcome.receipt is not None:
            done[outcome.job.name] = outcome.receipt
        elif len(jobs[path]) == 1:
            raise DataError(outcome.fault)
        if not n_open[path] and any(job.name not in done for job in jobs[path]):
            # Only in one go is damage told as it is.
            jobs[path] = [_job(replace(files[path], parts=()), inputs, None)]
            owner[jobs[path][0].name] = path
            n_open[path] = 1
            farm.hand_in(jobs[path][0])
    fetched = {path: _fetched(readers[path].info, several, done) for path, several in jobs.items()}
    return readers | fetched, [done[job.name] for several in jobs.values() for job in several]


def _fetched(info: RunInfo, jobs: Sequence[Job], done: Mapping[str, Receipt]) -> Reader:
    reports = [done[job.name].result["report"] for job in jobs]
    return FetchedReader(info, reports, [job.receipt.with_suffix(".zip") for job in jobs])


def _plan(reader: Reader, folder: Path, part_bytes: int) -> _FileToRead:
    path, stat = reader.info.path.absolute(), reader.info.path.stat()
    identity = {
        "input": str(path),
        "input_bytes": str(stat.st_size),
        "input_mtime_ns": str(stat.st_mtime_ns),
        "layout": reader.info.layout,
        "settings": reader.info.settings.model_dump_json(exclude_none=True),
    }
    return _FileToRead(path, identity, folder, tuple(cut_run(reader, part_bytes)))


def _job(file: _FileToRead, inputs: InputOptions, part: Part | None) -> Job:
    name = "all" if part is None else f"part-{part.number:05}"
    place = {} if part is None else {"from": str(part.start), "to": str(part.stop)}
    told = {
        "options": repr(replace(inputs, settings_file=None)),
        "told": inputs.read.settings.model_dump_json(exclude_none=True),
    }
    receipt = file.folder / f"{name}.json"
    return Job(
        name=f"read {name} of {file.path}",
        call=read_to_disk,
        arguments=(inputs, file, part, receipt.with_suffix(".zip")),
        identity={**file.identity, **told, **place},
        receipt=receipt,
        leaves=(receipt.with_suffix(".zip"),),
    )


def read_to_disk(inputs: InputOptions, file: _FileToRead, part: Part | None, output: Path) -> Work:
    """Read a run file, or a part of it, and leave its chunks; runs on a worker.

    Raises
    ------
    DiscrimenError
        If it cannot be read, is another than when the job was made, or damaged in the middle of a part.
    """
    reader = inputs.open(file.path)
    _require_same(file)
    if part is None:
        chunks = reader.chunks()
    elif isinstance(reader, PartedReader):
        chunks = reader.chunks_between(part.start, part.stop)
    else:
        raise FormatError("cannot be read in parts any more", file.path)
    write_chunks(output, chunks)
    _require_same(file)
    if part is not None and not part.is_last and reader.report.n_damaged:
        raise FormatError(f"damaged events between {part.start} and {part.stop}", file.path)
    report = {**reader.report.as_dict(), "absent": list(reader.report.absent)}
    return Work(reader.report.n_read, {"report": report})


def _require_same(file: _FileToRead) -> None:
    stat = file.path.stat()
    now = (str(stat.st_size), str(stat.st_mtime_ns))
    if now != (file.identity["input_bytes"], file.identity["input_mtime_ns"]):
        raise FormatError("changed since the job was made; start again when it is complete", file.path)


def forget_fetched(folder: Path) -> None:
    """Remove what workers left, when nobody needs it any more."""
    shutil.rmtree(folder, ignore_errors=True)
