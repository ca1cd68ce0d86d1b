"""Whether pulses still are what they were: a small reference, counts that can be merged, and two tests for each figure.

The reference cuts each figure (logit, pulse height, baseline, ...) into bins of equally many pulses. New pulses are
counted in the same bins. Two tests compare the counts, neither of which knows more than the bins:

- *shape*: chi-square of two samples, which sees any change of the distribution;
- *shift*: the mean rank of the new pulses among the reference (a rank-sum test on bins), which sees a change of
  position sooner.

A figure may be split by another, so that only the distribution at given height counts and not that of the heights.
Each p-value is multiplied by the number of tests (Bonferroni), so that the rate of false alarms of a window of
independent pulses is at most the stated one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.metrics.drift_figure import Figure, figure_from, figure_of
from discrimen.metrics.drift_tests import shape_p_value, shift_p_value, stability_index
from discrimen.output.summary import Summarised

N_BINS = 20
FEWEST_PULSES = 500
"""In the reference and in a window: fewer fill the bins too thinly for the tests to keep their promise."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DriftReference:
    """What pulses were like when all was well; a few kilobytes as JSON.

    Parameters
    ----------
    figures : mapping of str to Figure
        By name.
    n_pulses : int
        How many pulses it was made from.
    """

    figures: Mapping[str, Figure]
    n_pulses: int

    @classmethod
    def of(
        cls, values: Mapping[str, NDArray[Any]], *, split: Mapping[str, str] | None = None, n_bins: int = N_BINS
    ) -> DriftReference:
        """Make a reference.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (pulse,)
            The figures; NaN where a pulse has none.
        split : mapping of str to str, optional
            Figures that are looked at a second time, in groups of another: ``{"logit": "peak_adc"}`` adds
            ``logit at peak_adc``.
        n_bins : int
            Of each figure.

        Raises
        ------
        DataError
            If there are fewer than 500 pulses.
        """
        n_pulses = len(next(iter(values.values()), ()))
        if n_pulses < FEWEST_PULSES:
            raise DataError(f"a reference needs at least {FEWEST_PULSES} pulses, got {n_pulses}")
        figures = {name: figure_of(column, None, None, n_bins) for name, column in values.items()}
        for name, by in (split or {}).items():
            figures[f"{name} at {by}"] = figure_of(values[name], values[by], by, n_bins)
        return cls(figures=figures, n_pulses=n_pulses)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        figures = {
            name: {
                "edges": figure.edges.tolist(),
                "counts": figure.counts.tolist(),
                "split_by": figure.split_by,
                "group_edges": figure.group_edges.tolist(),
                "mean": figure.mean if math.isfinite(figure.mean) else None,
            }
            for name, figure in self.figures.items()
        }
        return {"n_pulses": self.n_pulses, "figures": figures}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DriftReference:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If it is no reference.
        """
        try:
            figures = {name: figure_from(figure) for name, figure in values["figures"].items()}
            return cls(figures=figures, n_pulses=int(values["n_pulses"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(f"this is no reference for drift: {type(error).__name__} {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDrift:
    """How one figure has changed.

    Parameters
    ----------
    name : str
        Of the figure.
    p_shape, p_shift : float
        Chance of such a difference between pulses of the same kind, by both tests, not multiplied.
    stability_index : float
        Population stability index, sum of (q - p) ln(q / p) over the bins: how large the change is, whatever the number
        of pulses; 0.1 is a change that shows.
    mean_before, mean_now : float
        In the unit of the figure; NaN where no pulse has a value.
    drifted : bool
        Whether it is beyond the stated rate of false alarms.
    """

    name: str
    p_shape: float
    p_shift: float
    stability_index: float
    mean_before: float
    mean_now: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Drift(Summarised):
    """Verdict on a window of pulses.

    Parameters
    ----------
    n_pulses : int
        In the window.
    false_alarm_rate : float
        Of the verdict, if nothing changed and pulses are independent.
    figures : tuple of FigureDrift
        One for each figure of the reference.
    """

    n_pulses: int
    false_alarm_rate: float
    figures: tuple[FigureDrift, ...]

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the figures that have drifted."""
        return tuple(figure.name for figure in self.figures if figure.drifted)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self) | {"drifted": list(self.drifted)}


