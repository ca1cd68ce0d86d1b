"""``discrimen train``: a network from labelled pulses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.audit import Audit, Severity, audit_dataset, require_sound
from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, parse_pairs, with_input_options
from discrimen.cli.train_contamination import chosen_contamination, soft_labels_of_all
from discrimen.errors import SettingsError
from discrimen.models import ARCHITECTURES
from discrimen.network.preparation import Alignment, Preparation, Scale
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.simulation.distortion import DISTORTIONS
from discrimen.training import EpochRecord, TrainingConfig, TrainingResult
from discrimen.training import train as run_training
from discrimen.training.balance import DEFAULT_CAP, BalanceBy, BalanceName
from discrimen.training.config import Decay, OptimizerName
from discrimen.training.split import Split, SplitWish

_AUGMENT = (
    "Distort the training pulses anew in each epoch, up to these sizes, for example time=10,gain=0.1. "
    + "; ".join(f"{name}: {known.summary}, {known.unit or 'share'}" for name, known in DISTORTIONS.items())
    + ". docs/robustness.md"
)
_ARCHITECTURES = "; ".join(f"{name}: {known.description}" for name, known in ARCHITECTURES.items())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(train))


def train(
    datasets: Annotated[list[Path], typer.Argument(help="Labelled data sets.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the model.", show_default=False)],
    architecture: Annotated[str, typer.Option(help=_ARCHITECTURES)] = "patches",
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of the architecture, for example hidden=32,16; repeatable."),
    ] = None,
    optimizer: Annotated[OptimizerName, typer.Option(help="Adam, or SGD as in the reference.")] = "adam",
    learning_rate: Annotated[float | None, typer.Option(help="The optimizer's own default if not given.")] = None,
    learning_rate_decay: Annotated[
        Decay, typer.Option(help="cosine: let the rate fall towards 0 over the epochs.")
    ] = "none",
    epochs: Annotated[int, typer.Option(help="At most so many.")] = 200,
    batch_size: Annotated[int, typer.Option(help="Pulses to one step of the optimizer.")] = 100,
    validation_share: Annotated[float, typer.Option(help="Share of the pulses that judges the network.")] = 0.1,
    split: Annotated[
        SplitWish, typer.Option(help="What stays together, in training or validation; auto: runs, or else time.")
    ] = "auto",
    validation_runs: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Runs that judge: numbers or files, with commas; by default drawn."),
    ] = None,
    patience: Annotated[int, typer.Option(help="Stop after so many epochs without gain; 0 never does.")] = 20,
    shuffle: Annotated[bool, typer.Option(help="A new order of the pulses in each epoch.")] = True,
    seed: Annotated[int, typer.Option(help="Of the split, the weights and the order.")] = 0,
    device: common.DeviceOption = "cpu",
    scale: Annotated[Scale, typer.Option(help="Divide each waveform by its peak or its area.")] = "peak",
    window: Annotated[
        str | None, typer.Option(metavar="START:LENGTH", help="Samples the network sees; by default all.")
    ] = None,
    align: Annotated[
        float | None,
        typer.Option(metavar="FRACTION", help="Let the window follow the crossing of this fraction of the peak."),
    ] = None,
    align_position: Annotated[int, typer.Option(help="With --align: where in the window the crossing lies.")] = 10,
    interpolate: Annotated[bool, typer.Option(help="With --align: shift by fractions of a sample too.")] = False,
    balance: Annotated[
        BalanceName,
        typer.Option(help="Let rare training pulses count more: over class; and energy; and shape. docs/diversity.md"),
    ] = "none",
    balance_by: Annotated[
        BalanceBy, typer.Option(help="With --balance: weigh the loss, or draw the pulses of each epoch anew.")
    ] = "weights",
    balance_cap: Annotated[
        float, typer.Option(help="With --balance: highest weight of a pulse; the mean is 1.")
    ] = DEFAULT_CAP,
    augment: Annotated[str | None, typer.Option(metavar="NAME=SIZE,...", help=_AUGMENT)] = None,
    contamination: Annotated[
        str | None,
        typer.Option(
            metavar="gamma=SHARE,neutron=SHARE",
            help="Share of wrong labels, for which the loss is corrected; none: do not. By default what `label` found "
            "by source or time of flight. docs/label-noise.md",
            show_default=False,
        ),
    ] = None,
    soft_labels: Annotated[
        bool, typer.Option("--soft-labels/--hard-labels", help="Learn the column neutron_probability, if there is one.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace a model that is in the folder.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Train in spite of errors that the audit finds.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Train a network on labelled pulses; leaves model, history, curves and TensorBoard logs in a folder."""
    config = _config(
        architecture=architecture,
        options=parse_pairs(option or [], example="hidden=32,16"),
        optimizer=optimizer,
        learning_rate=learning_rate,
        learning_rate_decay=learning_rate_decay,
        epochs=epochs,
        batch_size=batch_size,
        validation_share=validation_share,
        split=split,
        validation_runs=() if validation_runs is None else validation_runs.split(","),
        balance=balance,
        balance_by=balance_by,
        balance_cap=balance_cap,
        augment=_sizes(augment),
        soft_labels=soft_labels,
        patience=patience or None,
        shuffle=shuffle,
        seed=seed,
        device=device,
    )
    readers = [inputs.open(path) for path in datasets]
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        dataset = load_dataset(readers, transforms=soft_labels_of_all(readers, wanted=soft_labels), on_progress=tick)
    config = replace(config, contamination=chosen_contamination(contamination, datasets, dataset, soft=soft_labels))
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    parted = config.split_of(dataset.pulses, files=dataset.files)
    audit = _audited(dataset, parted, accept=accept)
    common.log(parted.describe())
    alignment = None if align is None else Alignment(fraction=align, position=align_position, interpolate=interpolate)
    preparation = _preparation(dataset, scale=scale, window=window, alignment=alignment)
    with common.progress("training", total=epochs) as tick:
        result = run_training(
            dataset.pulses,
            preparation,
            config,
            folder=output,
            settings=dataset.settings,
            provenance={"files": list(dataset.files), "audit": audit.record()},
            overwrite=overwrite,
            progress=_EpochBar(tick),
            split=parted,
        )
    if json:
        common.emit_json(_as_dict(result, dataset))
    else:
        _print(result, dataset)
    if result.stopped_by == "interrupt":
        raise typer.Exit(130)


