"""``discrimen train``: one training, from the data sets to the folder of the model; or one for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from discrimen.cli import common
from discrimen.cli.failed_files import FailedFiles
from discrimen.cli.train_clean import CleanFiles
from discrimen.cli.train_contamination import chosen_contamination
from discrimen.cli.train_resume import read_training_data
from discrimen.cli.train_task import audited
from discrimen.cli.train_told import EpochBar, as_dict, stop_if_interrupted, tell
from discrimen.formats.channel_selection import selection_of_each
from discrimen.formats.inputs import InputOptions
from discrimen.network.preparation import Alignment, Scale
from discrimen.network.prepare import choose_preparation
from discrimen.pulses.array import settings_of_model
from discrimen.pulses.places import Place
from discrimen.runs.dataset import Dataset
from discrimen.training import Classification, TrainingConfig, TrainingResult
from discrimen.training import train as run_training
from discrimen.training.model_folder import require_free


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWish:
    """What to train, beside the channels and the folder.

    Parameters
    ----------
    datasets : sequence of Path
        Labelled.
    config : TrainingConfig
        How to train.
    contamination : str or None
        Share of wrong labels, as the option says it.
    beside : CleanFiles
        Clean records, or the components of records, where the task learns from them.
    scale, window, alignment
        Of the preparation; the window as first sample and length.
    accept : bool
        Whether to train in spite of errors of the audit.
    overwrite : bool
        Whether to replace a model.
    """

    datasets: Sequence[Path]
    config: TrainingConfig
    contamination: str | None
    beside: CleanFiles
    scale: Scale
    window: tuple[int, int] | None
    alignment: Alignment | None
    accept: bool
    overwrite: bool

    def train(self, inputs: InputOptions, folder: Path, *, only: Place | None = None) -> tuple[TrainingResult, Dataset]:
        """Read the data and train; a model of `only` one channel says so, and takes no other."""
        dataset, config = read_training_data(self.datasets, inputs, self.config), self.config
        targets, clean_files = self.beside.targets(self.datasets, dataset, inputs, config.task)
        if only is not None:
            dataset = replace(dataset, settings=settings_of_model(dataset.settings, [only]))
        if isinstance(config.task, Classification):
            known = chosen_contamination(self.contamination, self.datasets, dataset, soft=config.soft_labels)
            config = replace(config, contamination=known)
        parted = config.split_of(dataset.pulses, files=dataset.files)
        audit = audited(dataset, parted, config.task, accept=self.accept)
        common.log(parted.describe())
        start, length = self.window or (0, None)
        preparation = choose_preparation(
            dataset.settings,
            n_samples=dataset.pulses.n_samples,
            scale=self.scale,
            window_start=start,
            window_length=length,
            alignment=self.alignment,
        )
        title = "training" if only is None else f"training {only}"
        with common.progress(title, total=config.epochs) as tick:
            result = run_training(
                dataset.pulses,
                preparation,
                config,
                folder=folder,
                targets=targets,
                settings=dataset.settings,
                provenance={"files": list(dataset.files), "audit": audit} | clean_files,
                overwrite=self.overwrite,
                progress=EpochBar(tick),
                split=parted,
            )
        return result, dataset


def train_each_channel(wish: TrainingWish, inputs: InputOptions, folder: Path, *, json: bool) -> None:
    """Train a model for each channel, into a folder of its own; a channel that fails does not stop the others.

    The data are read once for each channel, so that never more than the pulses of one are in memory.
    """
    require_free(folder)
    selections = selection_of_each([inputs.open(path) for path in wish.datasets])
    folders = {place: folder / place.file_name for place in selections}
    if not wish.overwrite:
        for own in folders.values():
            require_free(own)
    failures = FailedFiles(len(folders), what="channels")
    told = []
    for place, selection in selections.items():
        with failures.noting(folders[place]):
            common.log(f"{place}, into {folders[place]}")
            result, dataset = wish.train(replace(inputs, selection=selection), folders[place], only=place)
            if json:
                told.append({**place._asdict(), **as_dict(result, dataset)})
                stop_if_interrupted(result)
            else:
                tell(result, dataset, json=False)
    if json:
        common.emit_json({"folder": str(folder), "models": told, "failed": failures.as_list()})
    failures.exit_if_any()
