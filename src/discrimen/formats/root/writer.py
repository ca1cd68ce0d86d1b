"""Write pulses as a ROOT tree that any ROOT program reads, with the detector settings beside it as text (JSON).

The tree ``pulses`` has a fixed array ``samples`` and a branch for each column, with the names and units of
:class:`~discrimen.pulses.Pulses`.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import DataError, require_module
from discrimen.formats.root.own import COMMAND_LINE_KEY, SETTINGS_KEY, TITLE, TREE
from discrimen.formats.staged_writer import StagedWriter
from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import command_line
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings


class RootWriter(StagedWriter):
    """Writer of one ROOT file.

    Parameters
    ----------
    path : Path
        The final name.
    settings : DetectorSettings
        Stored in the file, and given back by the reader.
    """

    def __init__(self, path: Path, settings: DetectorSettings) -> None:
        super().__init__(path)
        self._settings = settings
        self._file: Any = None
        self._types: dict[str, Any] = {}
        self._period_ns: float | None = settings.sample_period_ns

    def _open(self, stack: ExitStack) -> None:
        uproot = require_module("uproot", extra="root")
        part = stack.enter_context(complete_or_absent(self._path))
        self._file = stack.enter_context(uproot.recreate(part, compression=uproot.ZSTD(1)))
        stack.callback(setattr, self, "_file", None)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If length, type, columns or sampling period change: a tree has one kind of row, a file one period.
        """
        if self._file is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        columns = {"samples": pulses.samples} | {
            name: values for name, values in pulses.columns().items() if name != "entry"
        }
        types = {name: (values.dtype, values.shape[1:]) for name, values in columns.items()}
        if not self._types:
            self._types = types
            self._period_ns = pulses.sample_period_ns or self._period_ns
            self._file.mktree(TREE, types, title=TITLE)
        if types != self._types or pulses.sample_period_ns not in (None, self._period_ns):
            raise DataError(
                f"{self._path}: all pulses of a tree must be alike: expected {_kind(self._types, self._period_ns)}; "
                f"got {_kind(types, pulses.sample_period_ns)}; write them into files of their own"
            )
        self._file[TREE].extend({name: np.ascontiguousarray(values) for name, values in columns.items()})

    def _finish(self) -> None:
        if not self._types:
            raise DataError("no pulses to write, and a ROOT tree must know how long they are")
        settings = self._settings.merged(sample_period_ns=self._period_ns)
        self._file[SETTINGS_KEY] = json.dumps(settings.model_dump(exclude_none=True))
        self._file[COMMAND_LINE_KEY] = command_line()


def _kind(types: dict[str, Any], period_ns: float | None) -> str:
    dtype, (n_samples,) = types["samples"]
    return f"{n_samples} samples of {dtype} every {period_ns} ns with {', '.join(list(types)[1:]) or 'no columns'}"


def open_writer(path: Path, settings: DetectorSettings) -> RootWriter:
    """Open a ROOT file for writing."""
    return RootWriter(path, settings)
