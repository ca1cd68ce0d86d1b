"""``discrimen train``: a network from labelled pulses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.cluster_options import with_inputs_of_cluster
from discrimen.cli.given_options import given_options, refuse_idle
from discrimen.cli.input_options import parse_pairs
from discrimen.cli.train_clean import CleanFiles, CleanOption, ComponentsOption
from discrimen.cli.train_hits import ReferenceOption, default_of_hits, trained_on_hits
from discrimen.cli.train_resume import resumed_training
from discrimen.cli.train_task import (
    ChargeWeightOption,
    ConditionOption,
    FewestOption,
    InteractionsOption,
    PartMovedOption,
    RateWeightOption,
    TaskName,
    TeacherOption,
    TeacherWeightOption,
    chosen_task,
)
from discrimen.cli.train_told import tell
from discrimen.cli.train_wish import TrainingWish, train_each_channel
from discrimen.errors import SettingsError
from discrimen.formats.inputs import InputOptions
from discrimen.formats.pile_up_text.reader import traces_in
from discrimen.models import ARCHITECTURES
from discrimen.network.preparation import Alignment, Scale
from discrimen.runs.hits_dataset import are_hits_files
from discrimen.simulation.distortion import DISTORTIONS
from discrimen.training import TrainingConfig
from discrimen.training.balance import DEFAULT_CAP, BalanceBy, BalanceName
from discrimen.training.config import Decay, OptimizerName
from discrimen.training.model_folder import require_free
from discrimen.training.split import SplitWish
from discrimen.training.tasks.compression import CHARGE_WEIGHT, RATE_WEIGHT, TEACHER_WEIGHT
from discrimen.training.tasks.generation import FEWEST
from discrimen.training.tasks.separation import MOVED_SHARE

_AUGMENT = (
    "Distort the training pulses again in each epoch, up to these sizes, for example time=10,gain=0.1. "
    + "; ".join(f"{name}: {known.summary}, {known.unit or 'share'}" for name, known in DISTORTIONS.items())
    + ". docs/robustness.md"
)
_ARCHITECTURES = (
    "; ".join(f"{name}: {known.description}" for name, known in ARCHITECTURES.items())
    + "; FILE.py:FUNCTION: a network of your own"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_inputs_of_cluster(train, files="datasets"))


def train(
    datasets: Annotated[
        list[Path],
        typer.Argument(help="Labelled data sets, files of hits, or folders of piled-up traces.", show_default=False),
    ],
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the model; needed unless --resume is given.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Go on with the training that was interrupted there, on the same data."),
    ] = None,
    task: Annotated[TaskName, typer.Option(help="What for. docs/training.md")] = "classification",
    quantity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=UNIT",
            help="With --task regression: what to learn, energy_kevee=keVee; with --task position: what to learn "
            "in addition, time_offset_ns=ns; repeatable.",
        ),
    ] = None,
    with_error: Annotated[
        bool, typer.Option("--with-error", help="With --task regression: give the error of each quantity too.")
    ] = False,
    beta: Annotated[
        float, typer.Option(help="With --task generation: weight of the divergence of the code. docs/generate.md")
    ] = 1.0,
    condition: ConditionOption = "class,light",
    fewest: FewestOption = FEWEST,
    clean: CleanOption = None,
    teacher: TeacherOption = None,
    teacher_weight: TeacherWeightOption = TEACHER_WEIGHT,
    rate_weight: RateWeightOption = RATE_WEIGHT,
    charge_weight: ChargeWeightOption = CHARGE_WEIGHT,
    components: ComponentsOption = None,
    part_gain: Annotated[
        float,
        typer.Option(
            help="With --task separation: make half of the examples such as another source would give, with parts "
            "alike in height up to this spread of the logarithm; 0: none."
        ),
    ] = 0.0,
    part_moved: PartMovedOption = MOVED_SHARE,
    interactions: InteractionsOption = 1,
    architecture: Annotated[
        str, typer.Option(help=f"For hits see docs/positions.md, docs/denoise.md. {_ARCHITECTURES}")
    ] = "patches",
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
    scale: Annotated[
        Scale,
        typer.Option(
            help="Divide each waveform by its peak or its area; of hits by default the area of the reference."
        ),
    ] = "peak",
    window: Annotated[
        str | None, typer.Option(metavar="START:LENGTH", help="Samples the network sees; by default all.")
    ] = None,
    reference: ReferenceOption = "core",
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
        BalanceBy, typer.Option(help="With --balance: weigh the loss, or draw the pulses of each epoch again.")
    ] = "weights",
    balance_cap: Annotated[
        float, typer.Option(help="With --balance: highest weight of a pulse; the mean is 1.")
    ] = DEFAULT_CAP,
    augment: Annotated[str | None, typer.Option(metavar="NAME=SIZE,...", help=_AUGMENT)] = None,
    extend_down: Annotated[
        str | None,
        typer.Option(
            metavar="LIGHT",
            help="Thin the training pulses, as photons are, down to this light (30keVee) or height (100adc), so that "
            "the network learns low light from labels at high light. docs/label-noise.md",
            show_default=False,
        ),
    ] = None,
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
    each_channel: Annotated[
        bool,
        typer.Option(
            "--each-channel",
            help="One model for each channel: folders b0_ch0, b0_ch1, ... in that of -o. docs/channels.md",
        ),
    ] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Train a network on labelled pulses; leaves model, history, curves and TensorBoard logs in a folder."""
    datasets = [each for path in datasets for each in traces_in(path)]
    beside = CleanFiles(clean=clean or (), components=components or ())
    if resume is not None:
        tell(*resumed_training(context, datasets, resume, inputs, beside=beside), json=json)
        return
    of_hits = are_hits_files(datasets)
    if not of_hits:
        refuse_idle(context, ("reference",), without="files of hits")
    _refuse_idle_options(context, align=align, balance=balance, task=task, teacher=teacher, of_hits=of_hits)
    if output is None:
        raise typer.BadParameter("give a folder for the model with -o, or an unfinished one with --resume")
    if not overwrite and not each_channel:
        require_free(output)
    config = _config(
        task=chosen_task(
            task,
            quantities=quantity or [],
            with_error=with_error,
            teacher=teacher,
            teacher_weight=teacher_weight,
            rate_weight=rate_weight,
            beta=beta,
            condition=condition,
            fewest=fewest,
            charge_weight=charge_weight,
            part_gain=part_gain,
            part_moved=part_moved,
            interactions=interactions,
        ),
        architecture=default_of_hits(datasets, task)
        if of_hits and "architecture" not in given_options(context)
        else architecture,
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
        **_lowest_light(extend_down),
        soft_labels=soft_labels,
        patience=patience or None,
        shuffle=shuffle,
        seed=seed,
        device=device,
    )
    alignment = None if align is None else Alignment(fraction=align, position=align_position, interpolate=interpolate)
    wish = TrainingWish(
        datasets=datasets,
        config=config,
        contamination=contamination,
        beside=beside,
        scale="area" if of_hits and "scale" not in given_options(context) else scale,
        window=None if window is None else parse_samples(window),
        alignment=alignment,
        accept=accept,
        overwrite=overwrite,
    )
    if of_hits:
        refuse_idle(context, ("each_channel", "components", "augment"), without="files of pulses")
        tell(*trained_on_hits(wish, inputs, output, reference=reference), json=json)
    elif each_channel:
        train_each_channel(wish, inputs, output, json=json)
    else:
        tell(*wish.train(inputs, output), json=json)


