"""``discrimen train``: what is told while a network is trained and in the end."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

import typer

from discrimen.cli import common
from discrimen.metrics.latents import latents_words
from discrimen.network.model_description import ModelDescription
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset
from discrimen.runs.hits_dataset import HitsDataset
from discrimen.training import EpochRecord, TrainingResult
from discrimen.training.generator_training import LEFT_OUT
from discrimen.training.history import VALIDATION

_FIXED_SAMPLES = 3
"""Pulses that rise within so few samples teach a network one place; a shift of one sample more undoes it."""


@dataclass(frozen=True, slots=True)
class EpochBar:
    """Moves the progress display at the end of each epoch."""

    tick: common.Tick

    def on_epoch(self, record: EpochRecord) -> None:
        """Move it."""
        self.tick(1, note=f"val_loss {record.val_loss:.5f}")


def tell(result: TrainingResult, dataset: Dataset | HitsDataset, *, json: bool) -> None:
    """Tell of a training that ended, and leave with the status of an interrupt if it was one."""
    if (note := fixed_window_note(result.description)) is not None:
        common.log(note)
    if json:
        common.emit_json(as_dict(result, dataset))
    else:
        _print(result, dataset)
    stop_if_interrupted(result)


def stop_if_interrupted(result: TrainingResult) -> None:
    """Leave with the status of an interrupt if the training ended by one."""
    if result.stopped_by == "interrupt":
        common.log(
            f"{result.folder}: interrupted; its model is the best of {len(result.history)} epochs. To go on, with "
            "the same data sets and input options: "
            f"discrimen train DATASETS --resume {shlex.quote(str(result.folder))}"
        )
        raise typer.Exit(130)


def fixed_window_note(description: ModelDescription) -> str | None:
    """Say what a network on a fixed window has not seen: pulses that begin elsewhere."""
    domain = description.domain
    if domain is None or description.preparation.alignment is not None:
        return None
    # The pulse is below half its height at the first of these samples, and has been above it before the last.
    width = max(last - first for first, last in (each.edge for each in domain.ranges)) - 1
    if width > _FIXED_SAMPLES:
        return None
    return (
        f"all these pulses rise within {width} sample{'s' if width > 1 else ''} "
        f"({width * description.preparation.sample_period_ns:g} ns), and the network knows no others: classify refuses "
        "runs whose pulses come elsewhere. Where the trigger may move, train with --align 0.3 --interpolate or "
        "--augment time=NS (docs/robustness.md)"
    )


def as_dict(result: TrainingResult, dataset: Dataset | HitsDataset) -> dict[str, Any]:
    """Return plain data, ready for JSON."""
    return {
        "folder": str(result.folder),
        "architecture": dict(result.description.architecture),
        **{f"n_{name}": count for name, count in _counts(dataset).items()},
        "n_training": result.n_training,
        "n_validation": len(result.validation_index),
        "n_unlabelled": dataset.n_unlabelled,
        "n_invalid": result.n_invalid,
        "epochs": len(result.history),
        "best_epoch": result.best_epoch,
        "val_loss": result.best.val_loss,
        "median_epoch_s": result.median_epoch_s,
        "stopped_by": result.stopped_by,
        "model": result.description.as_dict(),
    }


def _counts(dataset: Dataset | HitsDataset) -> dict[str, int]:
    if isinstance(dataset, HitsDataset) or dataset.pulses.label is None:
        return {}
    return {label.name.lower(): dataset.count(label) for label in (Label.GAMMA, Label.NEUTRON)}


def _print(result: TrainingResult, dataset: Dataset | HitsDataset) -> None:
    console = common.stdout_console()
    summary: list[str] = []
    result.model.summary(line_length=72, print_fn=lambda line, **_: summary.append(line))
    console.print("\n".join(summary).rstrip(), markup=False)
    best = result.best
    judged = "".join(f", {name.replace('_', ' ')} {best.metrics[VALIDATION + name]:.4g}" for name in best.metric_names)
    left_out = [f"{dataset.n_unlabelled} unlabelled", f"{result.n_invalid} without a pulse"]
    more = result.description.provenance.get(LEFT_OUT, {})
    left_out += [f"{count} {reason}" for reason, count in more.items() if count]
    latents = result.description.provenance.get("latents")
    code = "" if latents is None else f"{latents_words(latents)}\n"
    console.print(
        f"{result.n_training} pulses trained on, {len(result.validation_index)} judged by; "
        f"left out: {', '.join(left_out)}\n"
        f"{len(result.history)} epochs (ended by {result.stopped_by}), the best is {best.epoch}: "
        f"validation loss {best.val_loss:.5f}{judged}; {result.median_epoch_s:.2g} s an epoch (median)\n"
        f"{code}"
        f"model, history and curves in {result.folder}; tensorboard --logdir {result.folder / 'tensorboard'}",
        markup=False,
    )
