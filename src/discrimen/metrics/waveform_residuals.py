"""How far waveforms are off a reference, and what that does to charge, tail fraction and time, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.output.ranges import Panel

_DRAWS = 100
_FEWEST = 20
_CENTRAL = (0.16, 0.84)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval."""

    value: float
    low: float
    high: float


class Rows(Protocol):
    """What can be drawn: errors of many pulses or hits."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: NDArray[Any]) -> Self: ...


_Rows = TypeVar("_Rows", bound=Rows)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WaveformErrors:
    """Errors of each pulse, all of shape (pulse,).

    Parameters
    ----------
    residual_square_adc2, reference_square_adc2, noise_square_adc2 : ndarray of float64
        Mean squares over the samples: of waveform minus reference, of the reference, and of what was recorded before
        the pulse (NaN where nothing was).
    input_square_adc2 : ndarray of float64
        Mean square of what went in minus the reference: 0 where that is the reference.
    charge : ndarray of float64
        Charge over that of the reference, minus 1.
    tail_fraction : ndarray of float64
        Tail fraction minus that of the reference; NaN without gates.
    time_ns, input_time_ns : ndarray of float64
        Time minus that of the reference, of what came out and of what went in.
    """

    residual_square_adc2: NDArray[np.float64]
    reference_square_adc2: NDArray[np.float64]
    noise_square_adc2: NDArray[np.float64]
    input_square_adc2: NDArray[np.float64]
    charge: NDArray[np.float64]
    tail_fraction: NDArray[np.float64]
    time_ns: NDArray[np.float64]
    input_time_ns: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.residual_square_adc2)

    def __getitem__(self, index: NDArray[Any]) -> WaveformErrors:
        """Select pulses."""
        return WaveformErrors(**{each.name: getattr(self, each.name)[index] for each in fields(self)})


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(values.mean()))


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _half_central(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan")
    low, high = np.quantile(known, _CENTRAL)
    return float(high - low) / 2


def _gain_db(errors: WaveformErrors) -> float:
    """Return by how much the output is nearer to the reference than the input; no number where that is the input."""
    came_in = errors.input_square_adc2.mean()
    return 10 * float(np.log10(came_in / errors.residual_square_adc2.mean())) if came_in > 0 else float("nan")


FIGURES: Mapping[str, tuple[str, str, Callable[[WaveformErrors], float]]] = {
    "residual_rms_adc": ("residual rms", "ADC counts", lambda e: _rms(e.residual_square_adc2)),
    "residual_over_noise": (
        "residual over noise",
        "",
        lambda e: float(np.sqrt(e.residual_square_adc2.mean() / e.noise_square_adc2.mean())),
    ),
    "gain_db": ("noise taken away", "dB", _gain_db),
    "nrmse": (
        "NRMSE",
        "%",
        lambda e: 100 * float(np.sqrt(e.residual_square_adc2.sum() / e.reference_square_adc2.sum())),
    ),
    "charge_bias": ("charge, median error", "%", lambda e: 100 * _median(e.charge)),
    "charge_spread": ("charge, spread", "%", lambda e: 100 * _half_central(e.charge)),
    "tail_bias": ("tail fraction, median error", "%", lambda e: 100 * _median(e.tail_fraction)),
    "tail_spread": ("tail fraction, spread", "%", lambda e: 100 * _half_central(e.tail_fraction)),
    "time_bias_ns": ("time, median error", "ns", lambda e: _median(e.time_ns)),
    "time_spread_ns": ("time, spread", "ns", lambda e: _half_central(e.time_ns)),
    "input_time_spread_ns": ("time, spread before", "ns", lambda e: _half_central(e.input_time_ns) or float("nan")),
}
"""By name: words, unit (none where it is a ratio) and what is computed.

NRMSE is the root of the summed squares of residual over reference; a spread is half the central 68 %.
"""


def figure_words(names: Iterable[str]) -> dict[str, str]:
    """Return the words of figures with their units, for the heading of a table."""
    return {name: f"{words} ({unit})" if unit else words for name in names for words, unit, _ in (FIGURES[name],)}


def figure_panel(*names: str) -> Panel:
    """Return a panel for figures of one quantity, which the first words name."""
    words = {name: FIGURES[name][0].split(", ") for name in names}
    quantity, unit = words[names[0]][0], FIGURES[names[0]][1]
    return Panel(
        label=f"{quantity} ({unit})" if unit else quantity, series={name: told[-1] for name, told in words.items()}
    )


def waveform_figures(
    errors: WaveformErrors, *, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate] | None:
    """Return all figures of some pulses, with intervals by resampling the pulses (bootstrap).

    Parameters
    ----------
    errors : WaveformErrors
        Of these pulses.
    confidence : float
        Of the intervals.
    rng : Generator
        Draws.

    Returns
    -------
    dict of str to Estimate, or None
        By the names of :data:`FIGURES`, those left out that are no number; None for fewer than 20 pulses.
    """
    computed = {name: compute for name, (_, _, compute) in FIGURES.items()}
    return drawn_estimates(errors, computed, confidence=confidence, rng=rng)


def drawn_estimates(
    errors: _Rows, figures: Mapping[str, Callable[[_Rows], float]], *, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate] | None:
    """Return figures with intervals by resampling the rows (bootstrap).

    Parameters
    ----------
    errors : Rows
        Of pulses or hits.
    figures : mapping of str to callable
        What is computed of rows.
    confidence : float
        Of the intervals.
    rng : Generator
        Draws.

    Returns
    -------
    dict of str to Estimate, or None
        Those left out that are no number; None for fewer than 20 rows.
    """
    if len(errors) < _FEWEST:
        return None
    draws: dict[str, list[float]] = {name: [] for name in figures}
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {name: compute(errors) for name, compute in figures.items()}
        known = [name for name, value in values.items() if np.isfinite(value)]
        for _ in range(_DRAWS):
            drawn = errors[rng.integers(len(errors), size=len(errors))]
            for name in known:
                draws[name].append(figures[name](drawn))
    ends = (0.5 - confidence / 2, 0.5 + confidence / 2)
    return {name: Estimate(values[name], *map(float, np.nanquantile(draws[name], ends))) for name in known}
