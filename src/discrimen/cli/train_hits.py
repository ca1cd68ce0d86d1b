"""``discrimen train`` on files of hits: many channels, positions in mm or other quantities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discrimen.audit import Severity
from discrimen.audit.of_hits import audit_hits
from discrimen.cli import common
from discrimen.cli.train_clean import require_one_each
from discrimen.cli.train_told import EpochBar
from discrimen.errors import DataError
from discrimen.formats.inputs import InputOptions
from discrimen.network.hits_domain import DOMAIN_KEY, learn_hits_domain
from discrimen.network.preparation import Preparation
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.hits import SEGMENT_NAMES
from discrimen.runs.clean_hits import clean_hits_samples
from discrimen.runs.hits_dataset import HitsDataset, load_hits
from discrimen.runs.hits_file import hits_info
from discrimen.training import TrainingConfig, TrainingResult, resume
from discrimen.training import train as run_training
from discrimen.training.resumed import read_unfinished
from discrimen.training.split import Split
from discrimen.training.tasks import Interactions, Reconstruction, Regression, Task
from discrimen.training.tasks.interactions import COLUMNS
from discrimen.training.tasks.reconstruction import CLEAN

if TYPE_CHECKING:
    from discrimen.cli.train_wish import TrainingWish

CLEAN_FILES = "clean_files"
"""Where the provenance of a model names the files of hits without noise."""

ReferenceOption = Annotated[
    str, typer.Option(metavar="NAME", help="Of hits: the channel that time and gain are taken from. docs/positions.md")
]


def default_of_hits(paths: Sequence[Path], task: str) -> str:
    """Return the architecture for hits: one of neighbours for a crystal of 36 segments and a core."""
    if task == "reconstruction":
        return "neighbours_autoencoder" if hits_info(paths[0]).channels == (*SEGMENT_NAMES, "core") else "mlp"
    return "neighbours" if hits_info(paths[0]).channels == (*SEGMENT_NAMES, "core") else "traces"


def read_hits_files(paths: Sequence[Path], inputs: InputOptions, *, channels: Sequence[str] = ()) -> HitsDataset:
    """Read files of hits into memory; progress goes to standard error."""
    with common.progress("reading", total=None) as tick:
        return load_hits(paths, inputs.read.settings, channels=channels, on_progress=tick)


def trained_on_hits(
    wish: TrainingWish, inputs: InputOptions, folder: Path, *, reference: str
) -> tuple[TrainingResult, HitsDataset]:
    """Read the hits and train.

    Raises
    ------
    typer.BadParameter
        If the task is none for hits.
    DiscrimenError
        As :func:`discrimen.training.train`.
    """
    config = wish.config
    if not isinstance(config.task, Regression | Interactions | Reconstruction):
        raise typer.BadParameter(
            "hits are trained on with --task position, --task regression and --quantity, or --task reconstruction"
        )
    dataset = read_hits_files(wish.datasets, inputs)
    clean = clean_of_hits(wish.beside.clean, wish.datasets, dataset, inputs)
    if not isinstance(config.task, Reconstruction):
        _require_columns(dataset, config.task)
    preparation = choose_hits_preparation(
        dataset.hits,
        dataset.settings,
        reference=reference,
        scale=wish.scale,
        window=_window(wish, dataset),
        alignment=wish.alignment,
    )
    common.log(_told(preparation))
    parted = config.split_of(dataset.hits, files=dataset.files)
    provenance = {
        "files": list(dataset.files),
        "audit": _audited(dataset, parted, accept=wish.accept),
        DOMAIN_KEY: learn_hits_domain(dataset.hits, preparation).as_dict(),
        **({} if clean is None else {CLEAN_FILES: list(clean.files)}),
    }
    common.log(parted.describe())
    with common.progress("training", total=config.epochs) as tick:
        result = run_training(
            dataset.hits,
            preparation,
            config,
            folder=folder,
            **_beside(config.task, dataset, clean),
            settings=dataset.settings,
            provenance=provenance,
            overwrite=wish.overwrite,
            progress=EpochBar(tick),
            split=parted,
        )
    return result, dataset


def resumed_on_hits(
    paths: Sequence[Path], folder: Path, inputs: InputOptions, *, config: TrainingConfig, clean: Sequence[Path] = ()
) -> tuple[TrainingResult, HitsDataset]:
    """Read the hits again and go on with a training that was broken off.

    Raises
    ------
    DiscrimenError
        As :func:`discrimen.training.resume`.
    """
    begun = read_unfinished(folder)
    if bool(clean) != (CLEAN_FILES in begun.given_provenance):
        with_them = "without" if clean else "with"
        raise DataError(f"{folder}: this training began {with_them} --clean, and goes on in the same way")
    dataset = read_hits_files(paths, inputs)
    found = clean_of_hits(clean, paths, dataset, inputs)
    parted = config.split_of(dataset.hits, files=dataset.files)
    with common.progress("training", total=config.epochs - len(begun.records)) as tick:
        told = _beside(config.task, dataset, found)
        return resume(dataset.hits, folder, split=parted, progress=EpochBar(tick), **told), dataset


def clean_of_hits(
    clean: Sequence[Path], datasets: Sequence[Path], dataset: HitsDataset, inputs: InputOptions
) -> HitsDataset | None:
    """Read the clean records of hits; None without such files.

    Raises
    ------
    typer.BadParameter
        If there is not one file for each data set.
    """
    if not clean:
        return None
    require_one_each(clean, datasets)
    return read_hits_files(clean, inputs, channels=dataset.hits.channels)


def _beside(task: Task, dataset: HitsDataset, clean: HitsDataset | None) -> dict[str, Any]:
    """Return what clean records are to the training: the waveforms to give, or what gets fresh noise in each epoch."""
    if clean is None:
        return {}
    samples = clean_hits_samples(dataset, clean)
    return {"targets": {CLEAN: samples}} if isinstance(task, Reconstruction) else {"clean": clean.hits}


def _window(wish: TrainingWish, dataset: HitsDataset) -> tuple[int, int] | None:
    """Return the window that was asked for; a waveform takes the place of the whole record."""
    if wish.window is None and wish.alignment is None and isinstance(wish.config.task, Reconstruction):
        return 0, dataset.hits.n_samples
    return wish.window


def _require_columns(dataset: HitsDataset, task: Regression | Interactions) -> None:
    wanted = list(COLUMNS)
    if isinstance(task, Regression):
        wanted = [name for quantity in task.quantities for name in quantity.target_columns]
    missing = [name for name in wanted if name not in dataset.hits.columns]
    if missing:
        known = ", ".join(dataset.hits.columns) or "none"
        raise DataError(f"{dataset.files[0]['name']}: the hits have no column '{missing[0]}'; they have: {known}")


def _audited(dataset: HitsDataset, parted: Split, *, accept: bool) -> dict[str, Any]:
    findings = audit_hits(dataset.hits, validation=parted.validation, accept=accept)
    for finding in findings:
        if finding.severity != Severity.NOTE:
            common.log(f"{finding.severity.upper()} {finding.check}: {finding.what} ({finding.how_many})")
    told = [{"severity": f.severity.value, "check": f.check, "what": f.what} for f in findings]
    return {"n_looked_at": len(dataset.hits), "findings": told}


def _told(preparation: Preparation) -> str:
    channel = preparation.channels[preparation.reference or 0]
    follows = "" if preparation.alignment is None else " from where the alignment puts it"
    last = channel.window_start + preparation.window_length
    return (
        f"{preparation.n_channels} channels; time and gain from '{channel.name}' (scale {preparation.scale}); baseline "
        f"of samples {channel.baseline_range}; the network sees samples {channel.window_start}:{last}{follows}"
    )
