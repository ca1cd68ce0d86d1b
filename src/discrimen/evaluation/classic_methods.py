"""The classic methods beside the network: pulses aligned for them, methods tuned, scores, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, MissingExtraError
from discrimen.evaluation.report import NotComputed
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.pulse_shape import CLASSIC_METHODS, ClassicMethod, Merit, Method, Tuning
from discrimen.pulse_shape.upright import blocks
from discrimen.pulses import Label, Pulses


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
            waveforms = prepare(block, self.preparation).waveforms[:, 0]
            for name, method in there.items():
                parts[name].append(method.score(waveforms))
        return {name: np.concatenate(found) for name, found in parts.items()}


def tuned_methods(
    pulses: Pulses, *, preparation: Preparation, merit: Merit, seed: int, by_energy: bool
) -> dict[str, Method | NotComputed]:
    """Tune classic methods on labelled pulses.

    Parameters
    ----------
    pulses : Pulses
        Kept apart from the evaluation: of one range of energy, or of all.
    preparation : Preparation
        From :func:`discrimen.pulse_shape.upright.aligned_preparation`.
    merit : callable
        From scores of these pulses to a number, the higher the better.
    seed : int
        Of whatever a method draws.
    by_energy : bool
        Whether to tune the methods that are tuned for each range of energy, or the others.
    """
    tuning = Tuning(
        waveforms=prepare(pulses.samples, preparation).waveforms[:, 0],
        is_neutron=pulses.column("label") == Label.NEUTRON,
        sample_period_ns=preparation.sample_period_ns,
        merit=merit,
        seed=seed,
    )
    return {method.name: _tuned(method, tuning) for method in CLASSIC_METHODS if method.by_energy == by_energy}


def _tuned(method: ClassicMethod, tuning: Tuning) -> Method | NotComputed:
    try:
        return method.tune(tuning)
    except (DataError, MissingExtraError) as error:
        return NotComputed(str(error))
