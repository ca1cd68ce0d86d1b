"""The cuts of one energy slice: where they lie, how pure and how efficient they are, and how well that is known.

Everything here is in places between the bands at the energy of each pulse: 0 is the centre of the gammas, 1 that of the
neutrons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.labelling.band_fit import Bands, SliceFit
from discrimen.labelling.band_shape import FlankShape
from discrimen.metrics import wilson_interval
from discrimen.metrics.intervals import normal_quantile

OUTER_SIGMAS = 3.0
"""How far outside of a band's centre a pulse may lie and still get its label: beyond are pile-up and cut pulses."""

LEAST_PROBABILITY = 0.9
"""That each single pulse is of its label, by the fit: a cut begins no closer to the other band."""

WIDTH_ERROR = 0.15
"""Of a skewed band: how much narrower its Gaussian comes out where the bands overlap than where its shape was seen."""

_N_BINS = 120
_N_TRIED = 60
_N_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCut:
    """What is labelled as one class in one slice.

    Parameters
    ----------
    labelled : bool
        Whether the wished purity is reached; if not, nothing gets this label here.
    reason : str
        Why not; empty if so.
    place_low, place_high : float
        Limits between the bands: 0 is the centre of the gammas, 1 that of the neutrons.
    psd_low, psd_high : float
        The same as PSD at the centre of the slice.
    n_accepted : int
        Pulses between the limits.
    purity, purity_low, purity_high : float
        Share of them that are of the class: the worse of the two estimates, and the range of both intervals.
    purity_by_fit, purity_by_mirror : float
        From the fitted Gaussians; from the pulses on the outer side of the other band.
    purity_by_shape : float or None
        From the shape that the other band has where both part best; None where they do so nowhere.
    purity_by_gamma_run : float or None
        From a run without neutrons: as many of its pulses as lie there. Neutrons only, and only if such a run is given.
    efficiency, efficiency_low, efficiency_high : float
        Share of the class's own band between the limits, by the fit.
    purity_at_one_cut : float
        By the fit, if every pulse had to be labelled, by the likelier class: how far the bands have merged.
    """

    labelled: bool
    reason: str
    place_low: float
    place_high: float
    psd_low: float
    psd_high: float
    n_accepted: int
    purity: float
    purity_low: float
    purity_high: float
    purity_by_fit: float
    purity_by_mirror: float
    purity_by_shape: float | None
    purity_by_gamma_run: float | None
    efficiency: float
    efficiency_low: float
    efficiency_high: float
    purity_at_one_cut: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Side:
    """One class against the other, places turned so that the class lies towards higher ones.

    Draws come first in each array of shape (draw,); the first one is the fit itself.
    """

    own_area: NDArray[np.float64]
    own_mean: NDArray[np.float64]
    own_sigma: NDArray[np.float64]
    other_area: NDArray[np.float64]
    other_mean: NDArray[np.float64]
    other_sigma: NDArray[np.float64]
    other_shape: FlankShape | None = None
    other_run: NDArray[np.float64] | None = None

    @property
    def top(self) -> float:
        return float(self.own_mean[0] + OUTER_SIGMAS * self.own_sigma[0])

    def own(self, cut: Any) -> Any:
        """Return how many of the class lie above a cut, shape (draw,)."""
        return self.own_area * _between(cut, self.top, self.own_mean, self.own_sigma)

    def other(self, cut: Any) -> Any:
        """Return how many of the other class lie above a cut."""
        return self.other_area * _between(cut, self.top, self.other_mean, self.other_sigma)

    def purity(self, cut: float) -> NDArray[np.float64]:
        own, other = self.own(cut), self.other(cut)
        share: NDArray[np.float64] = own / np.maximum(own + other, 1e-300)
        return share

    def purity_by_shape(self, cut: float, *, nearer: float = 1.0) -> float | None:
        """Return the purity if the other band has its shape of where both part best; None where that is not known.

        The cut may be taken for nearer to the other band than it is in widths of its Gaussian.
        """
        if self.other_shape is None:
            return None
        distance = nearer * (cut - self.other_mean[0]) / self.other_sigma[0]
        wrong = self.other_area[0] * self.other_shape.beyond(float(distance))
        return float(1 - wrong / max(wrong + self.own(cut)[0], 1e-300))

    def leaked_of_run(self, cut: float, confidence: float) -> tuple[float, float, float] | None:
        """Return the share of a run of the other class that lies above a cut, with its interval."""
        if self.other_run is None or not len(self.other_run):
            return None
        leaked = wilson_interval(_count(self.other_run, cut, self.top), len(self.other_run), confidence=confidence)
        return leaked.value, leaked.low, leaked.high

    def purity_by_run(self, cut: float, confidence: float) -> tuple[float, float, float] | None:
        """Return the purity and its interval as a run of the other class has it; None without one."""
        leaked = self.leaked_of_run(cut, confidence)
        if leaked is None:
            return None
        wrong, wrong_low, wrong_high = self.other_area[0] * np.array(leaked)
        # How many gammas of this run lie there is a count too, beside that of the control.
        noise = normal_quantile(confidence) ** 2 * wrong
        least = max(0.0, wrong - np.sqrt((wrong - wrong_low) ** 2 + noise))
        most = wrong + np.sqrt((wrong_high - wrong) ** 2 + noise)
        own = max(float(self.own(cut)[0]), 1e-300)
        return own / (own + wrong), own / (own + most), own / (own + least)

    def least_purity(self, place: NDArray[np.float64], cut: float, confidence: float) -> float:
        """Return the worst of all estimates at a cut."""
        shape, run = self.purity_by_shape(cut), self.purity_by_run(cut, confidence)
        known = [float(self.purity(cut)[0]), _mirrored(self, place, cut, confidence)[0]]
        return min([*known, *([] if shape is None else [shape]), *([] if run is None else [run[0]])])

    def realised_purity(self, cut: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the purity with as many of each class above the cut as chance gives, shape (draw,)."""
        own, other = rng.poisson(self.own(cut)), rng.poisson(self.other(cut))
        share: NDArray[np.float64] = own / np.maximum(own + other, 1)
        return share


def choose_cuts(
    place: NDArray[np.float64],
    *,
    fit: SliceFit,
    bands: Bands,
    purity: float,
    least_efficiency: float,
    n_draws: int,
    confidence: float,
    rng: np.random.Generator,
    flanks: tuple[FlankShape | None, FlankShape | None] = (None, None),
    gamma_run: NDArray[np.float64] | None = None,
) -> tuple[ClassCut, ClassCut]:
    """Choose the cuts of one slice, gammas first.

    The shares of the classes are those that fit the slice best with the smooth bands. Intervals come from repetitions
    in which the pulses are resampled (each bin of the histogram by its Poisson law) and the bands from the covariance
    of their curves.

    Parameters
    ----------
    place : ndarray of float64, shape (pulse,)
        From :meth:`~discrimen.labelling.band_fit.Bands.place`.
    fit, bands
        The slice and the smooth bands.
    purity, least_efficiency, n_draws, confidence
        As in :class:`~discrimen.labelling.band.BandOptions`.
    rng : numpy.random.Generator
        For the repetitions.
    flanks : tuple of FlankShape or None
        Of gammas and of neutrons, where they part best.
    gamma_run : ndarray of float64, shape (pulse,), optional
        Places of the pulses of a run without neutrons.
    """
    at = np.array([fit.centre])
    central = bands.at(at)[:, 0]
    drawn = bands.drawn(at, n_draws=n_draws, rng=rng)[:, :, 0]
    shapes = np.concatenate([central[:, np.newaxis], drawn], axis=1)
    distance = central[2] - central[0]
    shapes[[0, 2]] -= central[0]
    shapes /= distance
    gamma_area, neutron_area = _areas(place, shapes, rng)
    gamma_mean, gamma_sigma, neutron_mean, neutron_sigma = shapes
    neutrons = _Side(
        own_area=neutron_area, own_mean=neutron_mean, own_sigma=neutron_sigma,
        other_area=gamma_area, other_mean=gamma_mean, other_sigma=gamma_sigma,
        other_shape=flanks[0], other_run=None if gamma_run is None else np.sort(gamma_run),
    )  # fmt: skip
    gammas = _Side(
        own_area=gamma_area, own_mean=-gamma_mean, own_sigma=gamma_sigma,
        other_area=neutron_area, other_mean=-neutron_mean, other_sigma=neutron_sigma, other_shape=flanks[1],
    )  # fmt: skip
    wish = _Wish(purity, least_efficiency, confidence, fit.problem)
    gamma, neutron = (
        _cut(side, sign * place, sign, psd_of=(central[0], distance), wish=wish, rng=rng)
        for side, sign in ((gammas, -1), (neutrons, 1))
    )
    return gamma, neutron


@dataclass(frozen=True, slots=True)
class _Wish:
    purity: float
    least_efficiency: float
    confidence: float
    no_fit: str


def _cut(
    side: _Side,
    place: NDArray[np.float64],
    sign: int,
    *,
    psd_of: tuple[float, float],
    wish: _Wish,
    rng: np.random.Generator,
) -> ClassCut:
    place = np.sort(place)
    one_cut, first, last = _cut_range(side, wish.least_efficiency)
    cut, reached = last, False
    for tried in np.linspace(first, last, _N_TRIED):
        if side.least_purity(place, float(tried), wish.confidence) >= wish.purity:
            cut, reached = float(tried), True
            break
    by_fit = side.purity(cut)
    tails = (1 - wish.confidence) / 2, (1 + wish.confidence) / 2
    fit_low, fit_high = np.quantile(side.realised_purity(cut, rng)[1:], tails)
    mirror, mirror_low, mirror_high = _mirrored(side, place, cut, wish.confidence)
    efficiency = _between(cut, side.top, side.own_mean, side.own_sigma)
    efficiency_low, efficiency_high = np.quantile(efficiency[1:], tails)
    purity = side.least_purity(place, cut, wish.confidence)
    by_shape, by_run = side.purity_by_shape(cut), side.purity_by_run(cut, wish.confidence)
    by_shape_low = side.purity_by_shape(cut, nearer=1 - WIDTH_ERROR)
    lows = [fit_low, mirror_low, by_shape_low, None if by_run is None else by_run[1]]
    reason = ""
    if wish.no_fit:
        reason = f"bands continued from other slices, for this one has no fit: {wish.no_fit}"
    elif not reached:
        reason = f"purity {purity:.4f} at the least efficiency, {wish.purity:g} wished"
    low, high = sorted((sign * cut, sign * side.top))
    return ClassCut(
        labelled=not reason,
        reason=reason,
        place_low=low,
        place_high=high,
        psd_low=float(psd_of[0] + low * psd_of[1]),
        psd_high=float(psd_of[0] + high * psd_of[1]),
        n_accepted=_count(place, cut, side.top),
        purity=float(purity),
        purity_low=float(min(low for low in lows if low is not None)),
        purity_high=float(max(fit_high, mirror_high, 0.0 if by_run is None else by_run[2])),
        purity_by_fit=float(by_fit[0]),
        purity_by_mirror=mirror,
        purity_by_shape=by_shape,
        purity_by_gamma_run=None if by_run is None else by_run[0],
        efficiency=float(efficiency[0]),
        efficiency_low=float(efficiency_low),
        efficiency_high=float(efficiency_high),
        purity_at_one_cut=float(side.purity(one_cut)[0]),
    )


def _cut_range(side: _Side, least_efficiency: float) -> tuple[float, float, float]:
    """Return where both classes are equally likely, where cuts may begin, and where the efficiency runs out."""
    at = np.linspace(side.other_mean[0], side.own_mean[0], 2000)
    own = side.own_area[0] * _density(at, side.own_mean[0], side.own_sigma[0])
    other = side.other_area[0] * _density(at, side.other_mean[0], side.other_sigma[0])
    probability = own / np.maximum(own + other, 1e-300)
    # From the class's own centre outwards: far on the other side a wide band may win again.
    one_cut, first = (
        float(at[-1 - int(np.argmax(below[::-1]))]) if (below := probability < least).any() else float(at[0])
        for least in (0.5, LEAST_PROBABILITY)
    )
    tried = np.linspace(side.other_mean[0], side.top, 4000)
    enough = _between(tried, side.top, side.own_mean[0], side.own_sigma[0]) >= least_efficiency
    last = float(tried[enough][-1]) if enough.any() else float(side.other_mean[0])
    return one_cut, min(first, last), last


def _mirrored(side: _Side, place: NDArray[np.float64], cut: float, confidence: float) -> tuple[float, float, float]:
    """Return the purity and its interval from the pulses as far on the outer side of the other band."""
    other = float(side.other_mean[0])
    n_accepted = _count(place, cut, side.top)
    n_mirrored = min(_count(place, 2 * other - side.top, 2 * other - cut), n_accepted)
    if n_accepted == 0:
        return 0.0, 0.0, 1.0
    leaked = wilson_interval(n_mirrored, n_accepted, confidence=confidence)
    return 1 - leaked.value, 1 - leaked.high, 1 - leaked.low


def _count(ordered: NDArray[np.float64], low: float, high: float) -> int:
    first, last = np.searchsorted(ordered, [low, high])
    return int(max(0, last - first))


def _areas(
    place: NDArray[np.float64], shapes: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the most likely areas of bands of given shapes, (4, draw); the first draw has the pulses as they are."""
    low = shapes[0, 0] - 4 * shapes[1, 0]
    high = shapes[2, 0] + 4 * shapes[3, 0]
    edges = np.linspace(low, high, _N_BINS + 1)
    measured = np.histogram(place, edges)[0]
    counts = np.concatenate([measured[np.newaxis], rng.poisson(measured, (shapes.shape[1] - 1, _N_BINS))])
    density = np.stack(
        [_between(edges[:-1], edges[1:], shapes[row][:, np.newaxis], shapes[row + 1][:, np.newaxis]) for row in (0, 2)]
    )
    share = np.full((2, len(counts)), 0.5)
    total = np.maximum(counts.sum(axis=1), 1)
    for _ in range(_N_STEPS):
        expected = share[:, :, np.newaxis] * density
        weight = expected / np.maximum(expected.sum(axis=0), 1e-300)
        share = (weight * counts).sum(axis=2) / total
    return share[0] * total, share[1] * total


def _between(low: Any, high: Any, mean: Any, sigma: Any) -> Any:
    special = require_module("scipy.special", extra="analysis")
    return special.ndtr((high - mean) / sigma) - special.ndtr((low - mean) / sigma)


def _density(at: Any, mean: Any, sigma: Any) -> Any:
    return np.exp(-0.5 * ((at - mean) / sigma) ** 2) / sigma
