"""Rows of scores, and what every file of scores shares, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.output.files import complete_or_absent
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at
from discrimen.pulses import COLUMNS

OUTSIDE = "outside"
"""Name of the column that says in what a pulse is unlike those that the model has seen."""

PILE_UP = "pile_up"
"""Name of the column that says whether a record holds a second pulse."""

HEIGHT = "height_adc"
"""Name of the column that thresholds follow."""

_TYPES = MappingProxyType(
    {name: COLUMNS[name] for name in ("timestamp_ps", "board", "channel", "flags")}
    | {
        OUTSIDE: np.dtype(np.uint16),
        PILE_UP: np.dtype(np.uint8),
        HEIGHT: np.dtype(np.float32),
        "class_number": np.dtype(np.int8),
        "energy_kevee": np.dtype(np.float32),
        "long_charge_adc_ns": np.dtype(np.float32),
        "psd": np.dtype(np.float32),
    }
)

OPTIONAL_COLUMNS = tuple(_TYPES)
"""Columns that a file of scores may lack: what the run does not tell, what the model does not know, or nobody asked."""

SCORE_PREFIX = "score_"
"""Before the name of the class in the name of a column."""


def column_type(name: str) -> np.dtype[Any]:
    """Return the type of a column of a file of scores.

    Raises
    ------
    DataError
        If no file of scores has such a column.
    """
    if name.startswith(SCORE_PREFIX):
        return np.dtype(np.float32)
    types = {"entry": COLUMNS["entry"], **_TYPES}
    if name not in types:
        raise DataError(f"there is no column '{name}'")
    return types[name]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class ScoreRows(Summarised):
    """Scores of some pulses of one run file.

    Parameters
    ----------
    entry : ndarray of int64, shape (pulse,)
        Position of each pulse in the run file, counting every event.
    score : ndarray of float32, shape (pulse, class)
        From 0 to 1; NaN for a pulse that could not be prepared.
    timestamp_ps : ndarray of int64, optional
        Trigger time in ps.
    board, channel : ndarray of int32, optional
        Where the pulse was digitised.
    flags : ndarray of uint32, optional
        Bits of :class:`~discrimen.pulses.PulseFlag`.
    outside : ndarray of uint16, optional
        Bits of :class:`~discrimen.network.domain.Outside`.
    pile_up : ndarray of uint8, optional
        Bits of :class:`~discrimen.scoring.pile_up.PileUp`.
    height_adc : ndarray of float32, optional
        The highest sample of the window above the baseline, in ADC counts; NaN for a pulse that could not be prepared.
    class_number : ndarray of int8, optional
        Which class the pulse counts as, -1 for one without scores.
    energy_kevee, long_charge_adc_ns : ndarray of float32, optional
        Light, or where the run is not calibrated the charge over the long gate.
    psd : ndarray of float32, optional
        :data:`~discrimen.pulse_shape.charge.PSD_DEFINITION`.

    Raises
    ------
    DataError
        If a shape does not fit.
    """

    entry: NDArray[np.int64]
    score: NDArray[np.float32]
    timestamp_ps: NDArray[np.int64] | None = None
    board: NDArray[np.int32] | None = None
    channel: NDArray[np.int32] | None = None
    flags: NDArray[np.uint32] | None = None
    outside: NDArray[np.uint16] | None = None
    pile_up: NDArray[np.uint8] | None = None
    height_adc: NDArray[np.float32] | None = None
    class_number: NDArray[np.int8] | None = None
    energy_kevee: NDArray[np.float32] | None = None
    long_charge_adc_ns: NDArray[np.float32] | None = None
    psd: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.score.ndim != 2 or len(self.score) != len(self.entry):
            raise DataError(f"scores must have shape ({len(self.entry)}, class), got {self.score.shape}")
        for name in OPTIONAL_COLUMNS:
            values = getattr(self, name)
            if values is not None and values.shape != (len(self.entry),):
                raise DataError(f"column '{name}' must have shape ({len(self.entry)},), got {values.shape}")

    def __len__(self) -> int:
        return len(self.entry)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> ScoreRows:
        """Select pulses by a slice, a boolean mask or an array of positions; a single position gives one row."""
        rows = rows_at(index, len(self))
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        taken: dict[str, Any] = {name: None if value is None else value[rows] for name, value in values.items()}
        return ScoreRows(**taken)

    def columns(self, classes: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return the columns that are present, each with its own type, the scores by class.

        Raises
        ------
        DataError
            If there is not one score for each class.
        """
        if self.score.shape[1] != len(classes):
            expected = f"{len(classes)} classes ({', '.join(classes)})"
            raise DataError(f"expected scores of {expected}, got {self.score.shape[1]}")
        present = {"entry": self.entry} | {
            name: getattr(self, name) for name in OPTIONAL_COLUMNS if getattr(self, name) is not None
        }
        typed = {name: np.asarray(values, dtype=column_type(name)) for name, values in present.items()}
        scores = {SCORE_PREFIX + name: self.score[:, index] for index, name in enumerate(classes)}
        return typed | {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in scores.items()}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ScoreTable(Summarised, Tabular):
    """A whole file of scores.

    Parameters
    ----------
    rows : ScoreRows
        All pulses, in the order of the file.
    classes : tuple of str
        Names of the classes, one a column of scores.
    attributes : mapping of str to str
        Provenance.
    """

    rows: ScoreRows
    classes: tuple[str, ...]
    attributes: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> ScoreTable:
        """Select pulses by a slice, a boolean mask or an array of positions; a single position gives one row."""
        return replace(self, rows=self.rows[index])

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns of the file."""
        return self.rows.columns(self.classes)

    def table_remarks(self) -> dict[str, str]:
        """Return the provenance."""
        return dict(self.attributes)

    def summary(self) -> dict[str, str]:
        """Return how many rows there are, classes and columns, for people."""
        told = {"pulses": str(len(self)), "classes": ", ".join(self.classes)}
        return {**told, "columns": ", ".join(self.table_columns())}


class StagedScoreWriter(ABC):
    """A file of scores that appears under its final name only when the `with` block ends well.

    Parameters
    ----------
    path : Path
        The final name.
    classes : sequence of str
        Names of the classes.
    attributes : mapping of str to str
        Provenance.
    """

    def __init__(self, path: Path, *, classes: Sequence[str], attributes: Mapping[str, str]) -> None:
        self._path = path
        self._classes = tuple(classes)
        self._attributes = dict(attributes)
        self._stack = ExitStack()
        self._names: tuple[str, ...] | None = None

    def __enter__(self) -> Self:
        self._stack.enter_context(self._staged())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, rows: ScoreRows) -> None:
        """Append rows; see :class:`~discrimen.scoring.scores.ScoreWriter`."""
        columns = rows.columns(self._classes)
        if self._names is None:
            self._begin(columns)
            self._names = tuple(columns)
        if self._names != tuple(columns):
            told = f"first {', '.join(self._names)}, now {', '.join(columns)}"
            raise DataError(f"{self._path}: rows of one file must have the same columns; {told}")
        self._append(columns)

    @contextmanager
    def _staged(self) -> Iterator[None]:
        with complete_or_absent(self._path) as part, self._open(part):
            yield
            if self._names is None:
                self.write(_no_rows(len(self._classes)))
            self._complete()

    @abstractmethod
    def _open(self, part: Path) -> AbstractContextManager[None]:
        """Open the file at a temporary place, and close it."""

    @abstractmethod
    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Learn names and types of the columns."""

    @abstractmethod
    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Write some rows."""

    @abstractmethod
    def _complete(self) -> None:
        """Write what is still to be written, when all rows have come."""


def table_of(columns: Mapping[str, NDArray[Any]], attributes: Mapping[str, str]) -> ScoreTable:
    """Put a table together from the columns of a file.

    Raises
    ------
    DataError
        If columns are missing.
    """
    classes = tuple(name.removeprefix(SCORE_PREFIX) for name in columns if name.startswith(SCORE_PREFIX))
    if "entry" not in columns or not classes:
        raise DataError(f"expected columns entry and {SCORE_PREFIX}CLASS, got: {', '.join(columns) or 'none'}")
    score = np.stack([columns[SCORE_PREFIX + name] for name in classes], axis=1)
    optional = {name: columns[name] for name in OPTIONAL_COLUMNS if name in columns}
    rows = ScoreRows(entry=columns["entry"], score=score, **optional)
    return ScoreTable(rows, classes, MappingProxyType(dict(attributes)))


def _no_rows(n_classes: int) -> ScoreRows:
    return ScoreRows(entry=np.empty(0, dtype=np.int64), score=np.empty((0, n_classes), dtype=np.float32))
