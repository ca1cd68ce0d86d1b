"""The exception tree of the package.

::

    DiscrimenError             something the user can correct; the command line prints it as one line, exit status 1
    |-- DataError              pulses or columns that contradict themselves or do not fit the task
    |-- FormatError            a file is not what it should be; carries the file and the byte offset
    |-- SettingsError          detector settings, options or a model description are missing or contradict the data
    |-- OutputError            a result cannot be written (no permission, disk full, already there)
    |-- FetchError             a file cannot be had from the network, or is not what was promised
    |-- ClusterError           a scheduler or its workers are not there, or not as this side
    |-- MissingExtraError      an optional dependency is not installed; names the extra
    `-- DeviceError            the wished device (CPU, GPU) is not there

Every message says what was expected, what came, where, and how to correct it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType


class DiscrimenError(Exception):
    """Base of all errors that the user of the package can correct."""


class DataError(DiscrimenError):
    """Pulses or columns contradict themselves or do not fit the task."""


class FormatError(DiscrimenError):
    """A file is not what it should be.

    Parameters
    ----------
    problem : str
        What was expected, what came, and how to correct it.
    path : Path
        The file at fault.
    offset : int, optional
        Where in the file, in bytes.
    """

    def __init__(self, problem: str, path: Path | str, offset: int | None = None) -> None:
        self.path = Path(path)
        self.offset = offset
        where = f"{path}" if offset is None else f"{path}, byte {offset}"
        super().__init__(f"{where}: {problem}")


class SettingsError(DiscrimenError):
    """Detector settings, options or a model description are missing or contradict the data."""


class OutputError(DiscrimenError):
    """A result cannot be written: no permission, disk full, or it would overwrite something else."""


class FetchError(DiscrimenError):
    """A file cannot be had from the network, or what came is not what was promised."""


class ClusterError(DiscrimenError):
    """The scheduler of a cluster cannot be reached or is gone, or its workers are not as this side."""


class MissingExtraError(DiscrimenError):
    """An optional dependency is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"the Python module '{module}' is not installed: pip install 'discrimen[{extra}]'")


class DeviceError(DiscrimenError):
    """The wished device is not there; the package never falls back to another in silence."""


def require_module(module: str, *, extra: str) -> ModuleType:
    """Import an optional dependency, or say in one line which extra brings it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of this package that installs it.

    Raises
    ------
    MissingExtraError
        If the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name):
            raise
        raise MissingExtraError(module, extra) from error