def _config(**values: Any) -> TrainingConfig:
    try:
        return TrainingConfig(**values)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _audited(dataset: Dataset, parted: Split, *, accept: bool) -> Audit:
    """Look at the data first; errors stop the training unless they are accepted."""
    audit = audit_dataset(dataset, validation=parted.validation)
    if not accept:
        require_sound(audit)
    for finding in audit.findings:
        if finding.severity != Severity.NOTE:
            common.log(f"{finding.severity.upper()} {finding.check}: {finding.what} ({finding.how_many})")
    return audit


@dataclass(frozen=True, slots=True)
class _EpochBar:
    """Moves the progress display at the end of each epoch."""

    tick: common.Tick

    def on_epoch(self, record: EpochRecord) -> None:
        self.tick(1, note=f"val_loss {record.val_loss:.5f}")


def _preparation(dataset: Dataset, *, scale: Scale, window: str | None, alignment: Alignment | None) -> Preparation:
    start, length = (0, None) if window is None else parse_samples(window)
    return choose_preparation(
        dataset.settings,
        n_samples=dataset.pulses.n_samples,
        scale=scale,
        window_start=start,
        window_length=length,
        alignment=alignment,
    )


def _sizes(text: str | None) -> dict[str, float]:
    """Parse the largest distortions of the training pulses."""
    pairs = parse_pairs([] if text is None else text.split(","), example="--augment time=10,gain=0.1")
    try:
        return {name: float(size) for name, size in pairs.items()}
    except ValueError as error:
        raise typer.BadParameter(f"expected numbers, for example --augment time=10,gain=0.1; got '{text}'") from error


def parse_samples(text: str) -> tuple[int, int]:
    """Parse ``START:LENGTH`` in samples."""
    try:
        start, length = (int(part) for part in text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"expected START:LENGTH in samples, got '{text}'") from error
    return start, length


def _as_dict(result: TrainingResult, dataset: Dataset) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "architecture": dict(result.spec.architecture),
        "n_gamma": dataset.count(Label.GAMMA),
        "n_neutron": dataset.count(Label.NEUTRON),
        "n_training": result.n_training,
        "n_validation": len(result.validation_index),
        "n_unlabelled": dataset.n_unlabelled,
        "n_invalid": result.n_invalid,
        "epochs": len(result.history),
        "best_epoch": result.best_epoch,
        "val_loss": result.best.val_loss,
        "stopped_by": result.stopped_by,
        "model": result.spec.as_dict(),
    }


def _print(result: TrainingResult, dataset: Dataset) -> None:
    console = common.stdout_console()
    summary: list[str] = []
    result.model.summary(line_length=72, print_fn=lambda line, **_: summary.append(line))
    console.print("\n".join(summary).rstrip(), markup=False)
    best = result.best
    left_out = [f"{dataset.n_unlabelled} unlabelled", f"{result.n_invalid} without a pulse"]
    console.print(
        f"{result.n_training} pulses trained on, {len(result.validation_index)} judged by; "
        f"left out: {', '.join(left_out)}\n"
        f"{len(result.history)} epochs (ended by {result.stopped_by}), the best is {best.epoch}: "
        f"validation loss {best.val_loss:.5f}, accuracy {best.val_accuracy:.4f}\n"
        f"model, history and curves in {result.folder}; tensorboard --logdir {result.folder / 'tensorboard'}",
        markup=False,
    )
