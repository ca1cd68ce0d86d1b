"""Fit the Compton edges of a source: position, resolution and size of the detector, with intervals.

The counts of a window around the edge are Poisson numbers about the Klein-Nishina spectrum of single and repeated
scattering (:mod:`discrimen.calibration.edge_model`) on a background that is flat and falling. The half height of the
edge, the usual rule, lies above or below it by some per cent, as the resolution has it (G. Dietze and H. Klein, Nucl.
Instrum. Methods 193 (1982) 549); here both are fitted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.calibration.compton import DEPTHS
from discrimen.calibration.edge_model import EdgeShape, falling, smeared
from discrimen.calibration.edge_search import Found
from discrimen.calibration.gamma_sources import EdgeGroup
from discrimen.calibration.spectrum import Spectrum
from discrimen.errors import DataError, require_module

USUAL_DEPTH = 0.4
"""Standard deviation of the depth about zero before there is a spectrum; a cell of 13 cm has 0.33 for Cs-137.

Where pulses are few, a larger detector with a lower edge would describe them as well.
"""

RIVAL_CHI2, RIVAL_APART = 16.0, 0.01
"""A fit elsewhere that misses no more than this more counts into the error, and is told from this distance on."""

_NAMES = ("position", "resolution", "depth", "scattered", "flat", "falling")
_N_BINS = 60
_MOST_TRIALS = 3
_FALL = 4.0
_FURTHEST = 0.08
"""So far from where the search found it may an edge be fitted, as a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Where and on what background an edge is fitted, in units of its position.

    Parameters
    ----------
    low, high : float
        Ends.
    fall : float
        Slope of the falling background, in e-folds from zero to the edge.
    """

    low: float = 0.6
    high: float = 1.45
    fall: float = _FALL


OTHER_WINDOWS = (
    Window(low=0.5),
    Window(low=0.7),
    Window(high=1.3),
    Window(fall=8.0),
)
"""What else the window and the background could have been: how far the edge moves is the systematic error."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EdgeFit:
    """One fitted edge.

    Parameters
    ----------
    group : EdgeGroup
        Its lines.
    shape : EdgeShape
        Position in the unit of the spectrum, resolution there, and depth.
    statistical, systematic : float
        Standard errors of the position: profile likelihood, and shift in other windows (root mean square).
    rival : float or None
        Another position whose fit is nearly as good: part of the systematic error.
    resolution_error : float
        Standard error of the resolution.
    deviance, freedom : float, int
        Of the fit: about equal where the model holds.
    edges : ndarray of float64, shape (bin + 1,)
        Of the fitted bins.
    counts, expected, background : ndarray of float64, shape (bin,)
        Pulses, the fit, and its part that is no scattered gamma of the source.
    """

    group: EdgeGroup
    shape: EdgeShape
    statistical: float
    systematic: float
    rival: float | None
    resolution_error: float
    deviance: float
    freedom: int
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    expected: NDArray[np.float64]
    background: NDArray[np.float64]

    @property
    def position(self) -> float:
        """Where the edge lies."""
        return self.shape.position

    @property
    def probability(self) -> float:
        """Of a deviance at least as large where the model holds."""
        return float(require_module("scipy.stats", extra="analysis").chi2.sf(self.deviance, self.freedom))

    @property
    def error(self) -> float:
        """Standard error of the position, both parts together."""
        return float(np.hypot(self.statistical, self.systematic))


def fit_edges(spectrum: Spectrum, found: Sequence[Found]) -> tuple[EdgeFit, ...]:
    """Fit the edges of a source.

    Parameters
    ----------
    spectrum : Spectrum
        Of one channel.
    found : sequence of Found
        From the search; where there are several, the one whose fit misses the spectrum least is taken, and those that
        do nearly as well widen its error: the upper edge of Co-60 in a small detector and the lower one in a large
        detector look alike where pulses are few.

    Returns
    -------
    tuple of EdgeFit
        One for each group of lines.

    Raises
    ------
    DataError
        If the fit does not converge.
    """
    tried, problem = [], None
    for each in found:
        try:
            tried.append([_fitted(spectrum, group, start) for group, start in each.shapes.items()])
        except DataError as error:
            problem = problem or error
    if not tried:
        assert problem is not None
        raise problem
    tried.sort(key=_missed)
    rivals = [fits for fits in tried[1:] if _missed(fits) < _missed(tried[0]) + RIVAL_CHI2]
    return tuple(
        _with_errors(
            spectrum, one, rivals=[other.position for fits in rivals for other in fits if other.group is one.group]
        )
        for one in tried[0]
    )


def _missed(fits: Sequence[_Fitted]) -> float:
    """Return how much more than by chance the fits of a source miss."""
    return sum(float(one.fit.fval) - one.freedom for one in fits)


class _Fitted(NamedTuple):
    """A fit without its errors."""

    likelihood: _Likelihood
    fit: Any

    @property
    def group(self) -> EdgeGroup:
        return self.likelihood.group

    @property
    def position(self) -> float:
        return float(self.fit.values["position"]) * self.likelihood.scale

    @property
    def freedom(self) -> int:
        return len(self.likelihood.counts) - len(_NAMES)


