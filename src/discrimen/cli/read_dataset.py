"""Labelled files into memory, with what a user is told on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from discrimen.cli import common
from discrimen.errors import DataError
from discrimen.formats.inputs import InputOptions
from discrimen.runs.dataset import Dataset, load_dataset


def require_labels(files: Sequence[Path], inputs: InputOptions) -> None:
    """Look into the beginning of each file for labels, before anything slow is done.

    Raises
    ------
    DataError
        If a file has none.
    """
    for path in files:
        first = next(iter(inputs.open(path).chunks()), None)
        if first is not None and first.label is None:
            raise DataError(f"{path}: the pulses have no labels; make a data set with 'discrimen label'")


def read_dataset(files: Sequence[Path], inputs: InputOptions) -> Dataset:
    """Read labelled files as one data set; progress and what was left out go to standard error.

    Raises
    ------
    DataError, FormatError, SettingsError
        As :func:`discrimen.runs.dataset.load_dataset`.
    """
    readers = [inputs.open(path) for path in files]
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        dataset = load_dataset(readers, on_progress=tick)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    return dataset
