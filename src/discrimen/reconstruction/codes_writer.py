"""Write a codes file; :mod:`discrimen.reconstruction.codes_file` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.formats.staged_writer import StagedWriter
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import Hdf5Output, hdf5_output
from discrimen.output.provenance import software_versions
from discrimen.pulses import COLUMNS
from discrimen.reconstruction.codes_file import (
    COUNTS_ATTRIBUTE,
    DIFFERENCES,
    HEADER_ATTRIBUTE,
    LAYOUT,
    LAYOUT_ATTRIBUTE,
    LEVEL_STEP_ADC,
    ROWS,
    CodedPulses,
    CodesHeader,
    zigzag,
)

_CACHE_BYTES = 2**25


class CodesWriter(StagedWriter):
    """Writer of one codes file; memory does not grow with what is written.

    Parameters
    ----------
    path : Path
        The final name.
    header : CodesHeader
        Of all pulses.
    """

    def __init__(self, path: Path, header: CodesHeader) -> None:
        super().__init__(path)
        self._header = header
        self._zstd = require_module("hdf5plugin", extra="codes").Zstd(clevel=9)
        self._output: Hdf5Output | None = None
        self._columns: tuple[str, ...] | None = None
        self._n_pulses = 0
        self._last: dict[str, int] = {}

    def _open(self, stack: ExitStack) -> None:
        part = stack.enter_context(complete_or_absent(self._path))
        self._output = stack.enter_context(hdf5_output(part, libver=("v110", "v110"), rdcc_nbytes=_CACHE_BYTES))
        header, file = self._header, self._output.file
        file.attrs[LAYOUT_ATTRIBUTE] = LAYOUT
        file.attrs["discrimen_version"] = software_versions()["discrimen"]
        file.attrs[HEADER_ATTRIBUTE] = json.dumps(asdict(header))
        self._growing("codes", np.uint16, header.code_length)
        self._growing("baseline", np.uint32)
        if header.with_divisor:
            self._growing("divisor", np.uint32)
        self._growing("kept/position", np.int64)
        self._growing("kept/samples", np.dtype(header.samples_dtype), header.n_samples)

    def write(self, pulses: CodedPulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If they have other columns than those before.
        """
        assert self._output is not None
        self._require_same_columns(pulses)
        self._append("codes", zigzag(pulses.steps).astype(np.uint16))
        way_back = pulses.restoration
        above = way_back.baseline_adc[:, 0] - self._header.baseline_reference_adc
        self._append("baseline", zigzag(np.rint(above / LEVEL_STEP_ADC).astype(np.int64)).astype(np.uint32))
        if self._header.with_divisor:
            self._append("divisor", np.rint(way_back.divisor / LEVEL_STEP_ADC).astype(np.uint32))
        self._append("kept/position", self._n_pulses + np.flatnonzero(~pulses.encoded))
        self._append("kept/samples", pulses.kept)
        for name, values in pulses.columns.items():
            self._append(f"columns/{name}", self._differences(name, values) if name in DIFFERENCES else values)
        self._n_pulses += len(pulses.encoded)
        self._output.check()

    def write_counts(self, counts: Mapping[str, Any]) -> dict[str, int]:
        """Write what became of the pulses, and return the bytes that each data set takes."""
        assert self._output is not None
        file = self._output.file
        file.attrs[COUNTS_ATTRIBUTE] = json.dumps({**counts, "n_pulses": self._n_pulses})
        file.flush()
        sizes: dict[str, int] = {}

        def note(name: str, found: Any) -> None:
            if isinstance(found, h5py.Dataset):
                sizes[name] = int(found.id.get_storage_size())

        file.visititems(note)
        return sizes

    def _require_same_columns(self, pulses: CodedPulses) -> None:
        names = tuple(pulses.columns)
        if self._columns is None:
            self._columns = names
            for name in names:
                self._growing(f"columns/{name}", COLUMNS[name])
        elif names != self._columns:
            raise DataError(
                f"all pulses of a codes file have the same columns: expected {', '.join(self._columns)}; got "
                f"{', '.join(names)}; encode these runs into files of their own"
            )

    def _growing(self, name: str, dtype: Any, width: int | None = None) -> None:
        assert self._output is not None
        is_record = name == "kept/samples"
        rows = max(1, ROWS // (width or 1)) if is_record else ROWS
        self._output.file.create_dataset(
            name,
            (0,) if width is None else (0, width),
            np.dtype(dtype),
            maxshape=(None,) if width is None else (None, width),
            chunks=(rows,) if width is None else (rows, width if is_record else 1),
            shuffle=True,
            fletcher32=True,
            **self._zstd,
        )

    def _append(self, name: str, values: NDArray[Any]) -> None:
        assert self._output is not None
        dataset = self._output.file[name]
        start = len(dataset)
        dataset.resize(start + len(values), axis=0)
        if len(values):
            dataset[start:] = values

    def _differences(self, name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
        differences = np.diff(values, prepend=np.int64(self._last.get(name, 0)))
        if len(values):
            self._last[name] = int(values[-1])
        return differences
