"""Tuning for a range of energy: pulses that are not those of the evaluation, what judges them, the best gates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import EnergyBin, leaked_share
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.charge import best_gates
from discrimen.pulse_shape.upright import upright
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import GatesNs

TUNED_EFFICIENCY = 0.95
"""What is tuned has the least gamma leakage at this neutron efficiency."""

MINIMUM_TUNING_PULSES = 200
"""Of each class: with fewer the search would fit noise."""

MAXIMUM_TUNING_PULSES = 50_000
"""Of each class. Good gates leak one gamma in a thousand: with a few thousand gammas the search would choose by chance,
and charge comparison would look worse than it is."""

FEWEST_LONG_RECORDS = 6000
_LARGEST_WAVEFORMS = 2**25
"""Samples in memory: longer records are limited to fewer pulses, but not to fewer than the number above."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TuningSelection:
    """Labelled pulses to tune on.

    Parameters
    ----------
    pulses : Pulses
        With the column label, none unknown.
    energy_kevee : ndarray of float64, shape (pulse,), or None
        Their light.
    """

    pulses: Pulses
    energy_kevee: NDArray[np.float64] | None


def tuned_gates(
    selection: TuningSelection, *, energy: EnergyBin | None, preparation: Preparation, rng: np.random.Generator
) -> GatesNs:
    """Search the gates with the least leakage at 95 % neutron efficiency in a range of energy.

    Parameters
    ----------
    selection : TuningSelection
        Pulses kept apart from the evaluation.
    energy : EnergyBin or None
        The range; None for all pulses.
    preparation : Preparation
        Baseline window and polarity.
    rng : Generator
        Chooses among the pulses where there are more than needed.

    Raises
    ------
    DataError
        If the range holds too few tuning pulses, or their energies are unknown.
    """
    pulses = tuning_pulses(selection, energy=energy, rng=rng)
    turned = upright(pulses.samples, preparation)
    found = best_gates(
        turned.waveforms,
        crossing=turned.crossing,
        sample_period_ns=pulses.require_sample_period_ns(),
        merit=merit_on(pulses),
    )
    return found.gates


def tuning_pulses(selection: TuningSelection, *, energy: EnergyBin | None, rng: np.random.Generator) -> Pulses:
    """Choose the pulses of a range of energy to tune a method on.

    Parameters
    ----------
    selection, energy, rng
        As in :func:`tuned_gates`.

    Raises
    ------
    DataError
        If the range holds too few tuning pulses, or their energies are unknown.
    """
    labels = selection.pulses.column("label")
    inside = np.ones(len(labels), dtype=np.bool_)
    if energy is not None:
        if selection.energy_kevee is None:
            raise DataError("not tuned: the tuning pulses have no energies")
        inside = energy.contains(selection.energy_kevee)
    most = int(
        np.clip(_LARGEST_WAVEFORMS // (2 * selection.pulses.n_samples), FEWEST_LONG_RECORDS, MAXIMUM_TUNING_PULSES)
    )
    chosen = np.concatenate([_choose(inside & (labels == label), most, rng) for label in (Label.GAMMA, Label.NEUTRON)])
    return selection.pulses[chosen]


def merit_on(pulses: Pulses) -> Callable[[NDArray[np.float64]], float]:
    """Return what judges scores of these pulses: the less gamma leakage at 95 % neutron efficiency, the better."""
    is_neutron = pulses.column("label") == Label.NEUTRON

    def merit(scores: NDArray[np.float64]) -> float:
        leakage = leaked_share(scores[~is_neutron], scores[is_neutron], efficiency=TUNED_EFFICIENCY)
        # Among those that leak nothing, the one that parts the classes most.
        return -leakage if leakage > 0 else _separation(scores[~is_neutron], scores[is_neutron])

    return merit


def _choose(candidates: NDArray[np.bool_], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    at = np.flatnonzero(candidates)
    if len(at) < MINIMUM_TUNING_PULSES:
        raise DataError(
            f"not tuned: a class has {len(at)} tuning pulses here, at least {MINIMUM_TUNING_PULSES} are needed"
        )
    return rng.choice(at, most, replace=False) if len(at) > most else at


def _separation(gamma: NDArray[np.float64], neutron: NDArray[np.float64]) -> float:
    return float((np.nanmean(neutron) - np.nanmean(gamma)) / (np.nanstd(neutron) + np.nanstd(gamma)))
