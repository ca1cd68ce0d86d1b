"""Training examples: which pulses can be trained on, and which of them judge the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.pulses import Label, Pulses

CLASSES = (Label.GAMMA, Label.NEUTRON)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Examples:
    """Prepared, labelled waveforms.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (example, window sample)
        Network input.
    labels : ndarray of int32, shape (example,)
        The true class: 0 gamma, 1 neutron.
    pulse : ndarray of int64, shape (example,)
        Position of each example among the pulses it was taken from.
    n_unlabelled, n_invalid : int
        Pulses left out: without a label; labelled, but impossible to prepare.
    neutron_probability : ndarray of float32, shape (example,), optional
        Soft labels; where nobody gave one, the label itself.
    """

    waveforms: NDArray[np.float32]
    labels: NDArray[np.int32]
    pulse: NDArray[np.int64]
    n_unlabelled: int = 0
    n_invalid: int = 0
    neutron_probability: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: NDArray[np.int64]) -> Examples:
        """Select examples by an array of positions."""
        soft = None if self.neutron_probability is None else self.neutron_probability[index]
        return Examples(
            waveforms=self.waveforms[index],
            labels=self.labels[index],
            pulse=self.pulse[index],
            neutron_probability=soft,
        )

    def count(self, label: Label) -> int:
        """Return the number of examples of a class."""
        return int(np.count_nonzero(self.labels == label))


def training_examples(pulses: Pulses, preparation: Preparation) -> Examples:
    """Prepare every pulse that has a label.

    Raises
    ------
    DataError
        If there are no labels, soft labels are no probabilities, or the records are too short for the preparation.
    SettingsError
        If the sampling periods of pulses and preparation differ.
    """
    period_ns = pulses.sample_period_ns
    if period_ns is not None and not np.isclose(period_ns, preparation.sample_period_ns, rtol=1e-6):
        raise SettingsError(
            f"the preparation is for samples of {preparation.sample_period_ns:g} ns, the pulses have {period_ns:g} ns"
        )
    labels = pulses.column("label")
    labelled = np.flatnonzero(np.isin(labels, CLASSES))
    prepared = prepare(pulses.samples[labelled], preparation)
    kept = labelled[prepared.valid]
    return Examples(
        waveforms=prepared.waveforms[prepared.valid],
        labels=labels[kept].astype(np.int32),
        pulse=kept,
        n_unlabelled=len(pulses) - len(labelled),
        n_invalid=len(labelled) - len(kept),
        neutron_probability=_soft_labels(pulses, kept),
    )


def _soft_labels(pulses: Pulses, kept: NDArray[np.int64]) -> NDArray[np.float32] | None:
    if pulses.neutron_probability is None:
        return None
    soft = pulses.neutron_probability[kept]
    known = ~np.isnan(soft)
    wrong = kept[known & ~((soft >= 0) & (soft <= 1))]
    if len(wrong):
        raise DataError(
            f"neutron_probability must lie between 0 and 1: {len(wrong)} pulses do not, the first is number {wrong[0]}"
        )
    return np.where(known, soft, pulses.column("label")[kept]).astype(np.float32)


def require_two_each(examples: Examples) -> None:
    """Refuse examples of which one class cannot both teach and judge.

    Raises
    ------
    DataError
        If a class has fewer than two.
    """
    if min(examples.count(label) for label in CLASSES) < 2:
        raise DataError(_too_few(examples))


def part_examples(examples: Examples, validation: NDArray[np.bool_]) -> tuple[Examples, Examples]:
    """Part examples into those that teach and those that judge.

    Parameters
    ----------
    examples : Examples
        All of them.
    validation : ndarray of bool, shape (pulse,)
        Which of the pulses that the examples were taken from judge.

    Raises
    ------
    DataError
        If a class is missing on one side.
    """
    judges = validation[examples.pulse]
    parts = examples[np.flatnonzero(~judges)], examples[np.flatnonzero(judges)]
    for name, part in zip(("training", "validation"), parts, strict=True):
        counts = {label.name.lower(): part.count(label) for label in CLASSES}
        if min(counts.values()) == 0:
            told = " and ".join(f"{count} {label}s" for label, count in counts.items())
            raise DataError(
                f"the {name} part has {told} once the {examples.n_invalid} records without a pulse are left out: "
                "raise the share (--validation-share), or split in another way (--split)"
            )
    return parts


def _too_few(examples: Examples) -> str:
    counts = " and ".join(f"{examples.count(label)} {label.name.lower()}s" for label in CLASSES)
    return (
        f"training needs at least two pulses of each class, got {counts} "
        f"({examples.n_unlabelled} without a label and {examples.n_invalid} without a pulse were left out): label more"
    )
