"""Evidence of two species in the charge-comparison plane, before any pulse gets a label from it.

A valley that one band of any shape cannot make must show in neighbouring slices of energy. What else makes two maxima
is told by how they behave: the phase of the sampling clock gives steep outsides and a shallow inside, pile-up a second
band far wider than the first and only where single pulses end, alphas of the crystal lines of few energies, noise bands
that part less with more light. Two detectors in one channel look like two species: a run without neutrons can
(`control`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.band_fit import slice_edges
from discrimen.labelling.valley import Valley, find_valley, smoothed

LEAST_SIGNIFICANCE = 2.0
LEAST_OF_HALVES = 1.0
"""Of the valley in a slice, in standard deviations: the mean of both halves of its pulses, and the smaller one."""

LEAST_JOINT_SIGNIFICANCE = 4.0
"""Of all slices of a stretch together (S. A. Stouffer et al., The American Soldier, 1949)."""

FEWEST_SLICES, FEWEST_IN_SLICE = 3, 150
LEAST_ENERGY_RATIO = 1.8
"""Of the energies of either species, 95 % over 5 % quantile: alphas of LaBr3 and CeBr3 span about 1.65."""

SHALLOWEST = 0.6
"""Largest density in the valley over that of the lower maximum, where it is deepest."""

DEEPEST_OF_EDGES = 0.3
"""Edges of one band that the phase of a sampling clock draws out leave 0.36 and more in the middle (a sine: 2 / pi of
the mean, and the edges at most so high as the width of the noise allows)."""

LEAST_MIRRORED = 0.5
"""Of the density in the valley, what the outer flanks of both maxima leave there when mirrored: about 1 for two bands,
0 to 0.2 for the edges of one, whose outsides are steep."""

WIDEST_RATIO = 3.0
"""Of the widths of the two bands."""

LARGEST_JUMP = 0.1
"""Scatter of the maxima about smooth curves through the slices, in distances of the maxima."""

STEEPEST_FALL, FEWEST_FOR_FALL = -0.5, 5
"""Power of the energy with which the distance of the maxima, in widths, may fall; judged over this many slices."""

_N_PLACE_BINS, _SMOOTHING_BINS = 120, 1.5
_PLACES = (-1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandEvidence:
    """Where two species show, and how clearly.

    Parameters
    ----------
    low, high : float
        Energies between which the valley shows in every slice.
    n_slices : int
        Of them.
    significance : float
        Of the valley in all of them together, in standard deviations.
    depth_ratio : float
        Density in the valley over that of the lower maximum, where it is deepest (median of three slices).
    mirrored_ratio : float
        What the outer flanks of both maxima leave in the valley when mirrored, over the density there.
    width_ratio : float
        Width of the upper band over that of the lower one.
    energy_ratio : float
        Of the species that spans less: 95 % over 5 % quantile of the energies.
    jump : float
        Scatter of the maxima about smooth curves, in distances of the maxima.
    resolution_power : float
        With which power of the energy the distance of the maxima, in widths, grows.
    """

    low: float
    high: float
    n_slices: int
    significance: float
    depth_ratio: float
    mirrored_ratio: float
    width_ratio: float
    energy_ratio: float
    jump: float
    resolution_power: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    energy: NDArray[np.float64]
    psd: NDArray[np.float64]
    low: float
    high: float
    valley: Valley

    @property
    def shows(self) -> bool:
        return self.valley.significance >= LEAST_SIGNIFICANCE and self.valley.least_significance >= LEAST_OF_HALVES


def find_evidence(
    energy: NDArray[np.float64],
    psd: NDArray[np.float64],
    *,
    energy_range: tuple[float, float],
    psd_step: NDArray[np.float64] | float = 0.0,
    rng: np.random.Generator,
) -> BandEvidence:
    """Find the stretch of energy in which two species show.

    Parameters
    ----------
    energy, psd : ndarray of float64, shape (pulse,)
        All finite.
    energy_range : (float, float)
        Where to look.
    psd_step : ndarray of float64, shape (pulse,), or float
        By how much the PSD changes with one count of the digitizer: the steps are filled by chance, or they would be
        valleys.
    rng : numpy.random.Generator
        For halves and steps.

    Raises
    ------
    DataError
        If one band makes all that is seen, or what makes two is not two species; with the reason.
    """
    edges = slice_edges(energy, low=energy_range[0], high=energy_range[1], fewest=FEWEST_IN_SLICE)
    smooth = psd + psd_step * rng.uniform(-0.5, 0.5, len(psd))
    slices = [
        _Slice(energy[inside], smooth[inside], float(low), float(high), find_valley(smooth[inside], rng=rng))
        for low, high in pairwise(edges)
        for inside in [(energy >= low) & (energy < high)]
    ]
    stretch = _best_stretch(slices)
    joint = _joint(stretch)
    if len(stretch) < FEWEST_SLICES or joint < LEAST_JOINT_SIGNIFICANCE:
        raise DataError(_no_valley(slices, stretch))
    evidence = _measured(stretch, joint)
    if reason := look_alike(evidence):
        raise DataError(
            f"two maxima of the PSD from {evidence.low:.4g} to {evidence.high:.4g}, but {reason}: no labels without "
            "two species; if there are neutrons, choose --energy-range or the gates of the charge comparison again"
        )
    return evidence


def look_alike(found: BandEvidence) -> str:
    """Return why two maxima are not two species; empty if they may be."""
    checks = (
        (
            found.depth_ratio > SHALLOWEST,
            f"the valley between them holds {found.depth_ratio:.0%} of the lower one even where it is deepest "
            f"({SHALLOWEST:.0%} at most): they may be the edges of one band",
        ),
        (
            found.depth_ratio > DEEPEST_OF_EDGES and found.mirrored_ratio < LEAST_MIRRORED,
            f"they are too steep outside for the {found.depth_ratio:.0%} of the lower one that the valley holds: "
            f"mirrored, their outsides leave {found.mirrored_ratio:.0%} of that ({LEAST_MIRRORED:.0%} at least); edges "
            "of one band look so, as the phase of the sampling clock makes them",
        ),
        (
            not 1 / WIDEST_RATIO <= found.width_ratio <= WIDEST_RATIO,
            f"the upper one is {found.width_ratio:.2g} times as wide as the lower one: pile-up or saturation looks so",
        ),
        (
            found.energy_ratio < LEAST_ENERGY_RATIO,
            f"one of them spans a factor of {found.energy_ratio:.2f} in energy only ({LEAST_ENERGY_RATIO:g} at least): "
            "lines of alphas in the crystal look so, and pile-up above the spectrum of single pulses",
        ),
        (
            found.jump > LARGEST_JUMP,
            f"they scatter by {found.jump:.2f} of their distance from slice to slice: bands follow a smooth curve",
        ),
        (
            found.n_slices >= FEWEST_FOR_FALL and found.resolution_power < STEEPEST_FALL,
            f"they part less with more light (distance in widths as energy to the {found.resolution_power:.2f}): noise "
            "and saturation look so, scintillation parts more",
        ),
    )
    return next((reason for failed, reason in checks if failed), "")


def _best_stretch(slices: list[_Slice]) -> list[_Slice]:
    """Return the neighbouring slices that all show a valley and are together the most significant."""
    stretches: list[list[_Slice]] = [[]]
    for part in slices:
        if part.shows:
            stretches[-1].append(part)
        elif stretches[-1]:
            stretches.append([])
    return max(stretches, key=_joint)


def _joint(stretch: list[_Slice]) -> float:
    return float(sum(part.valley.significance for part in stretch) / np.sqrt(max(1, len(stretch))))


def _no_valley(slices: list[_Slice], stretch: list[_Slice]) -> str:
    best = max(slices, key=lambda part: part.valley.significance)
    return (
        f"no two bands: {len(stretch)} of {len(slices)} slices of energy in a row show two maxima of the PSD with a "
        f"valley that one band of any shape cannot make, {FEWEST_SLICES} are needed (the clearest, at "
        f"{best.low:.4g} to {best.high:.4g}, by {max(0.0, best.valley.significance):.1f} standard deviations): band "
        "labels need a mixed source, enough pulses, and gates that part the classes"
    )


def _measured(stretch: list[_Slice], joint: float) -> BandEvidence:
    log_energy = np.array([np.log(part.energy).mean() for part in stretch])
    marks = np.array([[part.valley.lower, part.valley.valley, part.valley.upper] for part in stretch])
    curves = [np.polynomial.Polynomial.fit(log_energy, mark, min(2, len(stretch) - 2)) for mark in marks.T]
    distance = marks[:, 2] - marks[:, 0]
    jumps = [float(np.std(curve(log_energy) - mark)) for curve, mark in zip(curves, marks.T, strict=True)]
    energy = np.concatenate([part.energy for part in stretch])
    psd = np.concatenate([part.psd for part in stretch])
    lower, valley, upper = (curve(np.log(energy)) for curve in curves)
    spans = [_span(energy[psd < valley]), _span(energy[psd >= valley])]
    place = (psd - lower) / (upper - lower)
    deepest = np.median([part.valley.depth_ratio for part in stretch])
    deep = np.concatenate([np.full(len(part.psd), part.valley.depth_ratio <= deepest) for part in stretch])
    mirrored, widths = _flanks(place[deep])
    each = [_flanks(place[(energy >= part.low) & (energy < part.high)])[1].sum() for part in stretch]
    power = np.polynomial.Polynomial.fit(log_energy, -np.log(each), 1).convert().coef[1]
    return BandEvidence(
        low=stretch[0].low,
        high=stretch[-1].high,
        n_slices=len(stretch),
        significance=joint,
        depth_ratio=float(np.median(sorted(part.valley.depth_ratio for part in stretch)[:3])),
        mirrored_ratio=mirrored,
        width_ratio=float(widths[1] / widths[0]),
        energy_ratio=min(spans),
        jump=float(max(jumps[0], jumps[2]) / distance.mean()),
        resolution_power=float(power),
    )


def _span(energy: NDArray[np.float64]) -> float:
    low, high = np.quantile(energy, [0.05, 0.95]) if len(energy) else (1.0, 1.0)
    return float(high / low)


def _flanks(place: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return what mirrored outer flanks leave in the valley, over the density there, and the widths, lower one first.

    Widths are taken half way down from the maximum to the valley; places are 0 and 1 at the two maxima.
    """
    density = smoothed(np.histogram(place, _N_PLACE_BINS, range=_PLACES)[0], _SMOOTHING_BINS)
    third = _N_PLACE_BINS // 3
    middle = third + third // 2
    peaks = [
        third // 2 + int(density[third // 2 : middle].argmax()),
        middle + int(density[middle : 3 * third].argmax()),
    ]
    lowest = peaks[0] + int(density[peaks[0] : peaks[1] + 1].argmin())
    valley = float(density[lowest])
    mirrored = sum(float(density[at]) for at in (2 * peak - lowest for peak in peaks) if 0 <= at < len(density))
    levels = [(float(density[peak]) + valley) / 2 for peak in peaks]
    widths = [
        sum(_reach(density[peak::step], level) for step in (1, -1)) / third
        for peak, level in zip(peaks, levels, strict=True)
    ]
    return mirrored / max(valley, 1e-9), np.array(widths)


def _reach(density: NDArray[np.float64], level: float) -> float:
    """Return after how many bins, between two of them too, a flank falls to a level."""
    below = np.flatnonzero(density < level)
    if not len(below):
        return float(len(density))
    after = int(below[0])
    before, here = float(density[after - 1]), float(density[after])
    return max(0.5, after - (level - here) / max(before - here, 1e-9))
