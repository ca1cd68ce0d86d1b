"""Training examples: which pulses can be trained on, and which of them judge the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import Restoration, prepare
from discrimen.pulses.hits import Hits

_AT_ONCE = 8192
"""Pulses that are prepared together: those of many channels fill the memory."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Examples:
    """Prepared waveforms with what a network is to make of them.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (example, channel, window sample)
        Network input.
    targets : ndarray, shape (example, ...)
        What the network is to give, as the task has it.
    pulse : ndarray of int64, shape (example,)
        Position of each example among the pulses it was taken from.
    labels : ndarray of int32, shape (example,), or None
        The class, where the task has classes.
    n_unlabelled, n_invalid : int
        Pulses left out: without a target; with one, but impossible to prepare.
    """

    waveforms: NDArray[np.float32]
    targets: NDArray[Any]
    pulse: NDArray[np.int64]
    labels: NDArray[np.int32] | None = None
    n_unlabelled: int = 0
    n_invalid: int = 0

    def __len__(self) -> int:
        return len(self.pulse)

    def __getitem__(self, index: NDArray[np.int64]) -> Examples:
        """Select examples by an array of positions."""
        return Examples(
            waveforms=self.waveforms[index],
            targets=self.targets[index],
            pulse=self.pulse[index],
            labels=None if self.labels is None else self.labels[index],
        )

    def without_waveforms(self) -> Examples:
        """Return all but the network input, which fills the memory where others hold or make it."""
        return replace(self, waveforms=np.empty((0, *self.waveforms.shape[1:]), np.float32))

    def count(self, label: int) -> int:
        """Return the number of examples of a class."""
        return 0 if self.labels is None else int(np.count_nonzero(self.labels == label))

    def counts(self, classes: Sequence[str]) -> dict[str, int]:
        """Return the number of examples of each class by its name."""
        return {name: self.count(number) for number, name in enumerate(classes)}


def prepared_pulses(
    pulses: Hits, preparation: Preparation, taught: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64], Restoration]:
    """Prepare the pulses that there is a target for.

    Parameters
    ----------
    pulses : Hits
        All of them.
    preparation : Preparation
        From raw samples to network input.
    taught : ndarray of int64
        Positions of the pulses with a target.

    Returns
    -------
    waveforms : ndarray of float32, shape (example, channel, window sample)
        Of those that can be prepared.
    kept : ndarray of int64, shape (example,)
        Their positions.
    restoration : Restoration
        The way back of each.

    Raises
    ------
    DataError
        If the records are too short for the preparation, or have another number of channels.
    SettingsError
        If the sampling periods of pulses and preparation differ.
    """
    period_ns = pulses.sample_period_ns
    if period_ns is not None and not np.isclose(period_ns, preparation.sample_period_ns, rtol=1e-6):
        raise SettingsError(
            f"the preparation is for samples of {preparation.sample_period_ns:g} ns, the pulses have {period_ns:g} ns"
        )
    waveforms = np.empty((len(taught), *preparation.shape), dtype=np.float32)
    n_kept, kept, ways_back = 0, [], []
    for first in range(0, max(1, len(taught)), _AT_ONCE):
        some = taught[first : first + _AT_ONCE]
        present = None if pulses.present is None else pulses.present[some]
        prepared = prepare(pulses.samples[some], preparation, present=present)
        valid = np.flatnonzero(prepared.valid)
        waveforms[n_kept : n_kept + len(valid)] = prepared.waveforms[valid]
        n_kept += len(valid)
        kept.append(some[valid])
        ways_back.append(prepared.restoration[valid])
    return waveforms[:n_kept], np.concatenate(kept), Restoration.joined(ways_back)


def known_examples(
    pulses: Hits, preparation: Preparation, values: NDArray[Any], *, known: NDArray[np.bool_]
) -> Examples:
    """Prepare the pulses whose targets are known, without classes.

    Parameters
    ----------
    pulses : Hits
        All of them.
    preparation : Preparation
        From raw samples to network input.
    values : ndarray, shape (pulse, ...)
        Their targets.
    known : ndarray of bool, shape (pulse,)
        Which of them can be learned from.

    Raises
    ------
    DiscrimenError
        As :func:`prepared_pulses`.
    """
    taught = np.flatnonzero(known)
    waveforms, kept, _ = prepared_pulses(pulses, preparation, taught)
    return Examples(
        waveforms=waveforms,
        targets=values[kept],
        pulse=kept,
        n_unlabelled=len(pulses) - len(taught),
        n_invalid=len(taught) - len(kept),
    )


def require_two_each(examples: Examples, classes: Sequence[str]) -> None:
    """Refuse examples of which one class, or of which all, cannot both teach and judge.

    Raises
    ------
    DataError
        If a class has fewer than two; without classes, if there are fewer than two examples.
    """
    if (min(examples.counts(classes).values()) if classes else len(examples)) < 2:
        told = _told(examples, classes)
        of = "two pulses of each class" if classes else "two pulses"
        raise DataError(
            f"training needs at least {of}, got {told} ({examples.n_unlabelled} without a label and "
            f"{examples.n_invalid} without a pulse were left out): label more"
        )


def part_examples(
    examples: Examples, validation: NDArray[np.bool_], classes: Sequence[str]
) -> tuple[Examples, Examples]:
    """Part examples into those that teach and those that judge.

    Parameters
    ----------
    examples : Examples
        All of them.
    validation : ndarray of bool, shape (pulse,)
        Which of the pulses that the examples were taken from judge.
    classes : sequence of str
        Those that must be on both sides.

    Raises
    ------
    DataError
        If a class, or everything, is missing on one side.
    """
    judges = validation[examples.pulse]
    parts = examples[np.flatnonzero(~judges)], examples[np.flatnonzero(judges)]
    for name, part in zip(("training", "validation"), parts, strict=True):
        if (min(part.counts(classes).values()) if classes else len(part)) == 0:
            raise DataError(
                f"the {name} part has {_told(part, classes)} once the {examples.n_invalid} records without a pulse are "
                "left out: raise the share (--validation-share), or split in another way (--split)"
            )
    return parts


def _told(examples: Examples, classes: Sequence[str]) -> str:
    if not classes:
        return f"{len(examples)} pulses"
    return " and ".join(f"{count} {name}s" for name, count in examples.counts(classes).items())
