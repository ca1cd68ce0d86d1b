"""The codes file: pulses as the code of an auto-encoder, in HDF5.

Attributes of the root say what decodes it (SHA-256 of the frozen model, quantisation steps), what the records were
(length, type, sampling period, detector settings), and what became of the pulses. The data sets, each row a pulse and
each column a chunk of its own, are shuffled, compressed by Zstandard and guarded by checksums:

- ``codes`` (encoded pulse, number): whole steps, as zigzag integers (0, -1, 1, -2, ... as 0, 1, 2, 3, ...);
- ``baseline`` (encoded pulse): steps above the attribute ``baseline_reference_adc``, zigzag;
- ``divisor`` (encoded pulse): steps, only if the model divides pulses by their height or area;
- ``kept/position`` and ``kept/samples``: pulses that were not encoded, as recorded, and their rows among all;
- ``columns/...`` (pulse): what the digitizer and the analysis know; times and entries as differences.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, require_module
from discrimen.network.prepare import Restoration
from discrimen.pulses import COLUMNS

LAYOUT = 1
LAYOUT_ATTRIBUTE = "discrimen_codes"
HEADER_ATTRIBUTE = "header"
COUNTS_ATTRIBUTE = "counts"
LEVEL_STEP_ADC = 0.25
"""Step of baselines and divisors: a twelfth of the noise of most digitizers, and of no weight in the file."""

MOST_STEPS = 2**15 - 1
"""A code further from 0 than this is not stored as a code."""

ROWS = 2**16
"""Of a chunk."""

DIFFERENCES = ("entry", "timestamp_ps")
"""Columns that are stored as differences from one pulse to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesHeader:
    """What a codes file says of all its pulses.

    Parameters
    ----------
    model_sha256 : str
        Of the frozen file that made the codes, and that alone decodes them.
    step : float
        Of the quantisation of the codes.
    code_length : int
        Numbers in a code.
    n_samples : int
        Of a record.
    samples_dtype : str
        Of the recorded samples.
    sample_period_ns : float
        Time between samples.
    baseline_reference_adc : float
        What baselines are counted from.
    with_divisor : bool
        Whether the model divides pulses.
    settings : mapping
        Of the detector.
    inputs : tuple of str
        Names of the run files.
    """

    model_sha256: str
    step: float
    code_length: int
    n_samples: int
    samples_dtype: str
    sample_period_ns: float
    baseline_reference_adc: float
    with_divisor: bool
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CodedPulses:
    """Some pulses of a codes file.

    Parameters
    ----------
    encoded : ndarray of bool, shape (pulse,)
        Which ones are codes; the others are kept as recorded.
    steps : ndarray of int, shape (encoded pulse, number)
        Codes in steps.
    restoration : Restoration
        Of the encoded pulses.
    kept : ndarray, shape (other pulse, sample)
        As recorded.
    columns : mapping of str to ndarray
        One value a pulse.
    """

    encoded: NDArray[np.bool_]
    steps: NDArray[Any]
    restoration: Restoration
    kept: NDArray[Any]
    columns: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class CodesFile:
    """A codes file, open for reading.

    Parameters
    ----------
    path : Path
        The file.
    header : CodesHeader
        Of all pulses.
    counts : mapping
        What became of the pulses when they were encoded.
    file : h5py.File
        Open.
    """

    path: Path
    header: CodesHeader
    counts: Mapping[str, Any]
    file: h5py.File

    @property
    def n_pulses(self) -> int:
        """How many pulses, encoded or kept."""
        return len(self.file["codes"]) + len(self.file["kept/position"])

    def chunks(self) -> Iterator[CodedPulses]:
        """Yield all pulses in their order.

        Raises
        ------
        FormatError
            If the file is damaged.
        """
        try:
            yield from self._chunks()
        except (OSError, KeyError, ValueError, IndexError) as error:
            raise FormatError(f"this codes file is damaged: {error}", self.path) from error

    def _chunks(self) -> Iterator[CodedPulses]:
        positions = self.file["kept/position"][:]
        if len(positions) and not (
            positions[0] >= 0 and positions[-1] < self.n_pulses and (np.diff(positions) > 0).all()
        ):
            raise ValueError(f"the kept records do not lie one after the other among {self.n_pulses} pulses")
        last: dict[str, np.int64] = {}
        first_code = first_kept = 0
        for start in range(0, self.n_pulses, ROWS):
            rows = slice(start, min(start + ROWS, self.n_pulses))
            encoded = np.ones(rows.stop - rows.start, np.bool_)
            encoded[positions[(positions >= rows.start) & (positions < rows.stop)] - start] = False
            codes = slice(first_code, first_code + int(encoded.sum()))
            kept = slice(first_kept, first_kept + int((~encoded).sum()))
            yield CodedPulses(
                encoded=encoded,
                steps=unzigzag(self.file["codes"][codes]),
                restoration=self._restoration(codes),
                kept=self.file["kept/samples"][kept],
                columns=self._columns(rows, last),
            )
            first_code, first_kept = codes.stop, kept.stop

    def _restoration(self, codes: slice) -> Restoration:
        above: NDArray[np.float64] = unzigzag(self.file["baseline"][codes]).astype(np.float64) * LEVEL_STEP_ADC
        divisor = np.ones(len(above))
        if self.header.with_divisor:
            divisor = self.file["divisor"][codes] * LEVEL_STEP_ADC
        baseline_adc = above[:, np.newaxis] + self.header.baseline_reference_adc
        return Restoration(np.zeros(len(above), np.float32), divisor, baseline_adc)

    def _columns(self, rows: slice, last: dict[str, np.int64]) -> dict[str, NDArray[Any]]:
        columns = {}
        for name in self.file.get("columns", ()):
            values = self.file["columns"][name][rows]
            if name in DIFFERENCES:
                values = last.get(name, np.int64(0)) + np.cumsum(values, dtype=np.int64)
                last[name] = values[-1]
            columns[name] = values
        return columns


