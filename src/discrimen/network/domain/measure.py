"""The quantities that a domain limits, and which pulses lie outside: the reference that engines are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain.domain import Domain, Outside
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import Prepared, prepare, with_channels

HALF = 0.5
"""An edge lies where the pulse first reaches this share of its height."""

BATCH_PULSES = 4096


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """Quantities of pulses of one channel; those that cannot be prepared hold zeros.

    Parameters
    ----------
    valid : ndarray of bool, shape (pulse,)
        Whether the pulse can be prepared.
    height_adc : ndarray of float64, shape (pulse,)
        Highest sample of the window above the baseline, in ADC counts.
    spread_adc : ndarray of float64, shape (pulse,)
        From the lowest to the highest sample of the baseline window, in ADC counts.
    extreme_adc : ndarray of float64, shape (pulse,)
        The raw sample at the highest place of the window.
    shape : ndarray of float64, shape (pulse, window sample)
        The window in units of the height.
    """

    valid: NDArray[np.bool_]
    height_adc: NDArray[np.float64]
    spread_adc: NDArray[np.float64]
    extreme_adc: NDArray[np.float64]
    shape: NDArray[np.float64]

    def edges(self) -> NDArray[np.int64]:
        """Return the first sample of the window that reaches half the height, shape (pulse,)."""
        found: NDArray[np.int64] = (self.shape >= HALF).argmax(axis=1).astype(np.int64)
        return found


def measure(samples: NDArray[Any], preparation: Preparation) -> Measured:
    """Measure raw pulses of one channel.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        As digitised.
    preparation : Preparation
        Of the model.

    Raises
    ------
    DataError, SettingsError
        If the records are too short, or the model has several channels.
    """
    channel = preparation.only
    samples = with_channels(samples, preparation)
    prepared: Prepared = prepare(samples, preparation, dtype=np.float64)
    window = prepared.waveforms[:, 0] * prepared.restoration.divisor[:, np.newaxis]
    before = samples[:, 0, channel.baseline_start : channel.baseline_stop].astype(np.float64)
    height = np.where(prepared.valid, window.max(axis=1), 0.0)
    scale = np.where(height > 0, height, 1.0)
    return Measured(
        valid=prepared.valid,
        height_adc=height,
        spread_adc=np.where(prepared.valid, np.ptp(before, axis=1), 0.0),
        extreme_adc=prepared.restoration.baseline_adc[:, 0] + channel.polarity * height,
        shape=window / scale[:, np.newaxis],
    )


def residuals(shape: NDArray[np.float64], domain: Domain) -> NDArray[np.float64]:
    """Return the mean square of what the components leave of each shape, shape (pulse,)."""
    off = (shape[:, list(domain.rows)] - np.array(domain.mean)) * np.array(domain.weight)
    along = off @ np.array(domain.components).T
    left: NDArray[np.float64] = np.maximum((off**2).sum(axis=1) - (along**2).sum(axis=1), 0) / len(domain.rows)
    return left


def outside(samples: NDArray[Any], preparation: Preparation, domain: Domain) -> NDArray[np.uint16]:
    """Say in what pulses are unlike those that the model has seen.

    Of a pulse that cannot be prepared nothing else is said, and neither edge nor shape of one that is lower than any.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        As digitised.
    preparation : Preparation
        Of the model.
    domain : Domain
        Of the model.

    Returns
    -------
    ndarray of uint16, shape (pulse,)
        Bits of :class:`~discrimen.network.domain.Outside`; 0: like them.
    """
    parts = [
        judge(measure(samples[start : start + BATCH_PULSES], preparation), preparation, domain)
        for start in range(0, max(1, len(samples)), BATCH_PULSES)
    ]
    return np.concatenate(parts)


def judge(measured: Measured, preparation: Preparation, domain: Domain) -> NDArray[np.uint16]:
    """Compare quantities with their limits; see :func:`outside`."""
    height, spread, polarity = measured.height_adc, measured.spread_adc, preparation.only.polarity
    at = domain.range_of(height)
    spreads = np.array([each.spread_adc for each in domain.ranges])[at]
    low = height < domain.height_adc[0]
    reasons = {
        Outside.EDGE_IN_BASELINE: (spread > domain.quiet_adc) & (spread >= HALF * height),
        Outside.BASELINE_NOISE: (spread < spreads[:, 0]) | (spread > spreads[:, 1]),
        Outside.TOO_LOW: low,
        Outside.TOO_HIGH: height > domain.height_adc[1],
        Outside.EDGE: ~low & _edge_elsewhere(measured.shape, np.array([each.edge for each in domain.ranges])[at]),
        Outside.CLIPPED: polarity * measured.extreme_adc >= polarity * domain.rail_adc - HALF,
        Outside.SHAPE: ~low & _odd_shape(measured.shape, domain, at),
    }
    flags = np.zeros(len(height), dtype=np.uint16)
    for reason, there in reasons.items():
        flags |= np.where(there, np.uint16(reason), np.uint16(0))
    flags[~measured.valid] = Outside.UNPREPARED
    return flags


def _edge_elsewhere(shape: NDArray[np.float64], limits: NDArray[np.int64]) -> NDArray[np.bool_]:
    number = np.arange(shape.shape[1])
    above = shape >= HALF
    early = (above & (number == limits[:, :1])).any(axis=1)
    there = (above & (number > limits[:, :1]) & (number <= limits[:, 1:])).any(axis=1)
    elsewhere: NDArray[np.bool_] = early | ~there
    return elsewhere


def _odd_shape(shape: NDArray[np.float64], domain: Domain, at: NDArray[np.int64]) -> NDArray[np.bool_]:
    left, limits = residuals(shape, domain), np.array([each.residual for each in domain.ranges])[at]
    odd: NDArray[np.bool_] = (left < limits[:, 0]) | (left > limits[:, 1])
    return odd
