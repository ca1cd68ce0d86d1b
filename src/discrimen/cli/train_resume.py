"""``discrimen train --resume``: go on with a training that was broken off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from discrimen.cli import common
from discrimen.cli.given_options import given_options
from discrimen.cli.input_options import INPUT_OPTION_NAMES
from discrimen.cli.train_clean import CleanFiles
from discrimen.cli.train_contamination import soft_labels_of_all
from discrimen.cli.train_hits import resumed_on_hits
from discrimen.cli.train_task import require_columns
from discrimen.cli.train_told import EpochBar
from discrimen.formats.inputs import InputOptions
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.runs.hits_dataset import HitsDataset, are_hits_files
from discrimen.training import TrainingConfig, TrainingResult, resume
from discrimen.training.resumed import read_unfinished

_ALLOWED = {"datasets", "clean", "components", "resume", "json", *INPUT_OPTION_NAMES}


def resumed_training(
    context: typer.Context, datasets: Sequence[Path], folder: Path, inputs: InputOptions, *, beside: CleanFiles
) -> tuple[TrainingResult, Dataset | HitsDataset]:
    """Read the data again and go on.

    Raises
    ------
    typer.BadParameter
        If options are given that belong to the beginning of a training.
    DiscrimenError
        As :func:`discrimen.training.resume`.
    """
    for name, option in given_options(context).items():
        if name not in _ALLOWED:
            raise typer.BadParameter(f"{option}: --resume goes on with the options that the training began with")
    unfinished = read_unfinished(folder)
    config = unfinished.config
    common.log(f"{folder}: going on after epoch {len(unfinished.records)} of at most {config.epochs}")
    if are_hits_files(datasets):
        return resumed_on_hits(datasets, folder, inputs, config=config, clean=beside.clean)
    dataset = read_training_data(datasets, inputs, config)
    targets, _ = beside.targets(datasets, dataset, inputs, config.task)
    parted = config.split_of(dataset.pulses, files=dataset.files)
    with common.progress("training", total=config.epochs - len(unfinished.records)) as tick:
        return resume(dataset.pulses, folder, targets=targets, split=parted, progress=EpochBar(tick)), dataset


def read_training_data(datasets: Sequence[Path], inputs: InputOptions, config: TrainingConfig) -> Dataset:
    """Read all that the task learns from; progress and what was left out go to standard error."""
    readers = [inputs.open(path) for path in datasets]
    require_columns(readers, config.task)
    labelled = bool(config.task.classes)
    soft = labelled and config.soft_labels
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        dataset = load_dataset(
            readers, transforms=soft_labels_of_all(readers, wanted=soft), labelled=labelled, on_progress=tick
        )
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    return dataset
