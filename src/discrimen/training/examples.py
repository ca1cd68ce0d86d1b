"""Training examples: which pulses can be trained on, and which of them judge the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.prepare import prepare
from discrimen.pulses import Label, Pulses
from discrimen.spec.preparation import Preparation

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
    """

    waveforms: NDArray[np.float32]
    labels: NDArray[np.int32]
    pulse: NDArray[np.int64]
    n_unlabelled: int = 0
    n_invalid: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: NDArray[np.int64]) -> Examples:
        """Select examples by an array of positions."""
        return Examples(waveforms=self.waveforms[index], labels=self.labels[index], pulse=self.pulse[index])

    def count(self, label: Label) -> int:
        """Return the number of examples of a class."""
        return int(np.count_nonzero(self.labels == label))


def training_examples(pulses: Pulses, preparation: Preparation) -> Examples:
    """Prepare every pulse that has a label.

    Raises
    ------
    DataError
        If there are no labels, or the records are too short for the preparation.
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
    )


def split_examples(
    examples: Examples, *, validation_share: float, rng: np.random.Generator
) -> tuple[Examples, Examples]:
    """Part examples into training and validation, the same share of each class, drawn at random.

    Files are often ordered by class or by time, so that a share cut off the end would judge nothing.

    Raises
    ------
    DataError
        If a class has fewer than two examples: one to train on and one to judge by.
    """
    validation: list[NDArray[np.int64]] = []
    training: list[NDArray[np.int64]] = []
    for label in CLASSES:
        members = rng.permutation(np.flatnonzero(examples.labels == label))
        if len(members) < 2:
            raise DataError(_too_few(examples))
        n_validation = min(max(round(validation_share * len(members)), 1), len(members) - 1)
        validation.append(members[:n_validation])
        training.append(members[n_validation:])
    return examples[np.sort(np.concatenate(training))], examples[np.sort(np.concatenate(validation))]


def _too_few(examples: Examples) -> str:
    counts = " and ".join(f"{examples.count(label)} {label.name.lower()}s" for label in CLASSES)
    return (
        f"training needs at least two pulses of each class, got {counts} "
        f"({examples.n_unlabelled} without a label and {examples.n_invalid} without a pulse were left out): label more"
    )
