"""Run files of channels to one file of hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import Reader, ReadReport
from discrimen.output.files import refuse_inputs
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.pulses.hits import Hits, cut_records
from discrimen.runs.gather_hits import gather_hits
from discrimen.runs.gather_options import GatherOptions
from discrimen.runs.gather_report import GatherReport
from discrimen.runs.hits_file import HitsWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredRuns:
    """What became of the runs.

    Parameters
    ----------
    output : Path
        The file of hits.
    n_hits : int
        Written there.
    inputs : tuple of Path
        The run files.
    read : tuple of ReadReport
        What was met in each.
    gathered : GatherReport
        What was met while hits were put together, of all runs.
    """

    output: Path
    n_hits: int
    inputs: tuple[Path, ...]
    read: tuple[ReadReport, ...]
    gathered: GatherReport

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        inputs = {str(path): report.as_dict() for path, report in zip(self.inputs, self.read, strict=True)}
        return {"output": str(self.output), **self.gathered.as_dict(), "inputs": inputs}


def write_hits(
    readers: Sequence[Reader],
    output: Path,
    *,
    options: GatherOptions,
    samples: tuple[int, int] | None = None,
    packed: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> GatheredRuns:
    """Put the traces of run files together and write the hits into one file.

    Hits of several runs have the column `run`: 0, 1, ...

    Parameters
    ----------
    readers : sequence of Reader
        Open inputs.
    output : Path
        The file to write; it is complete or absent.
    options : GatherOptions
        How channels become hits.
    samples : tuple of int, optional
        First sample of the records that is written, and the one behind the last.
    packed : bool
        Whether to compress the samples; see :class:`~discrimen.runs.hits_file.HitsWriter`.
    on_progress : callable
        Called with the number of traces that were read.

    Raises
    ------
    DataError
        If the inputs hold no traces, no hit comes out, or runs differ in what they hold.
    MissingExtraError
        If what packs is not installed.
    OutputError, FormatError
        If the output is one of the inputs, or reading or writing fails.
    """
    paths = tuple(reader.info.path for reader in readers)
    refuse_inputs(output, list(paths))
    gathered, before = GatherReport(), 0
    made_by = {
        "inputs": [str(path) for path in paths],
        "options": {**asdict(options), "leave_out": int(options.leave_out), "samples": samples},
        "versions": software_versions("h5py"),
        "made": utc_now(),
        "command_line": command_line(),
    }
    with HitsWriter(output, made_by, packed=packed) as writer:
        for number, reader in enumerate(readers):
            for hits in gather_hits(reader, options=options, report=gathered):
                kept = hits if samples is None else cut_records(hits, *samples)
                writer.write(_of_run(kept, number) if len(readers) > 1 else kept)
                on_progress(gathered.n_traces - before)
                before = gathered.n_traces
        if not writer.n_hits:
            told = "; ".join(gathered.lines()) or f"{gathered.n_traces} traces read"
            raise DataError(f"{', '.join(map(str, paths))}: no hit to write: {told}")
    return GatheredRuns(
        output=output,
        n_hits=writer.n_hits,
        inputs=paths,
        read=tuple(reader.report for reader in readers),
        gathered=gathered,
    )


def _of_run(hits: Hits, number: int) -> Hits:
    return Hits(
        samples=hits.samples,
        sample_period_ns=hits.sample_period_ns,
        present=hits.present,
        columns={**hits.columns, "run": np.full(len(hits), number, np.int32)},
        channels=hits.channels,
    )
