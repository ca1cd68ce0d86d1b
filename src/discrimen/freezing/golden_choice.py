"""Which pulses prove a frozen network: a few that together feel every weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.freezing.cost import cost_of
from discrimen.freezing.effects import effects
from discrimen.freezing.places import n_weights_of
from discrimen.freezing.sensitivity import MOST_DIRECTIONS, sensitivities
from discrimen.keras_jax import KerasSession
from discrimen.network.golden import GoldenVectors, exact_values, golden_vectors
from discrimen.network.graph import Network, shapes_of
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import prepare, with_channels

FEWEST, MOST = 32, 256
"""How many golden vectors a frozen file holds."""

MANY_CHANNELS, MOST_OF_MANY = 8, (512, 1024)
"""Of so many channels more vectors are allowed, one step after the other: each channel wakes weights of its own."""

FELT_SHARES = (0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625)
"""Each weight moves some golden value at least so strongly as it moves that of any candidate, times the first of these
for which the pulses suffice: of many channels each weight has few pulses that feel it most."""

MOST_WEIGHTS = 20_000
"""Of larger networks so many weights, drawn at random, choose the pulses."""

MOST_ASLEEP = 1000
"""Of weights that no pulse feels so many are changed one by one, to see whether that wakes them."""

MOST_MULTIPLICATIONS = 2**36
"""Made at most to differentiate a large network for all candidates, and again to wake weights."""

MOST_VALUES = 2**24
"""Samples and output values of all candidates together; of longer records fewer candidates are looked at."""

N_ODD = 256
"""So many candidates of odd shapes are mixed from those that are given."""

ODD_REACH = 2.0
"""Odd candidates give values of up to so many times the largest of the others."""

_NEAR_A_SAMPLE = 1e-3


def choose_golden(
    network: Network,
    description: ModelDescription,
    candidates: NDArray[Any],
    *,
    present: NDArray[np.bool_] | None = None,
    session: KerasSession,
) -> GoldenVectors:
    """Choose golden vectors among raw pulses, and compute what the network must give for them.

    Pulses are taken one after the other, each the one that feels most of the weights that no pulse taken so far does;
    then those nearest to the boundary between classes are added. Odd mixtures of the pulses are candidates, too. Of a
    large network some weights are looked at, drawn at random, and no more candidates than the limits of this module
    allow.

    Parameters
    ----------
    network : Network
        The network.
    description : ModelDescription
        Its description.
    candidates : ndarray of integers or float32, shape (pulse, channel, sample), or (pulse, sample) for one channel
        Raw pulses, from the validation where there are any.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there.
    session : KerasSession
        Lends its JAX.

    Raises
    ------
    DataError
        If no candidate can be prepared, a value is not finite, the outputs do not fit the network, or no choice of
        :data:`MOST` pulses (:data:`MOST_OF_MANY` for many channels) feels all weights that the candidates feel.
    """
    samples = with_channels(candidates, description.preparation)
    given = _Pulses(samples.astype(np.float32 if samples.dtype.kind == "f" else np.int32), present)
    usable = _usable(given, description)
    if not usable.any():
        raise DataError(f"none of {len(samples)} pulses can be prepared as the model wants it, so none can prove it")
    most = _most_candidates(network, description.preparation)
    ordinary = given.some(_drawn(np.flatnonzero(usable), most - min(N_ODD, most // 2)))
    odd = _odd_mixtures(ordinary, min(N_ODD, most // 2))
    odd = odd.some(_usable(odd, description))
    known = golden_vectors(network, description, ordinary.samples, present=ordinary.present)
    pulses = ordinary.joined(odd.some(_as_small(network, description, odd, known)))
    every = golden_vectors(network, description, pulses.samples, present=pulses.present)
    prepared = prepare(pulses.samples, description.preparation, present=pulses.present).waveforms
    most_golden = (MOST,) if description.preparation.n_channels < MANY_CHANNELS else (MOST, *MOST_OF_MANY)
    chosen = _covering(_felt(network, prepared, every.tolerances, session), most_golden)
    nearest = _nearest_to_boundary(description, known.values, FEWEST)  # among the ordinary pulses, which come first
    golden = pulses.some(np.union1d(chosen, nearest))
    return golden_vectors(network, description, golden.samples, present=golden.present)


@dataclass(frozen=True, slots=True, eq=False)
class _Pulses:
    """Raw pulses, shape (pulse, channel, sample), and which channels are there."""

    samples: NDArray[Any]
    present: NDArray[np.bool_] | None

    def some(self, which: NDArray[Any]) -> _Pulses:
        return _Pulses(self.samples[which], None if self.present is None else self.present[which])

    def joined(self, other: _Pulses) -> _Pulses:
        samples = np.concatenate([self.samples, other.samples])
        if self.present is None or other.present is None:
            return _Pulses(samples, None)
        return _Pulses(samples, np.concatenate([self.present, other.present]))


def _most_candidates(network: Network, preparation: Preparation) -> int:
    """Return how many pulses of a large network can be looked at: there are limits for values and multiplications."""
    one = cost_of(network, preparation.shape)
    shapes = shapes_of(network, preparation.shape)
    n_kept = prod(preparation.shape) + sum(prod(shapes[value]) for value in network.outputs)
    passes = 1 + 2 * MOST_DIRECTIONS  # forwards once, and backwards, which takes two, along each direction
    affordable = MOST_MULTIPLICATIONS // max(1, passes * one.multiplications)
    return max(2 * FEWEST, min(affordable, MOST_VALUES // n_kept))


def _drawn(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return all places, or as many as allowed, drawn at random, in their order."""
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(10).choice(places, most, replace=False))


