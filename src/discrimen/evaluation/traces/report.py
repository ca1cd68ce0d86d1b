"""What was found about the clean traces that a model gives; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.waveform_residuals import Estimate
from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRange:
    """Figures of the traces in one range.

    Parameters
    ----------
    name : str
        The range in words.
    n_hits : int
        Hits with such traces, or traces where these are counted.
    figures : mapping of str to Estimate
        By the names of :data:`discrimen.metrics.trace_residuals.FIGURES`; empty for too few.
    """

    name: str
    n_hits: int
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShownTrace:
    """A trace for the picture, shape (sample,) each, above the baseline, in ADC counts."""

    title: str
    recorded: NDArray[np.float32]
    clean: NDArray[np.float32]
    denoised: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TraceReport(Summarised):
    """Clean traces judged.

    Parameters
    ----------
    model : mapping
        The model's description and what computed it.
    files : tuple of mapping
        Judged on.
    confidence : float
        Of every interval.
    n_hits, n_judged : int
        All of them; those with clean traces.
    left_out : mapping of str to int
        Hits that were not denoised, by the reason in words.
    kinds : mapping of str to tuple of TraceRange
        By the kind of the traces, ``all`` among them: all energies, then the ranges of energy.
    transients : tuple of TraceRange
        Traces of neighbours by their signed height over the noise; without where neighbours are not known.
    sample_period_ns : float
        Between two samples.
    shown : tuple of ShownTrace
        For the picture; not in the JSON.
    notes : tuple of str
        What a reader must know.
    created_utc : str
        When.
    software : mapping
        Versions.
    """

    model: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]
    confidence: float
    n_hits: int
    n_judged: int
    left_out: Mapping[str, int]
    kinds: Mapping[str, tuple[TraceRange, ...]]
    transients: tuple[TraceRange, ...]
    sample_period_ns: float
    shown: tuple[ShownTrace, ...]
    notes: tuple[str, ...]
    created_utc: str
    software: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; single traces are left to the picture."""
        names = ("model", "files", "confidence", "n_hits", "n_judged", "left_out", "kinds", "transients")
        return {name: getattr(self, name) for name in (*names, "notes", "created_utc", "software")}
