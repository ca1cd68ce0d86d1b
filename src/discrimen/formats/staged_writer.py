"""What the writers of run files share: a file appears under its final name only when all of it is written.

Some can let it grow under its final name instead, for programs that follow a file while it is written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from discrimen.errors import OutputError
from discrimen.output.files import complete_or_absent


class StagedWriter(ABC):
    """Half of a :class:`~discrimen.formats.base.Writer`: opening and closing.

    Parameters
    ----------
    path : Path
        The final name.
    grows : bool
        Whether the run file is there from the start, under its final name, and holds all that was written so far.
    """

    def __init__(self, path: Path, *, grows: bool = False) -> None:
        self._path = Path(path)
        self._grows = grows
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

    def _open_run_file(self, stack: ExitStack) -> BinaryIO:
        """Open the run file, at a temporary name or as a new file that grows; the stack closes it.

        Raises
        ------
        OutputError
            If it cannot be written, or is there already and should grow.
        """
        if not self._grows:
            return stack.enter_context(stack.enter_context(complete_or_absent(self._path)).open("wb"))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return stack.enter_context(_Prompt(self._path.open("xb", buffering=0)))
        except FileExistsError as error:
            raise OutputError(f"{self._path} is there already: a run file grows from nothing, name another") from error
        except OSError as error:
            raise OutputError(f"{self._path}: cannot write: {error.strerror or error}") from error


class _Prompt(BufferedWriter):
    """A file that keeps nothing back."""

    def write(self, content: Any) -> int:
        n_bytes = super().write(content)
        self.flush()
        return n_bytes