@dataclass(frozen=True, slots=True, eq=False)
class DriftCounts:
    """Counts of new pulses in the bins of a reference: of constant size, and two of them add up.

    Parameters
    ----------
    reference : DriftReference
        Whose bins.
    counts : mapping of str to ndarray of int64
        By figure, each of shape (group, bin + 1).
    totals : mapping of str to float
        Sum of the values, by figure.
    """

    reference: DriftReference
    counts: Mapping[str, NDArray[np.int64]]
    totals: Mapping[str, float]

    @classmethod
    def none(cls, reference: DriftReference) -> DriftCounts:
        """Return the counts of no pulses."""
        figures = reference.figures
        return cls(
            reference, {name: np.zeros_like(figures[name].counts) for name in figures}, dict.fromkeys(figures, 0.0)
        )

    @property
    def n_pulses(self) -> int:
        """How many pulses were counted."""
        return int(next(iter(self.counts.values())).sum())

    def with_pulses(self, values: Mapping[str, NDArray[Any]]) -> DriftCounts:
        """Return the counts with those of more pulses; figures have the names that the reference was made from."""
        counts, totals = {}, {}
        for name, figure in self.reference.figures.items():
            by = None if figure.split_by is None else values[figure.split_by]
            own = values[name if figure.split_by is None else name.removesuffix(f" at {figure.split_by}")]
            counts[name] = self.counts[name] + figure.count(own, by)
            totals[name] = self.totals[name] + float(np.nansum(own))
        return DriftCounts(self.reference, counts, totals)

    def __add__(self, other: DriftCounts) -> DriftCounts:
        return DriftCounts(
            self.reference,
            {name: self.counts[name] + other.counts[name] for name in self.counts},
            {name: self.totals[name] + other.totals[name] for name in self.totals},
        )

    def drift(self, *, false_alarm_rate: float = 1e-3) -> Drift:
        """Compare with the reference.

        Raises
        ------
        DataError
            If fewer than 500 pulses were counted, or the rate does not lie between 0 and 1.
        """
        if not 0 < false_alarm_rate < 1:
            raise DataError(f"the rate of false alarms must lie between 0 and 1, got {false_alarm_rate:g}")
        if self.n_pulses < FEWEST_PULSES:
            raise DataError(f"a window needs at least {FEWEST_PULSES} pulses, got {self.n_pulses}")
        limit = false_alarm_rate / (2 * len(self.counts))
        figures = tuple(
            _compared(name, figure, self.counts[name], self.totals[name], limit=limit)
            for name, figure in self.reference.figures.items()
        )
        return Drift(n_pulses=self.n_pulses, false_alarm_rate=false_alarm_rate, figures=figures)


class DriftMonitor:
    """Cuts a stream of pulses into windows of equal size and judges each; holds nothing but the counts of one.

    Parameters
    ----------
    reference : DriftReference
        What to compare with.
    window : int
        Pulses to a verdict, at least 500: the more, the smaller a change is seen.
    false_alarm_rate : float
        Of each verdict.

    Raises
    ------
    DataError
        If the window is too small.
    """

    def __init__(self, reference: DriftReference, *, window: int = 20_000, false_alarm_rate: float = 1e-3) -> None:
        if window < FEWEST_PULSES:
            raise DataError(f"a window needs at least {FEWEST_PULSES} pulses, got {window}")
        self._window, self._rate = window, false_alarm_rate
        self._counts = DriftCounts.none(reference)

    @property
    def pending(self) -> DriftCounts:
        """Counts of the window that is not full yet."""
        return self._counts

    def add(self, values: Mapping[str, NDArray[Any]]) -> Iterator[Drift]:
        """Count a batch of any size; yield the verdict on each window that it fills."""
        n_pulses, first = len(next(iter(values.values()))), 0
        while first < n_pulses:
            last = min(n_pulses, first + self._window - self._counts.n_pulses)
            self._counts = self._counts.with_pulses({name: column[first:last] for name, column in values.items()})
            first = last
            if self._counts.n_pulses == self._window:
                full, self._counts = self._counts, DriftCounts.none(self._counts.reference)
                yield full.drift(false_alarm_rate=self._rate)


def _compared(name: str, figure: Figure, counts: NDArray[np.int64], total: float, *, limit: float) -> FigureDrift:
    n_known = int(counts[:, :-1].sum())
    p_shape, p_shift = shape_p_value(figure.counts, counts), shift_p_value(figure.counts, counts)
    return FigureDrift(
        name=name,
        p_shape=p_shape,
        p_shift=p_shift,
        stability_index=stability_index(figure.counts, counts),
        mean_before=figure.mean,
        mean_now=total / n_known if n_known else math.nan,
        drifted=min(p_shape, p_shift) < limit,
    )
