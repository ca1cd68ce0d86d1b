"""How far a sample may lie from its reconstruction: noise, photoelectrons, and what the auto-encoder does not know.

The variance of a sample is taken as a + b s + c s^2 of the signal s that the auto-encoder gives it: noise of the
electronics, statistics of photoelectrons (in proportion to the signal, see
:mod:`discrimen.network.domain.light_noise`), and whatever is in proportion to the pulse. So a pulse with more tail may
scatter more there, and a run with another share of neutrons is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module

_MOST_SAMPLES = 300_000
_N_TURNS = 4
_FAR_OFF = 4.0
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SampleVariance:
    """The variance of the residual in stretches of the window.

    Parameters
    ----------
    stops : tuple of int
        Where each stretch ends.
    terms : ndarray of float64, shape (stretch, 3)
        Constant in square ADC counts, factor of the signal in ADC counts, and factor of its square.
    """

    stops: tuple[int, ...]
    terms: NDArray[np.float64]

    @classmethod
    def of(
        cls, residual_adc: NDArray[np.float32], signal_adc: NDArray[np.float32], stops: Sequence[int]
    ) -> SampleVariance:
        """Fit it to pulses in which all was well, shape (pulse, sample), without those that are far off."""
        size = np.square(residual_adc, dtype=np.float64).mean(axis=1) / np.abs(signal_adc).max(axis=1).clip(1e-9)
        near = size <= _FAR_OFF * np.median(size)
        terms, start = [], 0
        for stop in stops:
            square = np.square(residual_adc[near, start:stop], dtype=np.float64).ravel()
            signal = signal_adc[near, start:stop].ravel().astype(np.float64)
            every = max(1, len(square) // _MOST_SAMPLES)
            terms.append(_fit(square[::every], np.maximum(signal[::every], 0)))
            start = stop
        return cls(stops=tuple(stops), terms=np.array(terms))

    def __call__(self, signal_adc: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the variance of each sample, of the shape of the signal."""
        of_sample = np.repeat(self.terms, np.diff(self.stops, prepend=0), axis=0).T
        signal = np.maximum(signal_adc, 0)
        variance: NDArray[np.float64] = of_sample[0] + signal * (of_sample[1] + signal * of_sample[2])
        return variance


def _fit(square: NDArray[np.float64], signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit three terms, none below 0, each sample weighted by what it scatters by itself."""
    nnls = require_module("scipy.optimize", extra="analysis").nnls
    mean = float(square.mean()) if len(square) else 0.0
    if not mean > 0:
        return np.array([1.0, 0.0, 0.0])
    scale = max(float(signal.max()), 1e-9)
    design = np.stack([np.ones_like(signal), signal / scale, (signal / scale) ** 2], axis=1)
    variance = np.full_like(square, mean)
    for _ in range(_N_TURNS):
        weighted = design / variance[:, np.newaxis]
        # The normal equations of three terms: their root has the same least squares, and is small.
        root = np.linalg.cholesky(weighted.T @ weighted + 1e-12 * np.eye(3) * np.trace(weighted.T @ weighted))
        found = nnls(root.T, np.linalg.solve(root, weighted.T @ (square / variance)))[0]
        variance = np.maximum(design @ found, _LEAST_SHARE * mean)
    found[0] = max(found[0], _LEAST_SHARE * mean)
    fitted: NDArray[np.float64] = found / scale ** np.arange(3)
    return fitted
