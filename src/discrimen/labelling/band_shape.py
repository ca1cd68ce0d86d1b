"""The shape of a band as the pulses show it: flat at the top, skewed, with tails that are not Gaussian.

Where the bands part best, each is seen down to the valley: there its pulses are counted, in widths of the Gaussian that
was fitted to it, and its two flanks fitted as exp(-|t / s|^b), each with its own width s and power b (b = 2: Gaussian;
above: a flat top; 1: an exponential tail; S. Nadarajah, J. Appl. Stat. 32 (2005) 685) for what lies beyond the valley.
So scaled, the shape is taken for the same at all energies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.labelling.band_fit import Bands, SliceFit

_OUTERMOST, _FARTHEST = -4.0, 5.0
_N_BINS = 48
_FEWEST_PULSES, _ENOUGH_PULSES = 500, 8000
_START = np.array([0.0, np.log(1.4), np.log(1.4), np.log(2.0), np.log(2.0)])
"""Mode, logarithms of the outer and the inner width, of the outer and the inner power: a Gaussian."""

_SIMPLEX = np.concatenate([[_START], _START + 0.3 * np.eye(len(_START))])

_LEAST_DISTANCE = 4.0
"""Of the bands, in widths of both together: there the valley lies two widths from each centre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlankShape:
    """One band in widths of its Gaussian, towards the other band.

    Parameters
    ----------
    mode : float
        Where its flanks meet.
    width, power : float
        Of the flank towards the other band.
    share : float
        Of the pulses of the band that lie on that flank.
    reach : float
        How far from the centre the band is seen.
    seen_beyond : ndarray of float64, shape (distance,)
        Share of the band's pulses beyond distances from 0 to `reach`, as counted.
    """

    mode: float
    width: float
    power: float
    share: float
    reach: float
    seen_beyond: NDArray[np.float64]

    def beyond(self, distance: float) -> float:
        """Return the share of the band's pulses further than a distance from its centre, in widths.

        Counted where the band is seen, and the fitted flank from there on; the larger of both up to there, for counts
        are few.
        """
        seen = float(np.interp(distance, np.linspace(0.0, self.reach, len(self.seen_beyond)), self.seen_beyond))
        fitted, at_reach = self._fitted(distance), self._fitted(self.reach)
        if distance <= self.reach:
            return max(seen, fitted)
        return max(fitted, seen * fitted / max(at_reach, 1e-300))

    def _fitted(self, distance: float) -> float:
        special = require_module("scipy.special", extra="analysis")
        inner = max((distance - self.mode) / self.width, 0.0)
        return float(self.share * special.gammaincc(1 / self.power, inner**self.power))


def find_shapes(
    energy: NDArray[np.float64], psd: NDArray[np.float64], *, slices: Sequence[SliceFit], bands: Bands
) -> tuple[FlankShape | None, FlankShape | None]:
    """Fit the shape of both bands, gammas first; None where the bands part too little anywhere.

    Parameters
    ----------
    energy, psd : ndarray of float64, shape (pulse,)
        All finite.
    slices : sequence of SliceFit
        Those with a fit are used, if the bands part enough.
    bands : Bands
        Smooth centres and widths.
    """
    parted = _best_parted(slices, bands)
    inside = np.zeros(len(energy), bool)
    for part in parted:
        inside |= (energy >= part.low) & (energy < part.high)
    if not inside.any():
        return None, None
    gamma, gamma_sigma, neutron, neutron_sigma = bands.at(energy[inside])
    values = psd[inside]
    reach = min(_FARTHEST, min(_distance(bands, part.centre) for part in parted) / 2)
    upwards, downwards = (values - gamma) / gamma_sigma, (neutron - values) / neutron_sigma
    gap = neutron - gamma
    return (
        _fit(upwards, downwards, reach=reach, per_other=neutron_sigma / gamma_sigma, gap=gap / neutron_sigma),
        _fit(downwards, upwards, reach=reach, per_other=gamma_sigma / neutron_sigma, gap=gap / gamma_sigma),
    )