@contextmanager
def open_codes(path: Path | str) -> Iterator[CodesFile]:
    """Open a codes file.

    Raises
    ------
    FormatError
        If it is none, truncated, of a newer layout, or contradicts itself.
    MissingExtraError
        If what undoes the compression is not installed.
    """
    require_module("hdf5plugin", extra="codes")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FormatError(f"this is no codes file, or only a part of one: {error}", path) from error
    with file:
        layout = file.attrs.get(LAYOUT_ATTRIBUTE)
        if layout is None:
            raise FormatError("this is no codes file: 'discrimen encode' makes one", path)
        if layout != LAYOUT:
            raise FormatError(f"its layout is {layout}, this version knows {LAYOUT}: update discrimen", path)
        yield _checked(Path(path), file)


def _checked(path: Path, file: h5py.File) -> CodesFile:
    try:
        header = CodesHeader(**json.loads(file.attrs[HEADER_ATTRIBUTE]))
        counts = json.loads(file.attrs[COUNTS_ATTRIBUTE])
        found = CodesFile(path, header, counts, file)
        lengths = {name: len(values) for name, values in file.get("columns", {}).items()}
        shapes = file["codes"].shape[1], file["kept/samples"].shape[1]
        rows = len(file["baseline"]), len(file["kept/samples"])
        wanted_rows = len(file["codes"]), len(file["kept/position"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"this codes file is damaged: {error}", path) from error
    if shapes != (header.code_length, header.n_samples):
        raise FormatError(
            f"codes of {shapes[0]} numbers and records of {shapes[1]} samples, but its header says "
            f"{header.code_length} and {header.n_samples}",
            path,
        )
    strange = {name: length for name, length in lengths.items() if length != found.n_pulses or name not in COLUMNS}
    if strange or rows != wanted_rows or counts.get("n_pulses") != found.n_pulses:
        raise FormatError(
            f"{found.n_pulses} pulses, but {rows} baselines and kept records for {wanted_rows}, columns {strange}, "
            f"{counts.get('n_pulses')} counted: this codes file is damaged",
            path,
        )
    return found


def stored_restoration(restoration: Restoration, header: CodesHeader) -> Restoration:
    """Return the way back of pulses as a codes file keeps it: baselines and divisors in whole steps."""
    reference = header.baseline_reference_adc
    above = np.rint((restoration.baseline_adc - reference) / LEVEL_STEP_ADC) * LEVEL_STEP_ADC
    divisor = np.rint(restoration.divisor / LEVEL_STEP_ADC) * LEVEL_STEP_ADC if header.with_divisor else 1.0
    return Restoration(restoration.start, np.broadcast_to(divisor, restoration.divisor.shape), above + reference)


def zigzag(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return signed integers as ones that are not negative, small ones for small sizes."""
    wide = values.astype(np.int64)
    folded: NDArray[np.int64] = (wide << 1) ^ (wide >> 63)
    return folded


def unzigzag(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return what :func:`zigzag` was given."""
    wide = values.astype(np.int64)
    unfolded: NDArray[np.int64] = (wide >> 1) ^ -(wide & 1)
    return unfolded