def _odd_mixtures(pulses: _Pulses, n_odd: int) -> _Pulses:
    """Mix pulses of odd shapes from ordinary ones: they wake units that sleep for nearly every ordinary pulse."""
    rng, samples = np.random.default_rng(13), pulses.samples
    first, second, third = rng.integers(0, len(samples), (3, n_odd))
    share = rng.uniform(-1, 1, (n_odd, 1, 1))
    difference = samples[second].astype(np.float64) - samples[third]
    noise = samples.std(dtype=np.float64) * 10 ** rng.uniform(-2, 0, (n_odd, 1, 1)) * rng.normal(size=difference.shape)
    odd = samples[first] + share * difference + noise
    rounded = np.rint(odd) if samples.dtype.kind == "i" else odd
    return _Pulses(rounded.astype(samples.dtype), None if pulses.present is None else pulses.present[first])


def _as_small(network: Network, description: ModelDescription, odd: _Pulses, known: GoldenVectors) -> NDArray[np.bool_]:
    """Say which odd pulses give no values far beyond ordinary ones, which would widen the tolerance."""
    values = exact_values(network, description.preparation, odd.samples, present=odd.present)
    small = np.ones(len(odd.samples), dtype=np.bool_)
    for value, ordinary in zip(values, known.values, strict=True):
        small &= np.abs(value).max(axis=1) <= ODD_REACH * np.abs(ordinary).max()
    return small


def _usable(pulses: _Pulses, description: ModelDescription) -> NDArray[np.bool_]:
    """Say which pulses can be prepared, and by a window that does not hang on the last digit of the crossing."""
    usable = prepare(pulses.samples, description.preparation, present=pulses.present).valid
    if (alignment := description.preparation.alignment) is not None:
        moving = _interpolating(description.preparation, alignment)
        start = prepare(pulses.samples, moving, present=pulses.present).restoration.start
        usable = usable & (np.abs(start - np.rint(start)) > _NEAR_A_SAMPLE)
    return usable


def _interpolating(preparation: Preparation, alignment: Alignment) -> Preparation:
    return replace(preparation, alignment=replace(alignment, interpolate=True))


def _felt(
    network: Network, waveforms: NDArray[np.float32], tolerances: tuple[float, ...], session: KerasSession
) -> NDArray[np.float32]:
    """Return how strongly each pulse feels each weight, or each of some weights of a large network."""
    n_weights = n_weights_of(network)
    drawn = np.arange(n_weights)
    if n_weights > MOST_WEIGHTS:
        drawn = np.random.default_rng(11).choice(n_weights, MOST_WEIGHTS, replace=False)
    felt = sensitivities(network, waveforms, tolerances, drawn, session=session)
    asleep = np.random.default_rng(12).permutation(np.flatnonzero(felt.max(axis=0) == 0))[:MOST_ASLEEP]
    felt[:, asleep] = effects(network, waveforms, tolerances, drawn[asleep], most_multiplications=MOST_MULTIPLICATIONS)
    return felt


def _covering(felt: NDArray[np.float32], most: Sequence[int] = (MOST,)) -> NDArray[np.intp]:
    for limit in most:
        for share in FELT_SHARES:
            chosen, n_missing = _greedy(felt, share, limit)
            if not n_missing:
                return chosen
    raise DataError(
        f"{n_missing} of {felt.shape[1]} weights are felt by none of {limit} pulses: the file would not prove them; "
        "give other pulses"
    )


def _greedy(felt: NDArray[np.float32], share: float, most: int) -> tuple[NDArray[np.intp], int]:
    """Return pulses that together feel all weights by a share of the most, and how many weights none of them feels."""
    strongest = felt.max(axis=0)
    missing = strongest > 0
    covers = felt >= share * strongest
    n_new = covers[:, missing].sum(axis=1)
    chosen: list[int] = []
    while missing.any() and len(chosen) < most:
        best = int(n_new.argmax())
        found = np.flatnonzero(covers[best] & missing)
        missing[found] = False
        n_new -= covers[:, found].sum(axis=1)
        chosen.append(best)
    return np.array(chosen, dtype=np.intp), int(missing.sum())


def _nearest_to_boundary(
    description: ModelDescription, exact: tuple[NDArray[np.float64], ...], count: int
) -> NDArray[np.intp]:
    """Find the pulses whose two highest class values are nearest to each other; the first ones without classes."""
    for output, values in zip(description.outputs, exact, strict=True):
        if output.kind == "classes":
            highest = np.sort(values, axis=1)
            margin = highest[:, -1] - highest[:, -2] if output.activation == "softmax" else np.abs(values).min(axis=1)
            return np.argsort(margin)[:count]
    return np.arange(min(count, len(exact[0])))
