"""Mean pulses, aligned at the leading edge and finer in time than the samples where the phase of the clock allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.traces import Traces
from discrimen.network.prepare import constant_fraction_crossing
from discrimen.simulation.digitizer import CROSSING_FRACTION

LONGEST_NS = 400.0
"""So far after the edge a mean pulse goes."""
_EARLIEST_NS, _EARLIEST_SAMPLES = 40.0, 5
_PROMPT_START_NS, _PROMPT_STOP_NS = -20.0, 30.0
_PULSES_A_BIN = 25
_FINEST_BIN_NS = 0.7
_MOST_PLACES = 16


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeanPulse:
    """The mean of pulses, each relative to its own prompt charge.

    Parameters
    ----------
    time_ns : ndarray of float64, shape (point,)
        After the crossing of 30 % of the height, rising.
    value, error : ndarray of float64, shape (point,)
        In units of the peak of this mean; the error is that of the mean over the pulses.
    places_ns : ndarray of float64, shape (place, point)
        Where the samples of each point lay.
    sample_period_ns : float
        Of the records.
    n_pulses : int
        How many.
    """

    time_ns: NDArray[np.float64]
    value: NDArray[np.float64]
    error: NDArray[np.float64]
    places_ns: NDArray[np.float64]
    sample_period_ns: float
    n_pulses: int


def mean_pulse(traces: Traces, chosen: NDArray[np.bool_], *, period_ns: float) -> MeanPulse:
    """Average the chosen pulses.

    The clock's phase differs from pulse to pulse, so samples of many pulses fill the time between two samples
    (equivalent-time sampling): each period is cut into as many points as there are pulses for.

    Parameters
    ----------
    traces : Traces
        Of the records.
    chosen : ndarray of bool, shape (pulse,)
        Which.
    period_ns : float
        Time between samples.
    """
    waves, crossing = traces.waves_adc[chosen], traces.crossing[chosen]
    charge = prompt_charge(waves, crossing, period_ns=period_ns)
    finer = min(max(len(waves) // _PULSES_A_BIN, 1), max(math.floor(period_ns / _FINEST_BIN_NS), 1))
    after = (np.arange(waves.shape[1]) - crossing[:, None]) * finer
    first = math.ceil(-min(crossing.min() - 1, max(_EARLIEST_NS / period_ns, _EARLIEST_SAMPLES)) * finer)
    last = math.floor(min((waves.shape[1] - 1 - crossing.max()) * finer, LONGEST_NS / period_ns * finer))
    points, rows = [], np.arange(len(waves))
    for number in range(first, last):
        column = np.ceil((number - 0.5) / finer + crossing).astype(int)
        inside = (column >= 0) & (column < waves.shape[1])
        column = np.where(inside, column, 0)
        place = after[rows, column]
        member = inside & (place < number + 0.5)
        if member.sum() >= 2:
            points.append(_point(waves[rows, column][member], charge[member], place[member] * period_ns / finer))
    time, value, error, places = (np.array(list(column)) for column in zip(*points, strict=True))
    peak = float(value.max())
    return MeanPulse(
        time_ns=time,
        value=value / peak,
        error=np.maximum(error / peak, 1e-4),
        # Within a fine point the pulse hardly bends: its mean place is enough.
        places_ns=places.T if finer == 1 else time[None, :],
        sample_period_ns=period_ns,
        n_pulses=len(waves),
    )


def _point(
    values: NDArray[np.float32], charge: NDArray[np.float64], places_ns: NDArray[np.float64]
) -> tuple[float, float, float, NDArray[np.float64]]:
    total = charge.sum()
    mean = float(values.sum() / total)
    scatter = np.sqrt(((values - mean * charge) ** 2).sum() * len(values) / max(len(values) - 1, 1))
    chosen = np.linspace(0, len(places_ns) - 1, _MOST_PLACES).round().astype(int)
    return float((charge * places_ns).sum() / total), mean, float(scatter / total), np.sort(places_ns)[chosen]


def prompt_charge(
    waves: NDArray[np.float32], crossing: NDArray[np.float64], *, period_ns: float
) -> NDArray[np.float64]:
    """Return the sum of the samples about the leading edge, shape (pulse,): a height that noise does not bias."""
    time_ns = (np.arange(waves.shape[1]) - crossing[:, None]) * period_ns
    inside = (time_ns >= _PROMPT_START_NS) & (time_ns < max(_PROMPT_STOP_NS, 3 * period_ns))
    return np.asarray(np.where(inside, waves, 0).sum(axis=1), dtype=np.float64)


def as_measured(shape: NDArray[np.float64], phases: int, like: MeanPulse) -> NDArray[np.float64]:
    """Treat a pulse without noise as the pulses of a mean pulse were: sampled at all phases, aligned, averaged.

    Parameters
    ----------
    shape : ndarray of float64, shape (sample x phase,)
        The pulse, so many phases to a sampling period.
    phases : int
        Points of a period.
    like : MeanPulse
        Where it is wanted.

    Returns
    -------
    ndarray of float64, shape (point,)
        Relative to the prompt charge, so not to the peak.
    """
    waves, crossing = _sampled(shape, phases)
    charge = prompt_charge(waves, crossing, period_ns=like.sample_period_ns)
    after = ((np.arange(waves.shape[1]) - crossing[:, None]) * like.sample_period_ns).ravel()
    order = np.argsort(after)
    pooled = np.interp(like.places_ns, after[order], (waves / charge[:, None]).ravel()[order])
    return np.asarray(pooled.mean(axis=0))


def wrong_by_phase(shape: NDArray[np.float64], phases: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much crossings of a sampled pulse are late, against the phase at which they are found.

    Parameters
    ----------
    shape : ndarray of float64, shape (sample x phase,)
        The pulse, so many phases to a sampling period.
    phases : int
        Points of a period.

    Returns
    -------
    found, late : ndarray of float64, shape (phase,)
        In samples; found rises from 0 to 1.
    """
    _, crossing = _sampled(shape, phases)
    finely = constant_fraction_crossing(shape[None, :].astype(np.float32), fraction=CROSSING_FRACTION)
    late = crossing - (float(finely[0]) - np.arange(phases)) / phases
    order = np.argsort(crossing % 1)
    return (crossing % 1)[order], late[order]


def _sampled(shape: NDArray[np.float64], phases: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the records of a pulse at all phases of the clock, and their crossings in samples."""
    waves = shape[: len(shape) // phases * phases].reshape(-1, phases).T.astype(np.float32)
    return waves, constant_fraction_crossing(waves, fraction=CROSSING_FRACTION).astype(np.float64)
