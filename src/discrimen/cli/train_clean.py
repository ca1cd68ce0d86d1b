"""``discrimen train --clean``: the clean records that a denoiser learns to give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from discrimen.cli.input_options import InputOptions
from discrimen.errors import DataError
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.training.tasks.reconstruction import CLEAN

_KEYS = ("entry", "timestamp_ps", "board", "channel")
"""What two records of one pulse have in common."""

CleanOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="With --task reconstruction: clean records of the same pulses, a file for each data set in their order, "
        "as simulate --clean writes them; repeatable. docs/denoise.md",
        show_default=False,
    ),
]


def clean_targets(
    clean: Sequence[Path], datasets: Sequence[Path], dataset: Dataset, inputs: InputOptions
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the clean records of the pulses of a data set.

    Returns
    -------
    targets : dict of str to ndarray, shape (pulse, sample)
        Empty without such files.
    provenance : dict
        Name, SHA-256 and number of pulses of each file.

    Raises
    ------
    typer.BadParameter
        If there is not one file for each data set.
    DataError
        If the records are not of the same pulses.
    """
    if not clean:
        return {}, {}
    if len(clean) != len(datasets):
        raise typer.BadParameter(f"--clean: {len(clean)} files for {len(datasets)} data sets; give one for each")
    found = load_dataset([inputs.open(path) for path in clean], labelled=False)
    for noisy, bare, path in zip(dataset.files, found.files, clean, strict=True):
        if noisy["n_pulses"] != bare["n_pulses"]:
            raise DataError(
                f"{path}: {bare['n_pulses']} clean records for the {noisy['n_pulses']} pulses of {noisy['name']}: give "
                "the file that was written with it, and label no pulse away"
            )
    _require_same_pulses(dataset, found)
    return {CLEAN: found.pulses.samples}, {"clean_files": list(found.files)}


def _require_same_pulses(noisy: Dataset, clean: Dataset) -> None:
    if noisy.pulses.n_samples != clean.pulses.n_samples:
        raise DataError(
            f"the clean records have {clean.pulses.n_samples} samples, the pulses {noisy.pulses.n_samples}: they "
            "must be of the same pulses"
        )
    clean_columns = clean.pulses.columns()
    for name, column in noisy.pulses.columns().items():
        if name in _KEYS and name in clean_columns and not np.array_equal(column, clean_columns[name]):
            first = int(np.flatnonzero(column != clean_columns[name])[0])
            raise DataError(
                f"the clean records are of other pulses: {name} of pulse {first} is {column[first]}, that of its clean "
                f"record {clean_columns[name][first]}; give the files that were written together, in one order"
            )
