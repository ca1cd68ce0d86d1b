"""Streams that try a chip: simulated pulses as they come, and what nobody wishes for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.fpga.front_end import FrontEnd
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate

_RECORD_SAMPLES_BEFORE, _RECORD_SAMPLES_AFTER = 45, 20
_FEW = 1000
_FALL = np.array([1.0, 0.7, 0.4, 0.2, 0.1, 0.05])

Stream = NDArray[np.int32]


def stimulus_streams(front_end: FrontEnd, *, n_pulses: int, seed: int) -> dict[str, Stream]:
    """Make the streams by which every step of the flow is compared.

    Parameters
    ----------
    front_end : FrontEnd
        Of the chip: width and polarity of a sample, length of a window.
    n_pulses : int
        Simulated pulses of BC501A behind NUMEXO2, from 30 keVee.
    seed : int
        Of the simulation and of what is drawn; one that no training used.

    Returns
    -------
    dict of str to ndarray of int32, shape (sample,)
        As digitised: held-out pulses, piled up, saturated, back to back, random, from rail to
        rail, all zero, all maximum (the last two hold no window: none may come).
    """
    rng = np.random.default_rng(seed)
    records = _records(front_end, n_pulses=n_pulses, seed=seed)
    few, high = records[:_FEW], front_end.highest_adc
    level = np.median(records[:, :8])
    up = np.where(front_end.polarity == "negative", level - few, few - level)
    sign = -1 if front_end.polarity == "negative" else 1
    delays = rng.integers(1, front_end.length, len(up)).tolist()
    shifted = np.stack([np.roll(row, by) for row, by in zip(rng.permutation(up), delays, strict=True)])
    streams = {
        "held-out pulses": records,
        "piled up": level + sign * (up + shifted),
        "saturated": level + sign * up * (8 * high / np.maximum(up.max(axis=1, keepdims=True), 1)),
        "back to back": level + sign * _back_to_back(front_end, rng=rng),
        "random": rng.integers(0, high + 1, 40_000),
        "rail to rail": np.tile(np.repeat([0, high], 2 * front_end.length), 100),
        "all zero": np.zeros(2000),
        "all maximum": np.full(2000, high),
    }
    return {name: _stream(values, front_end) for name, values in streams.items()}


def _records(front_end: FrontEnd, *, n_pulses: int, seed: int) -> NDArray[Any]:
    """Simulate records with a stretch of baseline before each pulse, of the width of the ADC."""
    period_ns, adc_bits = 10.0, 14
    config = SimulationConfig(
        n_pulses=n_pulses,
        digitizer="NUMEXO2",
        n_samples=_RECORD_SAMPLES_BEFORE + front_end.length + _RECORD_SAMPLES_AFTER,
        pretrigger_ns=_RECORD_SAMPLES_BEFORE * period_ns,
        polarity=front_end.polarity,
        baseline_adc=15000.0 if front_end.polarity == "negative" else 1383.0,
        seed=seed,
    )
    samples = simulate(config).samples.astype(np.int64)
    lost = adc_bits - front_end.adc_bits
    return samples >> lost if lost >= 0 else samples << -lost


def _back_to_back(front_end: FrontEnd, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Short pulses that come about when the dead time of the one before ends: a sample too early, or not."""
    dead = front_end.length - front_end.before
    at = 100 + np.cumsum(dead + rng.integers(-1, 4, _FEW))
    height = rng.uniform(2 * front_end.threshold_adc, front_end.highest_adc / 2, _FEW)
    heights = np.zeros(int(at[-1]) + dead)
    for start, peak in zip(at.tolist(), height.tolist(), strict=True):
        heights[start : start + len(_FALL)] += peak * _FALL
    return heights


def _stream(values: NDArray[Any], front_end: FrontEnd) -> Stream:
    """One row within the range of the ADC, with an end in which the last window is whole."""
    row = np.clip(np.rint(values), 0, front_end.highest_adc).astype(np.int32).reshape(-1)
    return np.concatenate([row, np.full(2 * front_end.length + front_end.settling, row[-1], np.int32)])
