"""``discrimen adapt``: a trained model to another channel, detector or gain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from discrimen.adaptation.adapt import Adaptation
from discrimen.adaptation.adapt import adapt as adapt_model
from discrimen.adaptation.fine_tune import FineTuning, fine_tune
from discrimen.adaptation.recalibrate import Wishes
from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions
from discrimen.network.frozen_file import SUFFIX
from discrimen.output.provenance import sha256_of_file
from discrimen.runs.dataset import load_dataset
from discrimen.training import TrainingResult

TunedLayers = Literal["all", "last"]
"""Which layers may change."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(adapt))


def adapt(
    model: Annotated[
        Path,
        typer.Argument(
            help="A frozen .discrimen; with --fine-tune the folder of a trained model, or a .keras in it.",
            show_default=False,
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Unlabelled runs of a mixed source from the new channel or detector.", show_default=False),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Frozen file to write; with --fine-tune a folder.", show_default=False),
    ] = ...,  # type: ignore[assignment]
    labelled: Annotated[
        list[Path] | None,
        typer.Option(metavar="DATASET", help="Choose on labelled pulses instead; repeatable.", show_default=False),
    ] = None,
    neutron_efficiency: Annotated[
        list[float] | None,
        typer.Option(metavar="SHARE", help="A threshold that keeps so many neutrons; repeatable. Default: 0.95."),
    ] = None,
    gamma_leakage: Annotated[
        list[float] | None,
        typer.Option(metavar="SHARE", help="A threshold that lets so many gammas pass; repeatable."),
    ] = None,
    rescale: Annotated[
        bool, typer.Option(help="Also shift and divide the logit, so that scores are probabilities here.")
    ] = True,
    neutron_share: Annotated[
        float | None, typer.Option(help="Share of neutrons among the unlabelled pulses, where it is known.")
    ] = None,
    peak_adc: Annotated[
        str | None, typer.Option(metavar="LOW:HIGH", help="Look only at pulses of this height in ADC counts.")
    ] = None,
    confidence: common.ConfidenceOption = 0.95,
    tune: Annotated[bool, typer.Option("--fine-tune", help="Train the network on with the labelled pulses.")] = False,
    layers: Annotated[TunedLayers, typer.Option(help="Fine-tuning: which layers may change.")] = "all",
    learning_rate: Annotated[float, typer.Option(help="Fine-tuning: of Adam.")] = 5e-4,
    epochs: Annotated[int, typer.Option(help="Fine-tuning: at most so many.", min=1)] = 200,
    patience: Annotated[int, typer.Option(help="Fine-tuning: epochs without a lower validation loss.", min=1)] = 15,
    overwrite: Annotated[bool, typer.Option(help="Fine-tuning: replace a model that is in the folder.")] = False,
    device: common.TuningDeviceOption = "cpu",
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Adapt a model to another channel or detector: thresholds and scale of the score, or the network itself."""
    paths = _inputs(files or [], labelled or [], tune=tune)
    readers = [inputs.open(path) for path in paths]
    if tune:
        tuning = FineTuning(
            layers=layers,
            learning_rate=learning_rate,
            epochs=epochs,
            patience=patience,
            seed=seed,
            device=device,
        )
        result, lines = _tuned(model, readers, output, tuning, overwrite=overwrite)
    else:
        if output.suffix != SUFFIX:
            raise typer.BadParameter(f"expected a name that ends in {SUFFIX}, got {output}")
        wished = bool(neutron_efficiency or gamma_leakage)
        wishes = Wishes(
            neutron_efficiencies=tuple(neutron_efficiency or (() if wished else (0.95,))),
            gamma_leakages=tuple(gamma_leakage or ()),
            rescale=rescale,
            neutron_share=neutron_share,
            peak_range_adc=_range(peak_adc),
            confidence=confidence,
        )
        with common.progress("reading", total=common.total_entries(readers)) as tick:
            done = adapt_model(
                model,
                readers,
                output,
                labelled=bool(labelled),
                wishes=wishes,
                seed=seed,
                on_progress=tick,
            )
        result, lines = _described(done), list(_lines(done))
        if done.outside is not None and (warning := done.outside.warning()) is not None:
            common.log(f"WARNING: {warning}; the adapted model knows these pulses instead")
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    if json:
        common.emit_json({"model": str(model), **result})
        return
    for line in lines:
        common.stdout_console().print(line, markup=False)


def _inputs(files: list[Path], labelled: list[Path], *, tune: bool) -> list[Path]:
    if tune and (files or not labelled):
        raise typer.BadParameter("--fine-tune learns from labelled pulses alone: give them with --labelled")
    if bool(files) == bool(labelled):
        raise typer.BadParameter("give unlabelled runs, or labelled ones with --labelled, and not both")
    return files or labelled


def _range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(f"--peak-adc expects LOW:HIGH in ADC counts, got '{text}'") from None
    return low, high


def _tuned(
    model: Path, readers: list[Reader], output: Path, tuning: FineTuning, *, overwrite: bool
) -> tuple[dict[str, Any], list[str]]:
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        dataset = load_dataset(readers, on_progress=tick)
    with common.progress("fine-tuning", total=tuning.epochs) as tick:
        done = fine_tune(model, dataset, output, tuning=tuning, overwrite=overwrite, progress=_EpochTick(tick))
    best, seconds = done.best, float(done.epoch_duration_s.sum())
    result = {
        "output": str(output),
        "best_epoch": done.best_epoch,
        "n_epochs": len(done.history),
        "stopped_by": done.stopped_by,
        "val_loss": best.val_loss,
        "val_accuracy": best.val_accuracy,
        "n_training": done.n_training,
        "n_validation": len(done.validation_index),
        "seconds": seconds,
    }
    return result, [_tuned_line(output, done, seconds)]


def _tuned_line(output: Path, done: TrainingResult, seconds: float) -> str:
    return (
        f"{output}: tuned on {done.n_training} pulses in {seconds:.1f} s, best of {len(done.history)} epochs is "
        f"{done.best_epoch}: validation loss {done.best.val_loss:.4f}, accuracy {done.best.val_accuracy:.4f} of "
        f"{len(done.validation_index)} pulses; freeze it next: discrimen freeze {output} -o X{SUFFIX}"
    )


class _EpochTick:
    """Moves a progress display on at the end of each epoch."""

    def __init__(self, tick: common.Tick) -> None:
        self._tick = tick

    def on_epoch(self, record: Any) -> None:
        self._tick(note=f"validation loss {record.val_loss:.4f}")


def _described(done: Adaptation) -> dict[str, Any]:
    return {
        "output": str(done.path),
        "sha256": sha256_of_file(done.path),
        **done.recalibration.as_dict(),
        "outside_before": None if done.outside is None else done.outside.as_dict(),
    }


def _lines(done: Adaptation) -> Iterator[str]:
    found = done.recalibration
    share = found.neutron_share
    yield (
        f"{done.path}: chosen on {found.n_pulses} {found.method} pulses ({found.n_left_out} left out), "
        f"{share.value:.1%} ({share.low:.1%}-{share.high:.1%}) of them neutrons"
    )
    if found.bands is not None:
        apart = found.bands.slices.apart
        edges = found.bands.slices.peak_edges_adc
        first = edges[int(apart.argmax())]
        yield (
            f"two classes stand apart in {int(apart.sum())} of {len(apart)} slices of pulse height, "
            f"the first at {first:.0f} ADC counts; below, the bands are continued"
        )
    if found.rescaling is not None:
        scale = found.rescaling
        yield (
            f"logit: {scale.shift:+z.3f} taken away, divided by {scale.temperature:.3f}; "
            f"log loss {scale.log_loss_before:.4f} before, {scale.log_loss_after:.4f} with it"
        )
    for name, threshold in found.thresholds.items():
        keeps, leaks = threshold.efficiency, threshold.leakage
        yield (
            f"threshold '{name}': {threshold.value:.6g}, keeps {keeps.value:.2%} ({keeps.low:.2%}-{keeps.high:.2%}) "
            f"of the neutrons, leaks {leaks.value:.2%} ({leaks.low:.2%}-{leaks.high:.2%}) of the gammas"
        )