def _best_parted(slices: Sequence[SliceFit], bands: Bands) -> list[SliceFit]:
    """Return the slices where the bands part most, as many as hold enough pulses: flanks are seen farthest there."""
    parted = [part for part in slices if part.merit is not None and _distance(bands, part.centre) >= _LEAST_DISTANCE]
    chosen: list[SliceFit] = []
    for part in sorted(parted, key=lambda part: -_distance(bands, part.centre)):
        if sum(one.n_pulses for one in chosen) < _ENOUGH_PULSES:
            chosen.append(part)
    return chosen


def _distance(bands: Bands, centre: float) -> float:
    gamma, gamma_sigma, neutron, neutron_sigma = bands.at(np.array([centre]))[:, 0]
    return float(2 * (neutron - gamma) / (gamma_sigma + neutron_sigma))


def _fit(
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    *,
    reach: float,
    per_other: NDArray[np.float64],
    gap: NDArray[np.float64],
) -> FlankShape | None:
    """Fit both flanks to the pulses between the outer tail and the valley.

    What the other band leaves there is taken for its own outer side, mirrored at its centre.
    """
    optimize = require_module("scipy.optimize", extra="analysis")
    # The centre is an edge.
    n_inner = max(4, round(_N_BINS * reach / (reach - _OUTERMOST)))
    step = float(reach) / n_inner
    edges = step * np.arange(-round(-_OUTERMOST / step), n_inner + 1, dtype=np.float64)
    counts = np.histogram(own, edges)[0].astype(np.float64)
    # A pulse that lies `other` widths outside of the other centre, mirrored, lies so far on this band's side.
    mirrored = (gap + other) * per_other
    leaked = np.histogram(mirrored[other < 0], edges)[0]
    if counts.sum() < _FEWEST_PULSES:
        return None
    centres = (edges[1:] + edges[:-1]) / 2

    def expected(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        density = _flanks(centres, parameters)
        own_share: NDArray[np.float64] = density / density.sum() * max(1.0, float(counts.sum() - leaked.sum()))
        total: NDArray[np.float64] = own_share + leaked
        return total

    def deviance(parameters: NDArray[np.float64]) -> float:
        model = np.maximum(expected(parameters), 1e-9)
        return float((model - counts * np.log(model)).sum())

    found = optimize.minimize(
        deviance,
        _START,
        method="Nelder-Mead",
        options={"maxiter": 4000, "xatol": 1e-3, "fatol": 1e-2, "initial_simplex": _SIMPLEX},
    )
    if not found.success:
        return None
    return _shape(found.x, counts - leaked, edges)


def _flanks(at: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    mode, outer, inner, outer_power, inner_power = parameters
    side = at > mode
    width = np.exp(np.where(side, inner, outer))
    power = np.exp(np.clip(np.where(side, inner_power, outer_power), -1.0, 3.0))
    density: NDArray[np.float64] = np.exp(-((np.abs(at - mode) / width) ** power))
    return density


def _shape(parameters: NDArray[np.float64], counts: NDArray[np.float64], edges: NDArray[np.float64]) -> FlankShape:
    special = require_module("scipy.special", extra="analysis")
    mode, outer, inner, outer_power, inner_power = (float(value) for value in parameters)
    widths = np.exp([outer, inner])
    powers = np.exp(np.clip([outer_power, inner_power], -1.0, 3.0))
    areas = widths * special.gamma(1 + 1 / powers)
    after = np.cumsum(counts[::-1])[::-1]
    seen = np.clip(after / max(1.0, float(counts.sum())), 0.0, 1.0)[edges[:-1] >= 0]
    shape = FlankShape(
        mode=mode,
        width=float(widths[1]),
        power=float(powers[1]),
        share=float(areas[1] / areas.sum()),
        reach=float(edges[-1]),
        seen_beyond=np.append(seen, 0.0),
    )
    # What lies beyond the last edge is in no count.
    return replace(shape, seen_beyond=shape.seen_beyond + shape.beyond(shape.reach))
