"""``--clean``: the clean records of the pulses of data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from numpy.typing import NDArray

from discrimen.cli.input_options import InputOptions
from discrimen.runs.clean_records import clean_samples
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.training.tasks.reconstruction import CLEAN

CleanOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="With --task reconstruction: clean records of the same pulses, a file for each data set in their order, "
        "as simulate --clean writes them; repeatable. docs/denoise.md",
        show_default=False,
    ),
]
JudgingCleanOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--clean",
        metavar="FILE",
        help="Of a model that gives a waveform: clean records to compare with, a file for each data set in their "
        "order; repeatable.",
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
    return {CLEAN: clean_samples(dataset, found)}, {"clean_files": list(found.files)}
