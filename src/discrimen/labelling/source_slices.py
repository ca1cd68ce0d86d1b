"""The share of neutrons and the thinning of each slice of energy, for labels by source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.band_fit import FEWEST_IN_SLICE, slice_edges
from discrimen.labelling.places import Place
from discrimen.labelling.source_shape import RunShapes
from discrimen.labelling.source_share import LEAST_SEPARATION, ShareFit, fit_neutron_share, shape_direction

FEWEST_GAMMAS = 200
"""Of the gamma runs in a slice; with fewer the slice is left out."""

_ENERGY_QUANTILES = (0.001, 0.999)
_N_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Slice:
    """A slice of energy of one channel.

    Parameters
    ----------
    place : Place
        The channel.
    low, high : float
        Edges.
    n_gamma, n_mixed : int
        Pulses of the gamma runs and of the mixed runs.
    fit : ShareFit
        NaN with a separation of 0 where the gamma runs have too few pulses.
    share, drawn
        Of neutrons in the mixed runs, fitted here or continued from the neighbours; as in :class:`ShareFit`.
    keep_gamma, keep_mixed : float
        Share of the pulses that get a label.
    """

    place: Place
    low: float
    high: float
    n_gamma: int
    n_mixed: int
    fit: ShareFit
    share: float
    drawn: NDArray[np.float64]
    keep_gamma: float = 0.0
    keep_mixed: float = 0.0

    @property
    def parted(self) -> bool:
        """Whether the classes part, so that the share was fitted here."""
        return self.fit.separation >= LEAST_SEPARATION

    @property
    def usable(self) -> bool:
        """Whether there are enough gammas on both sides."""
        return self.n_gamma >= FEWEST_GAMMAS and self.share < 1

    @property
    def ratio(self) -> float:
        """Gammas of the gamma runs over those of the mixed runs."""
        return self.n_gamma / ((1 - self.share) * self.n_mixed)

    def distance(self, other: Slice) -> float:
        """Return how far two slices lie apart, on a logarithmic scale."""
        return float(abs(np.log(self.low * self.high / (other.low * other.high))))


def channel_slices(
    gamma: RunShapes,
    mixed: RunShapes,
    *,
    place: Place,
    energy_range: tuple[float, float] | None,
    n_draws: int,
    rng: np.random.Generator,
) -> list[Slice]:
    """Cut the energies of one channel into slices and fit the share of neutrons in each.

    Parameters
    ----------
    gamma, mixed : RunShapes
        Of the channel, all with a positive energy.
    place : Place
        Which channel that is.
    energy_range : tuple of float, optional
        By default nearly all of the mixed runs.
    n_draws : int
        Repetitions behind intervals.
    rng : numpy.random.Generator
        For halves and repetitions.

    Raises
    ------
    DataError
        If there are too few pulses, or the classes part in no slice.
    """
    if len(gamma) < FEWEST_GAMMAS or len(mixed) < FEWEST_IN_SLICE:
        raise DataError(
            f"{len(gamma)} usable pulses of gamma runs and {len(mixed)} of mixed runs; at least {FEWEST_GAMMAS} and "
            f"{FEWEST_IN_SLICE} are needed to compare shapes in one slice of energy"
        )
    low, high = energy_range or (float(edge) for edge in np.quantile(mixed.energy, _ENERGY_QUANTILES))
    slices = [
        _fitted_slice(gamma, mixed, float(bottom), float(top), place=place, n_draws=n_draws, rng=rng)
        for bottom, top in pairwise(slice_edges(mixed.energy, low=low, high=high))
    ]
    parted = [part for part in slices if part.parted]
    if not parted:
        raise DataError(
            f"in none of {len(slices)} slices of energy do the mixed runs show a second kind of pulse apart from the "
            f"{len(gamma)} of the gamma runs: check that the right runs are given, or take more pulses"
        )
    return [part if part.parted else _continued(part, parted) for part in slices]


def _fitted_slice(
    gamma: RunShapes,
    mixed: RunShapes,
    low: float,
    high: float,
    *,
    place: Place,
    n_draws: int,
    rng: np.random.Generator,
) -> Slice:
    inside = [run.charges[(run.energy >= low) & (run.energy < high)].astype(np.float64) for run in (gamma, mixed)]
    n_gamma, n_mixed = (len(charges) for charges in inside)
    fit = ShareFit(share=np.nan, separation=0.0, drawn=np.full(n_draws, np.nan))
    if n_gamma >= FEWEST_GAMMAS:
        fit = _fit_by_halves(*inside, n_draws=n_draws, rng=rng)
    return Slice(
        place=place, low=low, high=high, n_gamma=n_gamma, n_mixed=n_mixed, fit=fit, share=fit.share, drawn=fit.drawn
    )


def _continued(part: Slice, parted: list[Slice]) -> Slice:
    """Give a slice the share of the nearest ones together where the classes part."""
    known = sorted(parted, key=part.distance)[:_N_NEIGHBOURS]
    weights = np.array([one.n_mixed for one in known]) / sum(one.n_mixed for one in known)
    share = float(weights @ np.array([one.share for one in known]))
    return replace(part, share=share, drawn=weights @ np.stack([one.drawn for one in known]))


def _fit_by_halves(
    gamma: NDArray[np.float64], mixed: NDArray[np.float64], *, n_draws: int, rng: np.random.Generator
) -> ShareFit:
    """Learn the direction on one half and fit on the other, both ways round."""
    halves = [(rng.permutation(len(run)) % 2).astype(bool) for run in (gamma, mixed)]
    fits = []
    for turn in (False, True):
        learn, judge = ([run[half == side] for run, half in zip((gamma, mixed), halves, strict=True)]
                        for side in (turn, not turn))  # fmt: skip
        direction = shape_direction(*learn)
        fits.append(fit_neutron_share(*(run @ direction for run in judge), n_draws=n_draws, rng=rng))
    return ShareFit(
        share=float(np.mean([fit.share for fit in fits])),
        separation=min(fit.separation for fit in fits),
        drawn=np.mean([fit.drawn for fit in fits], axis=0),
    )


def balanced(slices: list[Slice]) -> list[Slice]:
    """Choose what is kept such that the gammas of both kinds of run have the same spectrum of energy.

    In every slice the gammas of gamma runs over those of mixed runs must have one ratio. Of the ratios that leave one
    slice whole, the one that keeps most counts: the highest n_gamma n_mixed / (n_gamma + n_mixed).

    Raises
    ------
    DataError
        If the mixed runs hold no gammas.
    """
    used = [part for part in slices if part.usable]
    if not used:
        raise DataError("the mixed runs hold no gammas: label them with --method neutron")
    best = max((_thinned(used, part.ratio) for part in used), key=_n_effective)
    kept = {(part.place, part.low): part for part in best}
    return [kept.get((part.place, part.low), part) for part in slices]


def _thinned(slices: list[Slice], ratio: float) -> list[Slice]:
    return [
        replace(part, keep_gamma=min(1.0, ratio / part.ratio), keep_mixed=min(1.0, part.ratio / ratio))
        for part in slices
    ]


def _n_effective(slices: list[Slice]) -> float:
    n_gamma = sum(part.keep_gamma * part.n_gamma for part in slices)
    n_mixed = sum(part.keep_mixed * part.n_mixed for part in slices)
    return n_gamma * n_mixed / (n_gamma + n_mixed)
