"""The signals of one segment as a search needs them: white, at several times, with their slopes.

The signals of a segment are much alike: some hundred components hold all of them to far below the noise. Everything is
kept, and compared, in these components; what a measured trace has outside of them is the same for every signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from discrimen.errors import DataError
from discrimen.grid_search.noise import Noise

_NEIGHBOUR_STEPS = 1.8
_LEAST_SINGULAR = 0.05
_FEWEST_POINTS = 4
_MOST_ROWS = 800
_LEAST_COMPONENT = 1e-5
"""Of the largest singular value; smaller ones are left out."""


class SignalBasis(Protocol):
    """Calculated signals on a grid of positions."""

    @property
    def positions_mm(self) -> NDArray[np.floating]:
        """Where, shape (point, 3)."""

    @property
    def segment(self) -> NDArray[np.integer]:
        """Segment that collects the charge, shape (point,)."""

    @property
    def traces(self) -> NDArray[np.floating]:
        """Signals of unit energy, shape (point, channel, sample)."""

    @property
    def sample_period_ns(self) -> float:
        """Time between samples."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SegmentLibrary:
    """Signals of one segment for one noise.

    Parameters
    ----------
    segment : int
        Which.
    channels : ndarray of int, shape (channel,)
        Those that are compared.
    positions_mm : ndarray of float32, shape (point, 3)
        The grid.
    offsets_ns : ndarray of float64, shape (offset,)
        How much later than the basis.
    components : ndarray of float32, shape (value, component), or None
        From white samples of all channels to what is compared; None where the samples themselves are.
    signals : ndarray of float32, shape (point, offset, component)
        White signals of unit energy.
    slopes : ndarray of float32, shape (point, offset, 3, component)
        Change of the signal with x, y and z, a mm.
    curvatures : ndarray of float32, shape (point, 6, component)
        Factors of x2, y2, z2, xy, xz and yz in the middle of the offsets, a mm2.
    time_slopes : ndarray of float32, shape (point, offset, component)
        Change with the offset, a ns.
    step_mm : float
        Of the grid.
    """

    segment: int
    channels: NDArray[np.int64]
    positions_mm: NDArray[np.float32]
    offsets_ns: NDArray[np.float64]
    components: NDArray[np.float32] | None
    signals: NDArray[np.float32]
    slopes: NDArray[np.float32]
    curvatures: NDArray[np.float32]
    time_slopes: NDArray[np.float32]
    step_mm: float

    def __len__(self) -> int:
        return len(self.positions_mm)

    def compared(self, measured: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return what is compared of white traces, and the square of what is the same for all signals.

        Parameters
        ----------
        measured : ndarray of float32, shape (hit, value)
            See :meth:`~discrimen.grid_search.noise.Noise.whitened`.

        Returns
        -------
        ndarray of float32, shape (hit, component), and ndarray of float64, shape (hit,)
        """
        if self.components is None:
            return measured, np.zeros(len(measured))
        inside = measured @ self.components
        squares = [np.einsum("hv,hv->h", each, each).astype(np.float64) for each in (measured, inside)]
        return inside, np.maximum(squares[0] - squares[1], 0)


def segment_library(
    basis: SignalBasis,
    segment: int,
    noise: Noise,
    *,
    channels: NDArray[np.int64],
    offsets_ns: NDArray[np.float64],
    window: slice,
    compress: bool = True,
) -> SegmentLibrary:
    """Make the library of a segment.

    Parameters
    ----------
    basis : SignalBasis
        Of the crystal.
    segment : int
        Which.
    noise : Noise
        Of the whole record.
    channels : ndarray of int, shape (channel,)
        Those that are compared.
    offsets_ns : ndarray of float, shape (offset,)
        How much later than the basis a hit may be.
    window : slice
        Samples that are compared.
    compress : bool
        Compare components instead of samples, which is faster and takes less memory.

    Raises
    ------
    DataError
        If the basis has too few points there.
    """
    at = np.flatnonzero(basis.segment == segment)
    if len(at) < _FEWEST_POINTS:
        raise DataError(f"the basis has {len(at)} points in segment {segment}, expected at least {_FEWEST_POINTS}")
    positions = np.asarray(basis.positions_mm)[at].astype(np.float32)
    traces = np.asarray(basis.traces)[at][:, channels].astype(np.float64)
    times = np.arange(traces.shape[2]) * basis.sample_period_ns
    curve = CubicSpline(times, traces, axis=2)
    slope = curve.derivative()
    start, stop, _ = window.indices(traces.shape[2])
    inside = noise.window(start, stop)
    earlier = [np.clip(times - offset, times[0], times[-1])[start:stop] for offset in offsets_ns]
    signals = np.stack([inside.whitened(curve(at_ns), channels) for at_ns in earlier], axis=1)
    time_slopes = np.stack([inside.whitened(-slope(at_ns), channels) for at_ns in earlier], axis=1)
    components = _components(signals) if compress else None
    if components is not None:
        signals, time_slopes = signals @ components, time_slopes @ components
    step_mm = _step_mm(positions)
    slopes, curvatures = _shape_around(positions, signals, step_mm)
    return SegmentLibrary(
        segment=segment,
        channels=channels,
        positions_mm=positions,
        offsets_ns=np.asarray(offsets_ns, dtype=np.float64),
        components=components,
        signals=signals,
        slopes=slopes,
        curvatures=curvatures,
        time_slopes=time_slopes,
        step_mm=step_mm,
    )


def _components(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return directions that hold the signals, shape (value, component)."""
    rows = signals.reshape(-1, signals.shape[-1])
    some = rows[:: max(1, len(rows) // _MOST_ROWS)]
    _, sizes, directions = np.linalg.svd(some, full_matrices=False)
    return np.ascontiguousarray(directions[sizes > _LEAST_COMPONENT * sizes[0]].T)


def _step_mm(positions: NDArray[np.float32]) -> float:
    """Return the median distance to the nearest other point."""
    nearest = np.asarray(cKDTree(positions).query(positions, k=2)[0])
    return float(np.median(nearest[:, 1]))


def second_order(apart: NDArray[Any]) -> NDArray[Any]:
    """Return x2, y2, z2, xy, xz and yz of distances, shape (..., 3) to (..., 6)."""
    x, y, z = apart[..., 0], apart[..., 1], apart[..., 2]
    return np.stack([x * x, y * y, z * z, x * y, x * z, y * z], axis=-1)


def _shape_around(
    positions: NDArray[np.float32], signals: NDArray[np.float32], step_mm: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a second-order surface through the signals of each point and its neighbours; see :class:`SegmentLibrary`.

    Where walls leave too few neighbours, the smallest slopes and curvatures that fit are taken.
    """
    neighbours: Any = cKDTree(positions).query_ball_point(positions, _NEIGHBOUR_STEPS * step_mm)
    n_points, n_offsets, n_values = signals.shape
    slopes = np.empty((n_points, n_offsets, 3, n_values), np.float32)
    curvatures = np.empty((n_points, 6, n_values), np.float32)
    for point, near in enumerate(neighbours):
        apart = (positions[near] - positions[point]) / step_mm
        surface = np.concatenate([apart, second_order(apart)], axis=1)
        factors = np.linalg.pinv(surface, rcond=_LEAST_SINGULAR).astype(np.float32)
        # Constants fall out, and what remains of the point itself.
        factors[:, near.index(point)] -= factors.sum(axis=1)
        found = (factors @ signals[near].reshape(len(near), -1)).reshape(9, n_offsets, n_values)
        slopes[point] = found[:3].transpose(1, 0, 2) / step_mm
        curvatures[point] = found[3:, n_offsets // 2] / step_mm**2
    return slopes, curvatures
