"""Latents: the numbers of an auto-encoder's code over many pulses, and whether they carry separate information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics.roc import auc
from discrimen.pulses import Label

ACTIVE_SHARE = 0.01
"""Least variance of an active latent, as a share of the largest one; after Y. Burda et al., arXiv:1509.00519."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Latents:
    """The latents of many pulses.

    Parameters
    ----------
    n_pulses : int
        Those whose code is finite.
    mean, deviation : ndarray of float64, shape (latent,)
        Over the pulses.
    active : ndarray of bool, shape (latent,)
        Whether the variance is at least :data:`ACTIVE_SHARE` of the largest. A latent that is not says next to nothing:
        it could be left out.
    correlation : ndarray of float64, shape (latent, latent)
        Pearson's; NaN for a latent that does not vary.
    class_auc : ndarray of float64, shape (latent,), or None
        How well each latent alone parts gammas from neutrons, whichever is higher: 0.5 not at all, 1 completely; None
        where the classes are not known.
    """

    n_pulses: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    active: NDArray[np.bool_]
    correlation: NDArray[np.float64]
    class_auc: NDArray[np.float64] | None = None

    @property
    def n_active(self) -> int:
        """How many latents are active."""
        return int(np.count_nonzero(self.active))

    @property
    def largest(self) -> tuple[float, tuple[int, int]] | None:
        """The correlation of two active latents that is largest in size, and their numbers; None with less than two."""
        if self.n_active < 2:
            return None
        places = np.flatnonzero(self.active)
        between = np.triu(self.correlation[np.ix_(places, places)], 1)
        row, column = np.unravel_index(np.argmax(np.abs(between)), between.shape)
        return float(between[row, column]), (int(places[row]), int(places[column]))

    def summary(self) -> dict[str, Any]:
        """Return what a model's description keeps: how many latents are active, and the largest correlation."""
        largest = self.largest
        return {
            "n_pulses": self.n_pulses,
            "n_latents": len(self.mean),
            "n_active": self.n_active,
            "largest_correlation": None if largest is None else largest[0],
            "most_correlated": None if largest is None else list(largest[1]),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            **self.summary(),
            "active": self.active.tolist(),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "correlation": [[value if isfinite(value) else None for value in row] for row in self.correlation.tolist()],
            "class_auc": None if self.class_auc is None else self.class_auc.tolist(),
        }


def latents_words(summary: Mapping[str, Any]) -> str:
    """Return as a sentence what :meth:`Latents.summary` holds."""
    told = f"{summary['n_active']} of {summary['n_latents']} latents are active"
    if summary["most_correlated"] is None:
        return told
    first, second = summary["most_correlated"]
    value = summary["largest_correlation"]
    return f"{told}, the largest correlation of two of them is {value:+.2f} (latents {first} and {second})"


def latents_of(code: NDArray[Any], label: NDArray[Any] | None = None) -> Latents:
    """Measure the latents of pulses.

    Parameters
    ----------
    code : ndarray of float, shape (pulse, latent)
        Pulses with a value that is no number are left out.
    label : ndarray of int, shape (pulse,), optional
        Values of :class:`~discrimen.pulses.Label`.

    Raises
    ------
    DataError
        If fewer than two pulses have a code.
    """
    there = np.isfinite(code).all(axis=1)
    values = np.asarray(code[there], dtype=np.float64)
    if len(values) < 2:
        raise DataError(f"correlations of latents take two pulses with a code or more, got {len(values)}")
    deviation = values.std(axis=0)
    moving = deviation > 0
    standard = (values - values.mean(axis=0)) / np.where(moving, deviation, 1.0)
    correlation = standard.T @ standard / len(values)
    correlation[~moving] = correlation[:, ~moving] = np.nan
    correlation[np.diag_indices_from(correlation)] = np.where(moving, 1.0, np.nan)
    return Latents(
        n_pulses=len(values),
        mean=values.mean(axis=0),
        deviation=deviation,
        active=moving & (deviation**2 >= ACTIVE_SHARE * (deviation**2).max()),
        correlation=correlation,
        class_auc=None if label is None else _class_auc(values, label[there]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Pulses in two numbers of their code.

    Parameters
    ----------
    points : ndarray of float64, shape (pulse, 2)
        NaN where a pulse has no code.
    names : tuple of str
        Of the two axes.
    """

    points: NDArray[np.float64]
    names: tuple[str, str]


def latent_plane(code: NDArray[Any], latents: Latents) -> Plane:
    """Choose the plane that shows most: the two latents that part the classes best, else two principal components.

    Parameters
    ----------
    code : ndarray of float, shape (pulse, latent)
        Of the pulses to show.
    latents : Latents
        Of these pulses, or of more of the same kind.

    Raises
    ------
    DataError
        If the code has one number only.
    """
    if code.shape[1] < 2:
        raise DataError("a plane of latents takes a code of two numbers or more")
    values = np.asarray(code, dtype=np.float64)
    if latents.class_auc is not None:
        first, second = np.argsort(-latents.class_auc, kind="stable")[:2].tolist()
        names = tuple(f"latent {each} (AUC {latents.class_auc[each]:.2f})" for each in (first, second))
        return Plane(values[:, [first, second]], (names[0], names[1]))
    moving = latents.deviation > 0
    correlation = np.nan_to_num(latents.correlation)
    variances, directions = np.linalg.eigh(correlation)
    standard = (values - latents.mean) / np.where(moving, latents.deviation, 1.0)
    shares = variances[::-1] / max(variances.sum(), np.finfo(np.float64).tiny)
    labels = tuple(f"principal component {number + 1} ({shares[number]:.0%})" for number in range(2))
    return Plane(standard @ directions[:, ::-1][:, :2], (labels[0], labels[1]))


def _class_auc(values: NDArray[np.float64], label: NDArray[Any]) -> NDArray[np.float64] | None:
    known: Sequence[Label] = (Label.GAMMA, Label.NEUTRON)
    chosen = np.isin(label, known)
    if any(not (label == kind).any() for kind in known):
        return None
    areas = np.array([auc(column[chosen], label[chosen]).value for column in values.T])
    return np.asarray(np.maximum(areas, 1 - areas))