def _refuse_idle_options(
    context: typer.Context,
    *,
    align: float | None,
    balance: BalanceName,
    task: TaskName,
    teacher: Path | None,
    of_hits: bool,
) -> None:
    if align is None:
        refuse_idle(context, ("align_position", "interpolate"), without="--align")
    if balance == "none":
        refuse_idle(context, ("balance_by", "balance_cap"), without="--balance")
    if task != "classification":
        refuse_idle(context, ("contamination", "soft_labels"), without="--task classification")
    if task != "reconstruction" and not of_hits:
        refuse_idle(context, ("clean",), without="--task reconstruction, or hits")
    if task != "generation":
        refuse_idle(context, ("beta", "condition", "fewest"), without="--task generation")
    else:
        refuse_idle(context, ("scale", "window", "align"), without="a task other than generation, of whole records")
    if task != "compression":
        refuse_idle(context, ("teacher", "rate_weight", "charge_weight"), without="--task compression")
    if task != "separation":
        refuse_idle(context, ("components", "part_gain", "part_moved"), without="--task separation")
    if task != "position":
        refuse_idle(context, ("interactions",), without="--task position")
    if teacher is None:
        refuse_idle(context, ("teacher_weight",), without="--teacher")


def _config(**values: Any) -> TrainingConfig:
    try:
        return TrainingConfig(**values)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _sizes(text: str | None) -> dict[str, float]:
    """Parse the largest distortions of the training pulses."""
    pairs = parse_pairs([] if text is None else text.split(","), example="--augment time=10,gain=0.1")
    try:
        return {name: float(size) for name, size in pairs.items()}
    except ValueError as error:
        raise typer.BadParameter(f"expected numbers, for example --augment time=10,gain=0.1; got '{text}'") from error


def _lowest_light(text: str | None) -> dict[str, float]:
    """Parse where the training pulses are extended down to, as fields of the configuration."""
    if text is None:
        return {}
    for unit, name in (("kevee", "extend_down_kevee"), ("adc", "extend_down_adc")):
        if text.lower().endswith(unit):
            try:
                return {name: float(text[: -len(unit)])}
            except ValueError:
                break
    raise typer.BadParameter(f"expected a light or a height, for example 30keVee or 100adc; got '{text}'")


def parse_samples(text: str) -> tuple[int, int]:
    """Parse ``START:LENGTH`` in samples."""
    try:
        start, length = (int(part) for part in text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"expected START:LENGTH in samples, got '{text}'") from error
    return start, length
