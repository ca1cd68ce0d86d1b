"""The score of every pulse as a file: one data set a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import OutputError
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import Hdf5Output, hdf5_output
from discrimen.pulses import Pulses
from discrimen.pulses.places import board_and_channel
from discrimen.reconstruction.quality.look import Mark
from discrimen.reconstruction.quality.run import PulseScores

SUFFIX = ".h5"
_CHUNK_ROWS = 16_384


class PulseScoreWriter:
    """Writes scores and marks of pulses, or nothing.

    Parameters
    ----------
    output : Hdf5Output or None
        The open file.
    """

    def __init__(self, output: Hdf5Output | None) -> None:
        self._output = output
        self._n_read: dict[tuple[int, int, int], int] = {}

    def of_run(self, number: int) -> PulseScores:
        """Return what takes the pulses of one run."""

        def take(pulses: Pulses, score: NDArray[np.float32], marks: NDArray[np.uint16]) -> None:
            if self._output is not None:
                self._write(number, pulses, score, marks)

        return take

    def _write(self, number: int, pulses: Pulses, score: NDArray[np.float32], marks: NDArray[np.uint16]) -> None:
        assert self._output is not None
        columns: dict[str, NDArray[Any]] = {"run": np.full(len(pulses), number, np.int32), **board_and_channel(pulses)}
        for name in ("entry", "timestamp_ps"):
            if (values := getattr(pulses, name)) is not None:
                columns[name] = values
        self._append({**columns, "score": score, "marks": marks})
        self._output.check()

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        assert self._output is not None
        file = self._output.file
        for name, values in columns.items():
            if name not in file:
                file.create_dataset(name, (0,), values.dtype, maxshape=(None,), chunks=(_CHUNK_ROWS,))
            data = file[name]
            data.resize(len(data) + len(values), axis=0)
            data[len(data) - len(values) :] = values


@contextmanager
def pulse_scores_writer(path: Path | None, *, model_sha256: str) -> Iterator[PulseScoreWriter]:
    """Open a file for scores, which appears when it is complete; without a path nothing is written.

    Raises
    ------
    OutputError
        If the name is no HDF5 file's, or writing fails.
    """
    if path is None:
        yield PulseScoreWriter(None)
        return
    if path.suffix != SUFFIX:
        raise OutputError(f"scores of pulses are a {SUFFIX} file, got {path.name}")
    with complete_or_absent(path) as part, hdf5_output(part) as output:
        output.file.attrs["model_sha256"] = model_sha256
        output.file.attrs["marks"] = ", ".join(f"{mark.value} {str(mark.name).lower()}" for mark in Mark)
        yield PulseScoreWriter(output)
