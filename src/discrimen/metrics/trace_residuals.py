"""How far traces of hits are off the clean ones, before and after, and what that does to the size of the signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.waveform_residuals import Estimate, drawn_estimates


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TraceErrors:
    """Sums over the samples of some traces of each hit, or of single traces, all of shape (row,).

    Parameters
    ----------
    n_samples : ndarray of float64
        That the sums are over; 0 for a hit without such traces.
    residual_square_adc2, input_square_adc2 : ndarray of float64
        Squares of what came out, and of what went in, minus the clean trace.
    output_clean_adc2, input_clean_adc2, clean_square_adc2 : ndarray of float64
        Products with the clean trace above its baseline: of what came out, of what went in, of itself.
    """

    n_samples: NDArray[np.float64]
    residual_square_adc2: NDArray[np.float64]
    input_square_adc2: NDArray[np.float64]
    output_clean_adc2: NDArray[np.float64]
    input_clean_adc2: NDArray[np.float64]
    clean_square_adc2: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.n_samples)

    def __getitem__(self, index: NDArray[Any]) -> TraceErrors:
        """Select rows."""
        return TraceErrors(**{each.name: getattr(self, each.name)[index] for each in fields(self)})


def _amplitude(products: NDArray[np.float64], squares: NDArray[np.float64]) -> float:
    """Return the slope of what is multiplied with the clean traces against these, minus 1."""
    return 100 * float(products.sum() / squares.sum() - 1)


FIGURES: Mapping[str, tuple[str, Callable[[TraceErrors], float]]] = {
    "input_rms_adc": (
        "noise before (ADC counts)",
        lambda e: float(np.sqrt(e.input_square_adc2.sum() / e.n_samples.sum())),
    ),
    "residual_rms_adc": (
        "noise after (ADC counts)",
        lambda e: float(np.sqrt(e.residual_square_adc2.sum() / e.n_samples.sum())),
    ),
    "gain_db": (
        "noise taken away (dB)",
        lambda e: 10 * float(np.log10(e.input_square_adc2.sum() / e.residual_square_adc2.sum())),
    ),
    "input_amplitude_bias": (
        "amplitude before, off (%)",
        lambda e: _amplitude(e.input_clean_adc2, e.clean_square_adc2),
    ),
    "amplitude_bias": (
        "amplitude after, off (%)",
        lambda e: _amplitude(e.output_clean_adc2, e.clean_square_adc2),
    ),
}
"""By name: words with the unit, and what is computed. Negative amplitudes: signals are made smaller."""


def trace_figures(errors: TraceErrors, *, confidence: float, rng: np.random.Generator) -> dict[str, Estimate] | None:
    """Return all figures of some hits, with intervals by resampling the hits (bootstrap).

    Parameters
    ----------
    errors : TraceErrors
        Of these hits, or traces.
    confidence : float
        Of the intervals.
    rng : Generator
        Draws.

    Returns
    -------
    dict of str to Estimate, or None
        By the names of :data:`FIGURES`, those left out that are no number; None for fewer than 20.
    """
    some = errors[np.flatnonzero(errors.n_samples > 0)]
    computed = {name: compute for name, (_, compute) in FIGURES.items()}
    return drawn_estimates(some, computed, confidence=confidence, rng=rng)
