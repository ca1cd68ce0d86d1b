"""Charge comparison: the share of a pulse's charge that lies in its tail.

The classical discriminant against which every network is judged (Brooks, Nucl. Instrum. Methods 4 (1959) 151): heavy
recoils excite more of the slow scintillation components than electrons do, so a neutron has the larger tail fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at
from discrimen.pulses.detector import GatesNs

PSD_DEFINITION = "(Q_long - Q_short) / Q_long"
"""What the pulse shape parameter is, to be printed beside each of its values."""

_BLOCK_SAMPLES = 2**20

_EARLIEST_START_SAMPLES, _EARLIEST_START_NS = 4, 40.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Charges(Summarised, Tabular):
    """Gated charges of each pulse.

    Parameters
    ----------
    long_charge_adc_ns, short_charge_adc_ns : ndarray of float32, shape (pulse,)
        Integrals over the long and the short gate, which start together; NaN without a crossing.
    psd : ndarray of float32, shape (pulse,)
        :data:`PSD_DEFINITION`; NaN without a crossing or with a long charge that is not positive.
    truncated : ndarray of bool, shape (pulse,)
        Whether a gate reaches beyond the record and is cut off there.
    """

    long_charge_adc_ns: NDArray[np.float32]
    short_charge_adc_ns: NDArray[np.float32]
    psd: NDArray[np.float32]
    truncated: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.psd)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> Charges:
        """Select pulses by a slice, a boolean mask or an array of positions; a single position gives one pulse."""
        rows = rows_at(index, len(self))
        return Charges(**{name: values[rows] for name, values in self.table_columns().items()})

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return charges, PSD and whether a gate was cut."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateGrid:
    """Gate edges to try, in ns relative to the constant-fraction crossing, each ascending."""

    starts_ns: tuple[float, ...]
    short_ends_ns: tuple[float, ...]
    long_ends_ns: tuple[float, ...]

    def refined_around(self, gates: GatesNs, *, n_points: int = 5) -> GateGrid:
        """Return a finer grid between the neighbours of the edges of `gates`."""
        return GateGrid(
            starts_ns=_between_neighbours(self.starts_ns, gates.gate_start_ns, n_points),
            short_ends_ns=_between_neighbours(self.short_ends_ns, gates.short_gate_end_ns, n_points),
            long_ends_ns=_between_neighbours(self.long_ends_ns, gates.long_gate_end_ns, n_points),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSearch:
    """Result of a search for the best gates.

    Parameters
    ----------
    gates : GatesNs
        The winner.
    merit : float
        What it reached on the tuning pulses, in the unit of the given merit.
    n_tried : int
        How many combinations were compared.
    """

    gates: GatesNs
    merit: float
    n_tried: int


def charge_comparison(
    waveforms: NDArray[np.float32], *, crossing: NDArray[np.float32], sample_period_ns: float, gates: GatesNs
) -> Charges:
    """Integrate each pulse over the two gates.

    A sample stands for the sampling period centred on it, and a gate edge inside that period takes its share of the
    sample. A gate that reaches beyond the record ends there, both gates by the same rule; `truncated` tells.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        In ADC counts above the baseline, pulses upwards.
    crossing : ndarray of float32, shape (pulse,)
        Position of the constant-fraction crossing in samples, NaN where there is none.
    sample_period_ns : float
        Time between samples in ns.
    gates : GatesNs
        In ns relative to the crossing.

    Returns
    -------
    Charges
        All of shape (pulse,).

    Raises
    ------
    DataError
        If there is not one crossing for each waveform.
    """
    offsets = np.array([gates.gate_start_ns, gates.short_gate_end_ns, gates.long_gate_end_ns]) / sample_period_ns
    start, short, long = _integrals(waveforms, crossing, offsets) * sample_period_ns
    first, last = crossing + offsets[0] + 0.5, crossing + offsets[2] + 0.5
    return Charges(
        long_charge_adc_ns=(long - start).astype(np.float32),
        short_charge_adc_ns=(short - start).astype(np.float32),
        psd=_tail_fraction(start, short, long).astype(np.float32),
        truncated=(first < 0) | (last > waveforms.shape[1]),
    )


def best_gates(
    waveforms: NDArray[np.float32],
    *,
    crossing: NDArray[np.float32],
    sample_period_ns: float,
    merit: Callable[[NDArray[np.float64]], float],
    grid: GateGrid | None = None,
    n_refinements: int = 2,
) -> GateSearch:
    """Search the gates with the highest merit on pulses that are kept apart from those of the evaluation.

    All combinations of a grid are compared, then those of finer grids around the winner.

    Parameters
    ----------
    waveforms, crossing, sample_period_ns
        As in :func:`charge_comparison`, of the tuning pulses.
    merit : callable
        From the PSD of shape (pulse,) to a number, the higher the better; NaN marks a pulse without PSD.
    grid : GateGrid, optional
        What to try; by default :func:`default_gate_grid` of what the records hold around the crossings.
    n_refinements : int
        How many times to refine the grid.

    Returns
    -------
    GateSearch
        The winner; among equals the earliest, shortest gates.

    Raises
    ------
    DataError
        If no pulse has a crossing, or the grid holds no gates in order.
    """
    if grid is None:
        grid = _grid_of_records(crossing, n_samples=waveforms.shape[1], sample_period_ns=sample_period_ns)
    found = _search(waveforms, crossing, sample_period_ns, merit, grid)
    for _ in range(n_refinements):
        grid = grid.refined_around(found.gates)
        finer = _search(waveforms, crossing, sample_period_ns, merit, grid)
        best = finer if finer.merit > found.merit else found
        found = GateSearch(gates=best.gates, merit=best.merit, n_tried=found.n_tried + finer.n_tried)
    return found


def default_gate_grid(*, sample_period_ns: float, before_ns: float, after_ns: float, ratio: float = 1.3) -> GateGrid:
    """Return gate edges in geometric steps from half a sample up to what the record holds.

    Parameters
    ----------
    sample_period_ns : float
        Time between samples in ns.
    before_ns, after_ns : float
        How much of the record lies before and after the crossing.
    ratio : float
        Between neighbouring ends; starts go in steps of two.
    """
    ends = _geometric(sample_period_ns / 2, after_ns, ratio)
    starts = _geometric(sample_period_ns / 2, before_ns, 2.0)
    return GateGrid(starts_ns=(*(-start for start in reversed(starts)), 0.0), short_ends_ns=ends, long_ends_ns=ends)


def _grid_of_records(crossing: NDArray[np.float32], *, n_samples: int, sample_period_ns: float) -> GateGrid:
    known = crossing[np.isfinite(crossing)]
    if not len(known):
        raise DataError("no pulse has a constant-fraction crossing: check polarity and baseline window")
    # Nine pulses in ten hold the longest gates whole: a cut gate would favour whichever class triggers earlier.
    early, late = np.quantile(known, [0.1, 0.9])
    # Nor is there charge long before the crossing, only noise that a search would fit.
    earliest_ns = max(_EARLIEST_START_SAMPLES * sample_period_ns, _EARLIEST_START_NS)
    before_ns = min((early + 0.5) * sample_period_ns, earliest_ns)
    after_ns = (n_samples - 0.5 - late) * sample_period_ns
    return default_gate_grid(sample_period_ns=sample_period_ns, before_ns=before_ns, after_ns=after_ns)


def _search(
    waveforms: NDArray[np.float32],
    crossing: NDArray[np.float32],
    sample_period_ns: float,
    merit: Callable[[NDArray[np.float64]], float],
    grid: GateGrid,
) -> GateSearch:
    edges_ns = sorted({*grid.starts_ns, *grid.short_ends_ns, *grid.long_ends_ns})
    integrals = _integrals(waveforms, crossing, np.array(edges_ns) / sample_period_ns)
    integral = dict(zip(edges_ns, integrals, strict=True))
    best: tuple[float, GatesNs] | None = None
    tried = 0
    for start in grid.starts_ns:
        for short in grid.short_ends_ns:
            for long in grid.long_ends_ns:
                if not start < short < long:
                    continue
                tried += 1
                reached = merit(_tail_fraction(integral[start], integral[short], integral[long]))
                # Gates without any merit (NaN) must not stay the best because nothing compares with them.
                if best is None or reached > best[0] or np.isnan(best[0]):
                    best = reached, GatesNs(gate_start_ns=start, short_gate_end_ns=short, long_gate_end_ns=long)
    if best is None:
        raise DataError("the grid holds no gates with start < short end < long end: widen it")
    return GateSearch(gates=best[1], merit=best[0], n_tried=tried)


def _integrals(
    waveforms: NDArray[np.float32], crossing: NDArray[np.float32], offsets: NDArray[Any]
) -> NDArray[np.float64]:
    """Integrate from the earliest offset of each pulse to crossing + offset, in ADC samples: shape (offset, pulse)."""
    if crossing.shape != (len(waveforms),):
        raise DataError(f"expected one crossing for each of {len(waveforms)} waveforms, got shape {crossing.shape}")
    integrals = np.empty((len(offsets), len(waveforms)))
    block = max(1, _BLOCK_SAMPLES // waveforms.shape[1])
    for first in range(0, len(waveforms), block):
        rows = slice(first, first + block)
        integrals[:, rows] = _block_integrals(waveforms[rows], crossing[rows] + offsets[:, np.newaxis])
    return integrals


def _block_integrals(waveforms: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    n_pulses, n_samples = waveforms.shape
    known = np.isfinite(edges)
    # Sample i fills i - 1/2 .. i + 1/2, so that the record ends at n_samples on this scale.
    place = np.clip(np.where(known, edges, 0.0) + 0.5, 0.0, n_samples)
    # Of the record, only what lies between the first and the last edge.
    first = np.minimum(place.min(axis=0, initial=n_samples).astype(np.int64), n_samples - 1)
    width = int((place.max(axis=0, initial=0.0) - first).max(initial=0.0)) + 1
    rows = np.arange(n_pulses)
    window = waveforms[rows[:, np.newaxis], np.minimum(first[:, np.newaxis] + np.arange(width), n_samples - 1)]
    cumulative = np.zeros((n_pulses, width + 1))
    np.cumsum(window, axis=1, dtype=np.float64, out=cumulative[:, 1:])
    whole = np.minimum(place.astype(np.int64), n_samples - 1) - first
    inside = cumulative[rows, whole] + (place - first - whole) * window[rows, whole]
    return np.where(known, inside, np.nan)


def _tail_fraction(
    start: NDArray[np.float64], short: NDArray[np.float64], long: NDArray[np.float64]
) -> NDArray[np.float64]:
    total = long - start
    positive = total > 0
    return np.where(positive, (long - short) / np.where(positive, total, 1.0), np.nan)


def _geometric(first: float, last: float, ratio: float) -> tuple[float, ...]:
    if last <= first:
        return (float(first),)
    n_steps = int(np.ceil(np.log(last / first) / np.log(ratio)))
    return tuple(float(value) for value in np.geomspace(first, last, n_steps + 1))


def _between_neighbours(values: tuple[float, ...], centre: float, n_points: int) -> tuple[float, ...]:
    below = max((value for value in values if value < centre), default=centre)
    above = min((value for value in values if value > centre), default=centre)
    fine = {*np.linspace(below, centre, n_points // 2 + 1), *np.linspace(centre, above, n_points // 2 + 1)}
    return tuple(sorted(float(value) for value in fine))