def _fitted(spectrum: Spectrum, group: EdgeGroup, start: EdgeShape) -> _Fitted:
    likelihood = _Likelihood.of(spectrum, group, start, Window())
    return _Fitted(likelihood, likelihood.minimised(start))


def _with_errors(spectrum: Spectrum, one: _Fitted, *, rivals: Sequence[float]) -> EdgeFit:
    likelihood, fit = one
    _, resolution, depth = fit.values[:3]
    shape = EdgeShape(one.position, resolution, depth)
    rival = max(rivals, key=lambda position: abs(position - one.position), default=one.position)
    apart = abs(rival - one.position)
    return EdgeFit(
        group=likelihood.group,
        shape=shape,
        statistical=_profile_error(fit) * likelihood.scale,
        systematic=float(np.hypot(_systematic(spectrum, likelihood.group, shape), apart)),
        rival=rival if apart > RIVAL_APART * one.position else None,
        resolution_error=float(fit.errors["resolution"]),
        deviance=float(fit.fval),
        freedom=one.freedom,
        edges=likelihood.edges,
        counts=likelihood.counts,
        expected=likelihood.expected(fit.values),
        background=likelihood.background(fit.values),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Likelihood:
    """Counts around an edge; positions are relative to where the search found it."""

    group: EdgeGroup
    scale: float
    fall: float
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, spectrum: Spectrum, group: EdgeGroup, start: EdgeShape, window: Window) -> _Likelihood:
        low = max(window.low * start.position, spectrum.low)
        high = min(window.high * start.position, spectrum.high)
        edges = np.linspace(low, high, _N_BINS + 1)
        return cls(group, start.position, window.fall, edges, spectrum.counts(edges))

    def __call__(self, *values: float) -> float:
        kl_div = require_module("scipy.special", extra="analysis").kl_div
        missed = 2 * float(kl_div(self.counts, np.maximum(self.expected(values), 1e-9)).sum())
        return missed + (values[_NAMES.index("depth")] / USUAL_DEPTH) ** 2

    def expected(self, values: Sequence[float]) -> NDArray[np.float64]:
        position, resolution, depth, scattered, _, _ = values
        shape = EdgeShape(position * self.scale, resolution, depth)
        return scattered * smeared(self.group, shape, self.edges) + self.background(values)

    def background(self, values: Sequence[float]) -> NDArray[np.float64]:
        *_, flat, fall = values
        return flat * falling(0.0, self.scale, self.edges) + fall * falling(self.fall, self.scale, self.edges)

    def minimised(self, start: EdgeShape) -> Any:
        iminuit = require_module("iminuit", extra="analysis")
        contents = self.contents(start)
        fit = iminuit.Minuit(self, 1.0, start.resolution, max(start.depth, 0.02), *contents, name=_NAMES)
        fit.errors = (0.01, 0.2 * start.resolution, 0.05, *(0.1 * each for each in contents))
        fit.limits["position"] = (1 - _FURTHEST, 1 + _FURTHEST)
        fit.limits["resolution"] = (0.005, 0.5)
        fit.limits["depth"] = (0.0, float(DEPTHS[-1]))
        for content in ("scattered", "flat", "falling"):
            fit.limits[content] = (0.0, None)
        for _ in range(_MOST_TRIALS):
            fit.migrad(ncall=3000)
            if fit.valid:
                break
        if not (fit.valid or fit.fmin.edm < 1.0):
            raise DataError(
                f"the fit of the edge of {self.group.name} near {self.scale:.5g} does not converge: "
                "say where to look with --range LOW:HIGH, or take more pulses"
            )
        return fit

    def contents(self, shape: EdgeShape) -> tuple[float, ...]:
        """Return scattered gammas and backgrounds that describe the counts best for this shape."""
        nnls = require_module("scipy.optimize", extra="analysis").nnls
        columns = [smeared(self.group, shape, self.edges)]
        columns += [falling(slope, self.scale, self.edges) for slope in (0.0, self.fall)]
        weights = 1 / np.sqrt(np.maximum(self.counts, 1.0))
        found, _ = nnls(np.stack(columns, axis=1) * weights[:, np.newaxis], self.counts * weights)
        least = 1e-3 * max(self.counts.sum(), 1.0)
        return tuple(max(float(value), least) for value in found)


def _profile_error(fit: Any) -> float:
    """Return half the width of the interval where the profile likelihood falls by one half."""
    fit.hesse()
    if fit.valid:
        found = fit.minos("position").merrors["position"]
        if found.is_valid:
            return float(found.upper - found.lower) / 2
    return float(fit.errors["position"])


def _systematic(spectrum: Spectrum, group: EdgeGroup, shape: EdgeShape) -> float:
    shifts = []
    for window in OTHER_WINDOWS:
        try:
            fit = _Likelihood.of(spectrum, group, shape, window).minimised(shape)
        except DataError:
            continue
        shifts.append(fit.values["position"] - 1)
    return float(np.sqrt(np.mean(np.square(shifts)))) * shape.position if shifts else 0.0
