"""Labelled files into memory, with what a user is told on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from discrimen.cli import common
from discrimen.cli.input_options import InputOptions
from discrimen.runs.dataset import Dataset, load_dataset


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
