"""``discrimen fpga train``: a network of few bits for a chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.fpga_encode import Task, train_encoder
from discrimen.cli.input_options import parse_pairs
from discrimen.cli.read_dataset import read_dataset, require_labels
from discrimen.errors import SettingsError, require_module
from discrimen.formats.inputs import InputOptions
from discrimen.runs.dataset import Dataset


def train(
    datasets: Annotated[list[Path], typer.Argument(help="Labelled runs that teach.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the network.", show_default=False)],
    validation: Annotated[
        list[Path], typer.Option(metavar="RUN", help="Labelled run that chooses; repeatable.", show_default=False)
    ],
    test: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Labelled run that judges alone; repeatable.", show_default=False),
    ] = None,
    beta: Annotated[
        list[float] | None,
        typer.Option(
            help="Cost of a bit operation in the loss; more: a smaller network. Repeatable, for the front of size "
            "against leakage.",
            show_default="1e-5; encoder: 1e-4",
        ),
    ] = None,
    most_ebops: Annotated[
        int | None,
        typer.Option(help="Choose among networks of at most so many effective bit operations.", min=1),
    ] = None,
    most_luts: Annotated[
        int | None,
        typer.Option(help="Choose among networks of at most so many look-up tables, as --luts counts them.", min=1),
    ] = None,
    luts: Annotated[
        bool, typer.Option("--luts/--no-luts", help="Let Yosys map each network for the 7-series and count.")
    ] = False,
    task: Annotated[
        Task, typer.Option(help="classify: a decision for each pulse; encode: a short code of which it is made again.")
    ] = Task.CLASSIFY,
    architecture: Annotated[
        str | None, typer.Option(help="mlp, patches or cnn; an encoder has dense layers.", show_default="mlp")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of the architecture, for example hidden=32,16; repeatable."),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="N,N",
            help="Widths of the hidden dense layers, as --option hidden=N,N.",
            show_default="10,4; patches: 16; encoder: none",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOW:HIGH:EFFICIENCY",
            help="Range of light in keVee and neutron efficiency at which leakage is measured; repeatable. All "
            "choose the network, the first the threshold.",
            show_default="50:100:0.95 and 100:150:0.99",
        ),
    ] = None,
    float_trainings: Annotated[int, typer.Option(help="Float networks to start from the best of.", min=1)] = 6,
    float_epochs: Annotated[int, typer.Option(help="Of each.", min=1)] = 120,
    bit_trainings: Annotated[int, typer.Option(help="Trainings of few bits for each --beta.", min=1)] = 3,
    epochs: Annotated[int, typer.Option(help="Of each training of few bits.", min=1)] = 200,
    batch_size: Annotated[int, typer.Option(help="Pulses to one step.", min=1)] = 250,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.", min=0)] = 0,
    adc_bits: Annotated[int | None, typer.Option(help="By default those of the run.", show_default=False)] = None,
    mean_samples: Annotated[int, typer.Option(help="Samples of the baseline's mean: a power of two.")] = 8,
    gap: Annotated[int, typer.Option(help="Samples between that mean and the trigger.")] = 16,
    threshold_adc: Annotated[int, typer.Option(help="Trigger, in counts above the baseline.")] = 40,
    window: Annotated[
        str, typer.Option(metavar="BEFORE:LENGTH", help="Samples before the trigger, and in all.")
    ] = "15:75",
    overwrite: Annotated[
        bool, typer.Option("--overwrite/--no-overwrite", help="Replace a network that is in the folder.")
    ] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Train a network of few bits for a chip, behind the front end of the chip."""
    from discrimen.fpga.chip_model import refuse_occupied, write_chip_model
    from discrimen.fpga.encoder_run import EncoderConfig
    from discrimen.fpga.front_end import FrontEnd
    from discrimen.fpga.judged import DEFAULT_TARGETS, parse_target
    from discrimen.fpga.training_config import ChipTrainingConfig
    from discrimen.fpga.training_page import PAGE_NAME, training_page
    from discrimen.fpga.training_run import train_for_chip
    from discrimen.keras_jax import load_keras
    from discrimen.output.stage_report import write_stage_report

    session = load_keras()
    for module in ("hgq", "alkaid"):  # before anything slow; HGQ2 behind Keras, whose backend it would choose
        require_module(module, extra="fpga")
    refuse_occupied(output, overwrite=overwrite)
    roles = {"training": datasets, "--validation": validation, "--test": test or []}
    for paths in roles.values():
        require_labels(paths, inputs)
    read = {role: read_dataset(paths, inputs) for role, paths in roles.items() if paths}
    _refuse_shared(read)
    settings = read["training"].settings
    if settings.polarity is None:
        raise SettingsError("the polarity of the pulses is not known: give --polarity positive or negative")
    bits = adc_bits or settings.adc_bits
    if bits is None:
        raise SettingsError("the width of the ADC is not known: give --adc-bits")
    before, length = _whole(window, separator=":", count=2, option="--window")
    front_end = FrontEnd(
        adc_bits=bits,
        polarity=settings.polarity,
        n_mean_log2=_power_of_two(mean_samples),
        gap=gap,
        threshold_adc=threshold_adc,
        before=before,
        length=length,
    )
    if task is Task.ENCODE:
        _refuse_for_encoder(architecture=architecture, target=target)
        encoder = EncoderConfig(
            front_end=front_end,
            options=_options(option, hidden),
            float_trainings=float_trainings,
            float_epochs=float_epochs,
            bit_trainings=bit_trainings,
            betas=tuple(beta or (1e-4,)),
            epochs=epochs,
            batch_size=batch_size,
            most_ebops=most_ebops,
            most_luts=most_luts,
            map_luts=luts,
            seed=seed,
        )
        train_encoder(session, encoder, read, output, json=json)
        return
    config = ChipTrainingConfig(
        front_end=front_end,
        architecture=architecture or "mlp",
        options=_options(option, hidden),
        float_trainings=float_trainings,
        float_epochs=float_epochs,
        bit_trainings=bit_trainings,
        betas=tuple(beta or (1e-5,)),
        epochs=epochs,
        batch_size=batch_size,
        most_ebops=most_ebops,
        most_luts=most_luts,
        map_luts=luts,
        targets=tuple(map(parse_target, target)) if target else DEFAULT_TARGETS,
        seed=seed,
    )
    done = train_for_chip(
        session,
        config,
        training=read["training"],
        validation=read["--validation"],
        test=read.get("--test"),
        provenance={"files": {role.strip("-"): list(each.files) for role, each in read.items()}},
        log=common.log,
    )
    write_chip_model(done.chip, output, golden=done.runs[-1].labelled.values[:2000])
    write_stage_report(training_page(done), output, name=PAGE_NAME, values=done.as_dict())
    if json:
        common.emit_json({"output": str(output), **done.as_dict()})
        return
    judging = "held-out" if done.float_test is not None else "validation"
    reference, chosen = done.float_test or done.float_validation, done.chosen.test or done.chosen.validation
    print(f"float, {judging} run: {reference.in_words}")
    print(f"few bits, {judging} run: {chosen.in_words}; {done.chosen.size}")
    print(f"network: {output}; report: {output / f'{PAGE_NAME}.html'}")


