"""The classic methods beside the network: pulses aligned for them, methods tuned, scores, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.evaluation.discriminants import blocks, crossing_fraction, upright
from discrimen.evaluation.report import NotComputed
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import prepare
from discrimen.pulse_shape import (
    BoostedTree,
    Merit,
    Method,
    train_boosted_tree,
    tune_frequency_gradient,
    tune_gatti,
    tune_pulse_gradient,
)
from discrimen.pulses import Label, Pulses

TUNED_METHODS = ("gatti", "pulse_gradient", "frequency_gradient")
"""Methods that are tuned anew for each range of energy; the boosted tree sees the height of the pulse itself."""

_BEFORE_NS, _FEWEST_BEFORE_SAMPLES = 20.0, 2
_ALIGNMENT_PULSES = 20_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClassicMethods:
    """Tuned methods by name, or why one is missing, with the way to their waveforms.

    Parameters
    ----------
    methods : mapping of str to Method or NotComputed
        By the names of :data:`discrimen.evaluation.report.METHODS`.
    preparation : Preparation
        Aligns pulses for them.
    """

    methods: Mapping[str, Method | NotComputed]
    preparation: Preparation

    def scores(self, samples: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Score raw pulses with every method that is there, NaN where a pulse has no score."""
        there = {name: method for name, method in self.methods.items() if not isinstance(method, NotComputed)}
        parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in there}
        for block in blocks(samples) if there else ():
            waveforms = prepare(block, self.preparation).waveforms
            for name, method in there.items():
                parts[name].append(method.score(waveforms))
        return {name: np.concatenate(found) for name, found in parts.items()}


def aligned_preparation(samples: NDArray[Any], preparation: Preparation) -> Preparation:
    """Return a preparation that aligns whole records on their leading edge, in ADC counts.

    Baseline window, polarity and the fraction of the crossing are the model's. The window starts a little before the
    crossing and ends where nine of ten records still have samples.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw tuning pulses.
    preparation : Preparation
        Of the model.

    Raises
    ------
    DataError
        If no pulse has a crossing.
    """
    crossing = upright(samples[:_ALIGNMENT_PULSES], preparation).crossing
    known = crossing[np.isfinite(crossing)]
    if not len(known):
        raise DataError("no pulse has a constant-fraction crossing: check polarity and baseline window")
    before = max(_FEWEST_BEFORE_SAMPLES, round(_BEFORE_NS / preparation.sample_period_ns))
    length = before + int(samples.shape[1] - np.quantile(known, 0.9))
    alignment = Alignment(fraction=crossing_fraction(preparation), position=before, interpolate=True)
    return replace(preparation, alignment=alignment, window_start=0, window_length=length, scale="none")


def tuned_methods(pulses: Pulses, *, preparation: Preparation, merit: Merit) -> dict[str, Method | NotComputed]:
    """Tune the linear filter and both gradients on labelled pulses of one range of energy.

    Parameters
    ----------
    pulses : Pulses
        Kept apart from the evaluation.
    preparation : Preparation
        From :func:`aligned_preparation`.
    merit : callable
        From scores of these pulses to a number, the higher the better.
    """
    waveforms, is_neutron = prepare(pulses.samples, preparation).waveforms, pulses.column("label") == Label.NEUTRON
    period_ns = preparation.sample_period_ns
    tunings: dict[str, Callable[[], Method]] = {
        "gatti": lambda: tune_gatti(waveforms, is_neutron, sample_period_ns=period_ns, merit=merit),
        "pulse_gradient": lambda: tune_pulse_gradient(waveforms, sample_period_ns=period_ns, merit=merit),
        "frequency_gradient": lambda: tune_frequency_gradient(waveforms, sample_period_ns=period_ns, merit=merit),
    }
    found: dict[str, Method | NotComputed] = {}
    for name, tune in tunings.items():
        try:
            found[name] = tune()
        except DataError as error:
            found[name] = NotComputed(str(error))
    return found


def trained_tree(pulses: Pulses, *, preparation: Preparation, seed: int) -> BoostedTree:
    """Train the boosted tree on labelled pulses of all energies.

    Parameters
    ----------
    pulses, preparation
        As in :func:`tuned_methods`.
    seed : int
        Of the training.
    """
    waveforms = prepare(pulses.samples, preparation).waveforms
    return train_boosted_tree(waveforms, pulses.column("label") == Label.NEUTRON, seed=seed)
