"""Ranges of branches that threads read before they are asked for, the quick way where all entries are alike."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.root.file import RootTree, reading
from discrimen.formats.root.regular import PendingRows, RegularReader
from discrimen.formats.root.samples import Waveforms, waveforms_from_rows

_MOST_FAILURES = 2
_Range = tuple[str, int, int]


class ReadAhead:
    """A tree whose branches are read the quick way where that goes, and else as the tree reads them.

    A branch that could not be read the quick way twice is not tried again.

    Parameters
    ----------
    tree : RootTree
        The tree.
    """

    def __init__(self, tree: RootTree) -> None:
        self.tree = tree
        self._pending: dict[_Range, PendingRows] = {}
        self._n_failures: dict[str, int] = {}
        with reading(tree.path):
            self._threads = RegularReader(tree.path)

    def __enter__(self) -> Self:
        self._threads.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pending.clear()
        self._threads.__exit__(kind, error, trace)

    def ask(self, name: str, start: int, stop: int, dtype: np.dtype[Any] | None = None) -> None:
        """Begin to read a range of a branch, whose numbers will be asked for as `dtype`."""
        entries = self.tree.branches[name].entries(dtype)
        if not self.tree.is_tree or entries is None or self._n_failures.get(name, 0) >= _MOST_FAILURES:
            return
        try:
            places = self.tree.places(name, start, stop)
            if places and places[-1].first + places[-1].n_entries >= stop:
                with reading(self.tree.path):
                    self._pending[name, start, stop] = self._threads.begin(places, entries, start, stop)
        except FormatError:
            self._fail(name)

    def forget(self, start: int, stop: int) -> None:
        """Give up what was asked for of a range and not taken."""
        for key in [key for key in self._pending if key[1:] == (start, stop)]:
            self._pending.pop(key).cancel()

    def read_scalar(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Read one number an entry, shape (entry,)."""
        rows = self._take(name, start, stop, None)
        return self.tree.read_scalar(name, start, stop) if rows is None else rows[:, 0]

    def read_waveforms(self, name: str, start: int, stop: int, dtype: np.dtype[Any] | None = None) -> Waveforms:
        """Read many numbers an entry; `dtype` reads the same bytes as another type of the same size."""
        rows = self._take(name, start, stop, dtype)
        return self.tree.read_waveforms(name, start, stop, dtype) if rows is None else waveforms_from_rows(rows)

    def _take(self, name: str, start: int, stop: int, dtype: np.dtype[Any] | None) -> NDArray[Any] | None:
        if (name, start, stop) not in self._pending:
            self.ask(name, start, stop, dtype)
        pending = self._pending.pop((name, start, stop), None)
        if pending is None:
            return None
        try:
            with reading(self.tree.path):
                return pending.result()
        except FormatError:
            self._fail(name)
            return None

    def _fail(self, name: str) -> None:
        self._n_failures[name] = self._n_failures.get(name, 0) + 1
