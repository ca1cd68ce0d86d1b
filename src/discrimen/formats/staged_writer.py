"""What the writers of run files share: a file appears under its final name only when all of it is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self


class StagedWriter(ABC):
    """Half of a :class:`~discrimen.formats.base.Writer`: opening and closing.

    Parameters
    ----------
    path : Path
        The final name.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._finish()

    @abstractmethod
    def _open(self, stack: ExitStack) -> None:
        """Open what is written to, at a temporary name; the stack closes it."""

    def _finish(self) -> None:  # noqa: B027 - most formats have nothing left to write
        """Write what is still to be written when all pulses have come."""
