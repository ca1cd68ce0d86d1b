"""One bad file or channel among many: the others are worked on, the bad ones are listed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from discrimen.cli import common
from discrimen.errors import DiscrimenError


class FailedFiles:
    """Collects the faults of single files where there are several; the fault of an only file ends the command.

    Parameters
    ----------
    n_files : int
        How many files the command works on.
    what : str
        What the files stand for, for people.
    """

    def __init__(self, n_files: int, *, what: str = "files") -> None:
        self._n_files, self._what = n_files, what
        self._faults: dict[Path | str, str] = {}

    @contextmanager
    def noting(self, path: Path | str) -> Iterator[None]:
        """Work on one file; its fault is said at once and kept for the end."""
        try:
            yield
        except DiscrimenError as error:
            if self._n_files == 1:
                raise
            self._faults[path] = str(error)
            common.log(f"discrimen: {error}")

    def as_list(self) -> list[dict[str, str]]:
        """Return plain data, ready for JSON."""
        return [{"input": str(path), "error": fault} for path, fault in self._faults.items()]

    def exit_if_any(self) -> None:
        """List the bad files and end with status 1, if there are any."""
        if self._faults:
            names = ", ".join(map(str, self._faults))
            common.log(f"discrimen: {len(self._faults)} of {self._n_files} {self._what} failed, see above: {names}")
            raise typer.Exit(1)
