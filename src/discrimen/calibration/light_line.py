"""From edges to a calibration: the line from charge to light, and the resolution against light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.calibration.edge_fit import EdgeFit
from discrimen.errors import require_module
from discrimen.pulses.detector import LightResolution


@dataclass(frozen=True, slots=True, kw_only=True)
class LightLine:
    """Light in keVee = gain_kevee_per_unit * charge + offset_kevee.

    Parameters
    ----------
    gain_kevee_per_unit, gain_error : float
        Slope and its standard error.
    offset_kevee, offset_error : float
        Light at no charge and its standard error; both zero where the line was laid through zero.
    chi2, freedom : float, int
        Of the line through the edges.
    probability : float or None
        Of a chi2 at least as large if the line is straight; None without a degree of freedom.
    widened : float
        Factor on the errors, the root of chi2 over freedom where that is above one (as the Particle Data Group does).
    """

    gain_kevee_per_unit: float
    gain_error: float
    offset_kevee: float
    offset_error: float
    chi2: float
    freedom: int
    probability: float | None
    widened: float


def light_line(edges: Sequence[EdgeFit], *, through_zero: bool) -> LightLine:
    """Lay a line through edges, their positions weighted by their errors.

    Parameters
    ----------
    edges : sequence of EdgeFit
        At least one.
    through_zero : bool
        Whether no charge is no light; always so for a single edge.
    """
    energy = np.array([edge.group.edge_kev for edge in edges])
    position, error = (np.array([getattr(edge, name) for edge in edges]) for name in ("position", "error"))
    # The charge has the error, so the charge is fitted against the energy.
    powers = energy[:, np.newaxis] ** (np.array([1]) if through_zero or len(edges) == 1 else np.array([1, 0]))
    weighted = powers / error[:, np.newaxis]
    covariance = np.linalg.inv(weighted.T @ weighted)
    found = covariance @ weighted.T @ (position / error)
    chi2 = float((((position - powers @ found) / error) ** 2).sum())
    freedom = len(edges) - len(found)
    widened = max(1.0, np.sqrt(chi2 / freedom)) if freedom else 1.0
    slope, constant = float(found[0]), float(found[1]) if len(found) == 2 else 0.0
    # offset = -constant / slope: its change with slope and constant.
    change = np.array([constant / slope**2, -1 / slope])[: len(found)]
    return LightLine(
        gain_kevee_per_unit=1 / slope,
        gain_error=float(np.sqrt(covariance[0, 0]) * widened / slope**2),
        offset_kevee=-constant / slope if constant else 0.0,
        offset_error=float(np.sqrt(change @ covariance @ change) * widened) if len(found) == 2 else 0.0,
        chi2=chi2,
        freedom=freedom,
        probability=_probability(chi2, freedom),
        widened=float(widened),
    )


def light_resolution(edges: Sequence[EdgeFit]) -> LightResolution:
    """Return the resolution that goes through the edges.

    One edge gives the statistical part alone, two add the constant part, three the noise.
    """
    nnls = require_module("scipy.optimize", extra="analysis").nnls
    light = np.array([edge.group.edge_kev for edge in edges])
    sigma = light * [edge.shape.resolution for edge in edges]
    error = np.maximum(light * [edge.resolution_error for edge in edges], 1e-3 * sigma)
    parts = np.stack([light, light**2, np.ones(len(light))], axis=1)[:, : len(edges)]
    weights = 1 / (2 * sigma * error)
    squares: NDArray[np.float64] = np.zeros(3)
    squares[: parts.shape[1]] = nnls(parts * weights[:, np.newaxis], sigma**2 * weights)[0]
    statistical, constant, noise = (round(float(root), 6) for root in np.sqrt(squares))
    return LightResolution(constant=constant, statistical_per_sqrt_kevee=statistical, noise_kevee=noise)


def _probability(chi2: float, freedom: int) -> float | None:
    if not freedom:
        return None
    return float(require_module("scipy.stats", extra="analysis").chi2.sf(chi2, freedom))
