"""An adopted network held against its own runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.adoption.runtimes import Finish, Runtime
from discrimen.errors import DataError
from discrimen.network.golden import exact_values
from discrimen.network.graph import Network
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare

LARGEST_DIFFERENCE = 1e-5
"""Of an output's scale: 1 for scores, the largest value for the rest."""

LARGEST_SHARE_OF_SPREAD = 0.01
"""Of how much an output differs among the pulses: where all give the same, a difference could not be seen."""

N_MADE_UP = 64
"""Pulses that are made up where none are given."""

MOST_PULSES = 256
"""More pulses show no more, and a network may be slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How an adopted network compares with its own runtime.

    Parameters
    ----------
    n_pulses : int
        Compared.
    differences : tuple of float
        The largest of each output, as a share of its scale.
    """

    n_pulses: int
    differences: tuple[float, ...]

    @property
    def worst(self) -> float:
        """The largest difference of all outputs."""
        return max(self.differences)


def check_network(
    network: Network,
    preparation: Preparation,
    runtime: Runtime,
    finishes: Sequence[Finish],
    samples: NDArray[np.generic],
) -> Check:
    """Compute pulses by the network in float64 and by its own runtime, and compare.

    Parameters
    ----------
    network : Network
        The adopted one.
    preparation : Preparation
        Of its input.
    runtime : Runtime
        What computes the file as it came.
    finishes : sequence of Finish
        For each output.
    samples : ndarray, shape (pulse, channel, sample), or (pulse, sample) for one channel
        Raw pulses.

    Raises
    ------
    DataError
        If no pulse can be prepared, all of them give nearly the same, or an output is off by more than
        :data:`LARGEST_DIFFERENCE` of its scale.
    """
    samples = _spread(samples)
    prepared = prepare(samples, preparation)
    valid = np.flatnonzero(prepared.valid)
    if len(valid) < 2:
        raise DataError(
            f"expected pulses that can be prepared, {len(valid)} of {len(samples)} can: check the preparation"
        )
    given = runtime(prepared.waveforms[valid])
    exact = exact_values(network, preparation, samples[valid])
    differences = []
    for finish, theirs, ours in zip(finishes, given, exact, strict=True):
        differences.append(_difference(finish, finish(theirs), finish.output.finish(ours)))
    return Check(n_pulses=len(valid), differences=tuple(differences))


def _difference(finish: Finish, wanted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Return the largest difference as a share of the output's scale, if it is small enough to prove something."""
    where = f"output {finish.output.name!r}"
    if not np.isfinite(wanted).all():
        raise DataError(f"{where} is not finite in the network's own runtime")
    scale = 1.0 if finish.output.kind == "classes" else float(np.abs(wanted).max(initial=1e-30))
    difference, spread = float(np.abs(wanted - found).max()), float(np.ptp(wanted, axis=0).max())
    if not difference <= LARGEST_DIFFERENCE * scale:
        raise DataError(
            f"{where} is off what its own runtime gives by {difference / scale:.3g} of its scale, allowed are "
            f"{LARGEST_DIFFERENCE:g}: nothing was written; is it a network in half precision?"
        )
    if not difference <= LARGEST_SHARE_OF_SPREAD * spread or spread == 0:
        raise DataError(
            f"{where} differs by {spread:.3g} among {len(wanted)} pulses, too little to prove that the network is the "
            "same: give pulses of your detector with --pulses, or check the preparation"
        )
    return difference / scale


def _spread(samples: NDArray[np.generic]) -> NDArray[np.generic]:
    """Take pulses from everywhere in a run, so that all kinds are among them."""
    step = max(1, len(samples) // MOST_PULSES)
    return samples[::step][:MOST_PULSES]
