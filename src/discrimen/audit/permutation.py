"""Give-away tests for few pulses: every arrangement of the labels, or many random ones, instead of asymptotics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.discriminant import Features

MOST_EXACT = 20_000
"""With at most so many arrangements all are tried."""

N_RANDOM = 4999
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Strongest:
    """The quantity of a give-away test that follows the class most closely.

    Parameters
    ----------
    name : str
        Of the quantity.
    values : ndarray of float64, shape (pulse,)
        The quantity.
    p_value : float
        Chance that any quantity of any of the tests follows the class as closely, if nothing gives the class away.
    """

    name: str
    values: NDArray[np.float64]
    p_value: float


def permutation_tests(
    tests: Mapping[str, Features], is_neutron: NDArray[np.bool_], *, rng: np.random.Generator
) -> dict[str, Strongest]:
    """Test several groups of quantities at once by permuting the labels.

    The statistic is the correlation with the class; that of each group is the largest of its quantities, and its
    p-value the share of arrangements in which any group reaches it (the single-step maximum of Westfall and Young,
    Resampling-Based Multiple Testing, 1993): exact, however the quantities depend on each other, and corrected for
    their number.

    Parameters
    ----------
    tests : mapping of str to Features
        By name.
    is_neutron : ndarray of bool, shape (pulse,)
        The class.
    rng : numpy.random.Generator
        Draws arrangements where there are too many to try all.
    """
    columns = {name: _standardised(features) for name, features in tests.items()}
    labels = arrangements(is_neutron, rng=rng)
    reached = np.zeros(len(labels))
    for values in columns.values():
        if values.shape[1]:
            reached = np.maximum(reached, np.abs(labels @ values).max(axis=1))
    results = {}
    for name, values in columns.items():
        if not values.shape[1]:
            continue
        observed = np.abs(labels[0] @ values)
        best = int(observed.argmax())
        p_value = float(np.mean(reached >= observed[best] - _ROUNDING))
        results[name] = Strongest(_names(tests[name])[best], _raw(tests[name])[:, best], p_value)
    return results


def arrangements(is_neutron: NDArray[np.bool_], *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return standardised labels, the true ones first: shape (arrangement, pulse)."""
    n_pulses, n_neutron = len(is_neutron), int(np.count_nonzero(is_neutron))
    if comb(n_pulses, n_neutron) <= MOST_EXACT:
        chosen = np.array(list(combinations(range(n_pulses), n_neutron)), dtype=np.int64)
        labels = np.zeros((len(chosen), n_pulses))
        np.put_along_axis(labels, chosen, 1.0, axis=1)
        true = (labels == is_neutron).all(axis=1)
        labels = np.concatenate([labels[true], labels[~true]])
    else:
        labels = np.stack([is_neutron, *(rng.permutation(is_neutron) for _ in range(N_RANDOM))]).astype(np.float64)
    labels -= labels.mean(axis=1, keepdims=True)
    return np.asarray(labels / np.linalg.norm(labels, axis=1, keepdims=True))


def _names(features: Features) -> list[str]:
    return [*features.names, *(f"sample {number}" for number in range(features.samples.shape[1]))]


def _raw(features: Features) -> NDArray[np.float64]:
    return np.concatenate([features.quantities, features.samples], axis=1)


def _standardised(features: Features) -> NDArray[np.float64]:
    raw = _raw(features)
    deviation = raw - raw.mean(axis=0)
    norm = np.linalg.norm(deviation, axis=0)
    return np.asarray(deviation / np.where(norm > 0, norm, 1.0))
