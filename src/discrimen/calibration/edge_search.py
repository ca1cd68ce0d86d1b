"""Find the Compton edges of a source in a spectrum of unknown gain.

For every gain on a fine scale the spectrum around the expected edges is described twice: by falling exponentials alone,
which make no shoulder, and with what the source leaves in a detector. The gain at which the second explains most of
what the first cannot (the F statistic of nested linear models) is where the edges are. The best gains of a coarse
search are tried again with finer steps of gain, resolution and detector size.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.calibration.edge_model import EdgeShape, falling, smeared
from discrimen.calibration.gamma_sources import EdgeGroup, GammaSource
from discrimen.calibration.spectrum import Spectrum
from discrimen.errors import DataError, require_module

GAIN_RATIO = 1.02
"""Between two gains that are tried at first."""

LEAST_F = 40.0
"""Below this statistic no edge is believed: falling spectra reach about 25 somewhere on the scale of gains."""

_WINDOW = np.linspace(0.55, 1.4, 41)
_COARSE = tuple(product((0.03, 0.06, 0.12, 0.2), (0.0, 0.1, 0.4)))
_FINE = tuple(product((0.02, 0.03, 0.045, 0.065, 0.09, 0.13, 0.2), (0.0, 0.05, 0.1, 0.2, 0.35, 0.6)))
_FINE_FACTORS = (0.985, 0.99, 0.995, 1.0, 1.005, 1.01, 1.015)
_TRIED_AGAIN = 12
_MOST_STEPS = 1000
_NEAR, _APART = 0.3, 0.04
_SLOPES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
_FEWEST_COUNTS = 200
_LEAST_CHI2 = 0.3
"""For each degree of freedom: no fit is taken for better."""


class Found(NamedTuple):
    """Where the search believes the edges of a source.

    Parameters
    ----------
    unit_per_kev : float
        Charge of a keV.
    statistic : float
        F of the edge against a smooth spectrum.
    shapes : dict of EdgeGroup to EdgeShape
        For each group whose edge lies where the spectrum is whole.
    """

    unit_per_kev: float
    statistic: float
    shapes: dict[EdgeGroup, EdgeShape]


class _Tried(NamedTuple):
    smooth: float
    with_edge: float
    freedom: int
    shape: EdgeShape


def find_edges(spectrum: Spectrum, source: GammaSource) -> list[Found]:
    """Find the gains at which a spectrum may show the edges of a source.

    Returns
    -------
    list of Found
        The best one first; others only if they come near it, as a lower edge of a source and a larger detector may.

    Raises
    ------
    DataError
        If no gain shows an edge.
    """
    coarse = [_found(spectrum, source, gain, _COARSE) for gain in _gains(spectrum, source)]
    fine = [
        _found(spectrum, source, factor * found.unit_per_kev, _FINE)
        for found in _best(coarse)[:_TRIED_AGAIN]
        for factor in _FINE_FACTORS
    ]
    best = _best(fine)
    if not best or best[0].statistic < LEAST_F:
        raise _no_edge(spectrum, source)
    near = [found for found in best if found.statistic > _NEAR * best[0].statistic]
    apart: list[Found] = []
    for found in near:
        if all(abs(np.log(found.unit_per_kev / other.unit_per_kev)) > _APART for other in apart):
            apart.append(found)
    return apart


def _no_edge(spectrum: Spectrum, source: GammaSource) -> DataError:
    edges = " or ".join(f"{group.edge_kev:.0f}" for group in source.groups)
    low, high = spectrum.limits or (spectrum.low, spectrum.high)
    end = f"{high:.4g}" if np.isfinite(high) else f"the highest pulse, {spectrum.values[-1]:.4g}"
    saturated = "" if np.isinf(spectrum.high) else f" (pulses saturate from {spectrum.high:.4g})"
    return DataError(
        f"no Compton edge of {source.name} ({edges} keVee) between {low:.4g} and {end}{saturated}: check source and "
        f"gain; the threshold must lie below {_WINDOW[0]:g} of the edge; --range LOW:HIGH says where to look"
    )


def _best(found: list[Found]) -> list[Found]:
    return sorted(found, key=lambda each: -each.statistic)


def _found(
    spectrum: Spectrum, source: GammaSource, unit_per_kev: float, shapes: tuple[tuple[float, float], ...]
) -> Found:
    """Compare both descriptions at one gain; the statistic is 0 where an edge would be seen and there are no pulses."""
    seen = [group for group in source.groups if _is_whole(spectrum, unit_per_kev * group.edge_kev)]
    tried = {group: _try(spectrum, group, unit_per_kev * group.edge_kev, shapes) for group in seen}
    inside = {group: each for group, each in tried.items() if each is not None}
    if not inside or len(inside) < len(seen):
        return Found(unit_per_kev, 0.0, {})
    smooth, with_edge = (sum(getattr(each, name) for each in inside.values()) for name in ("smooth", "with_edge"))
    freedom = sum(each.freedom for each in inside.values())
    if not np.isfinite(smooth + with_edge):
        return Found(unit_per_kev, 0.0, {})
    statistic = (smooth - with_edge) / max(with_edge / freedom, _LEAST_CHI2)
    return Found(unit_per_kev, statistic, {group: each.shape for group, each in inside.items()})


def _gains(spectrum: Spectrum, source: GammaSource) -> NDArray[np.float64]:
    """Return the gains at which at least one window lies where the spectrum is whole."""
    lowest = spectrum.low / _WINDOW[0] / source.groups[-1].edge_kev
    highest = min(spectrum.high / _WINDOW[-1], spectrum.values[-1]) / source.groups[0].edge_kev
    if highest <= lowest:
        return np.empty(0)
    steps = int(np.log(highest / lowest) / np.log(GAIN_RATIO)) + 1
    gains: NDArray[np.float64] = lowest * GAIN_RATIO ** np.arange(steps)
    if spectrum.limits is None:
        return gains
    positions = np.outer(gains, [group.edge_kev for group in source.groups])
    low, high = spectrum.limits
    return gains[((positions >= low) & (positions <= high)).any(axis=1)]


def _try(
    spectrum: Spectrum, group: EdgeGroup, position: float, shapes: tuple[tuple[float, float], ...]
) -> _Tried | None:
    """Describe the spectrum around one position of the edge; None where it is nearly empty."""
    counts = spectrum.counts(_WINDOW * position)
    if counts.sum() < _FEWEST_COUNTS:
        return None
    smooth, edges = _components(group, shapes)
    without = _chi2(smooth, counts)
    with_edge = [_chi2(np.column_stack([smooth, edge]), counts) for edge in edges]
    chosen = int(np.argmin(with_edge))
    shape = EdgeShape(position, *shapes[chosen])
    return _Tried(without, with_edge[chosen], len(counts) - len(_SLOPES) - 1, shape)


def _is_whole(spectrum: Spectrum, position: float) -> bool:
    return bool(_WINDOW[0] * position >= spectrum.low and _WINDOW[-1] * position <= spectrum.high)


def _chi2(columns: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Return what the best sum of columns, each taken zero times or more, misses; infinite where none is found."""
    nnls = require_module("scipy.optimize", extra="analysis").nnls
    weights = 1 / np.sqrt(np.maximum(counts, 1.0))
    try:
        _, missed = nnls(columns * weights[:, np.newaxis], counts * weights, maxiter=_MOST_STEPS)
    except RuntimeError:
        return np.inf
    return float(missed**2)


@lru_cache(maxsize=64)
def _components(
    group: EdgeGroup, shapes: tuple[tuple[float, float], ...]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    smooth = np.stack([falling(slope, 1.0, _WINDOW) for slope in _SLOPES], axis=1)
    return smooth, [smeared(group, EdgeShape(1.0, *shape), _WINDOW) for shape in shapes]