def _refuse_for_encoder(*, architecture: str | None, target: list[str] | None) -> None:
    for name, given in (("--architecture", architecture), ("--target", target)):
        if given:
            raise typer.BadParameter(f"{name} does nothing with --task encode: leave it out")


def _refuse_shared(read: dict[str, Dataset]) -> None:
    """Refuse a file that serves two ends: what chooses must not judge, and what teaches must do neither."""
    seen: dict[str, str] = {}
    for role, dataset in read.items():
        for file in dataset.files:
            before = seen.setdefault(str(file["sha256"]), role)
            if before != role:
                raise SettingsError(f"{file['name']} is among {before} and {role}: give a run of its own to each")


def _options(option: list[str] | None, hidden: str | None) -> dict[str, str]:
    pairs = parse_pairs(option or [], example="hidden=32,16")
    return pairs if hidden is None else {**pairs, "hidden": hidden}


def _power_of_two(samples: int) -> int:
    if samples < 1 or samples & (samples - 1):
        raise typer.BadParameter(f"--mean-samples must be a power of two, got {samples}")
    return samples.bit_length() - 1


def _whole(text: str, *, separator: str, count: int | None, option: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(separator))
    except ValueError as error:
        raise typer.BadParameter(f"{option}: expected whole numbers apart by '{separator}', got '{text}'") from error
    if count is not None and len(numbers) != count:
        raise typer.BadParameter(f"{option}: expected {count} numbers apart by '{separator}', got '{text}'")
    return numbers
