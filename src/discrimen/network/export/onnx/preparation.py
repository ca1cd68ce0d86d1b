"""The preparation as nodes of an ONNX graph, with the arithmetic of :mod:`discrimen.network.prepare`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from discrimen.network.export.onnx.graph import Graph
from discrimen.network.preparation import Alignment, Preparation


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedNames:
    """Names of what the preparation gives.

    Parameters
    ----------
    waveforms : str
        float32 of shape (pulse, window sample); rows of pulses that cannot be prepared hold anything.
    mark : str
        float32 of shape (pulse, 1): 0, or NaN for a pulse that cannot be prepared. Adding it to the scores is several
        times faster in the runtimes than choosing by a condition.
    """

    waveforms: str
    mark: str


def add_preparation(graph: Graph, samples: str, preparation: Preparation, *, may_be_infinite: bool) -> PreparedNames:
    """Add the nodes from raw samples to network input.

    Parameters
    ----------
    graph : Graph
        Grows.
    samples : str
        Name of the raw samples, shape (pulse, sample), any type of number.
    preparation : Preparation
        What to do.
    may_be_infinite : bool
        Whether the samples may hold values that are not finite; integers cannot.
    """
    alignment = preparation.alignment
    if alignment is None:
        start = preparation.window_start
        part = graph.cut(samples, start, start + preparation.window_length, axis=1)
        window = _above(graph, samples, part, preparation, n_samples=preparation.window_length)
        usable = _is_finite(graph, window) if may_be_infinite else None
    else:
        above = _above(graph, samples, samples, preparation, n_samples=None)
        usable = _is_finite(graph, above) if may_be_infinite else None
        crossing, usable = _crossing(graph, above, alignment, usable=usable)
        window = _aligned_window(graph, above, crossing, alignment, preparation.window_length)
    divisor = graph.node("ReduceMax", window, graph.integers(1))
    # The logarithm is finite for a positive number and for no other: times 0 it gives 0 or NaN.
    mark = graph.node("Log", divisor)
    if preparation.scale == "area":
        divisor = graph.node("ReduceSum", window, graph.integers(1))
        mark = graph.node("Add", mark, graph.node("Log", divisor))
    if usable is not None:
        mark = graph.node("Where", usable, mark, graph.number(np.nan))
    if preparation.scale != "none":
        window = graph.node("Div", window, divisor)
    return PreparedNames(waveforms=window, mark=graph.node("Mul", mark, graph.number(0)))


def _above(graph: Graph, samples: str, part: str, preparation: Preparation, *, n_samples: int | None) -> str:
    """Subtract the baseline from a part of the record, of known length or not, and turn the pulse upwards."""
    before = graph.cut(samples, preparation.baseline_start, preparation.baseline_stop, axis=1)
    # As in discrimen.network.prepare: the mean in float64, rounded once.
    exact_adc = graph.node("ReduceMean", graph.cast(before, np.float64), graph.integers(1))
    baseline_adc = graph.cast(exact_adc, np.float32)
    part_adc = graph.cast(part, np.float32)
    if n_samples is not None:
        signs = (preparation.polarity, -preparation.polarity)
        return graph.add_column(part_adc, baseline_adc, n_columns=n_samples, signs=signs)
    operands = (part_adc, baseline_adc) if preparation.polarity > 0 else (baseline_adc, part_adc)
    return graph.node("Sub", *operands)


def _is_finite(graph: Graph, values: str) -> str:
    """One value that is not finite makes the sum of a row infinite or no number."""
    size = graph.node("Abs", graph.node("ReduceSum", values, graph.integers(1)))
    return graph.node("Less", size, graph.number(np.inf))


def _and(graph: Graph, condition: str | None, other: str) -> str:
    return other if condition is None else graph.node("And", condition, other)


def _crossing(graph: Graph, above: str, alignment: Alignment, *, usable: str | None) -> tuple[str, str]:
    """Add the constant-fraction crossing, 0 where there is none, and whether there is one; both of shape (pulse, 1)."""
    n_samples = _record_length(graph, above)
    index = graph.node("Range", graph.constant(np.array(0)), n_samples, graph.constant(np.array(1)))
    peak_at = graph.node("ArgMax", above, axis=1)
    peak = graph.node("GatherElements", above, peak_at, axis=1)
    threshold = graph.node("Mul", peak, graph.number(alignment.fraction))
    below = graph.node("And", graph.node("Less", above, threshold), graph.node("Less", index, peak_at))
    number = graph.node("Where", below, graph.cast(index, np.float32), graph.number(-1))
    last_below = graph.node("ReduceMax", number, graph.integers(1))
    found = _and(graph, usable, graph.node("GreaterOrEqual", last_below, graph.number(0)))
    found = _and(graph, found, graph.node("Greater", peak, graph.number(0)))
    last_below = graph.node("Max", last_below, graph.number(0))
    low_at = graph.cast(last_below, np.int64)
    high_at = graph.node(
        "Min", graph.node("Add", low_at, graph.integers(1)), graph.node("Sub", n_samples, graph.integers(1))
    )
    low, high = (graph.node("GatherElements", above, at, axis=1) for at in (low_at, high_at))
    step = graph.node("Where", found, graph.node("Sub", high, low), graph.number(1))
    part = graph.node("Div", graph.node("Sub", threshold, low), step)
    return graph.node("Where", found, graph.node("Add", last_below, part), graph.number(0)), found


def _aligned_window(graph: Graph, above: str, crossing: str, alignment: Alignment, length: int) -> str:
    """Add the window that follows the crossing; zeros around the record stand for samples beyond it."""
    start = graph.node("Sub", crossing, graph.number(alignment.position))
    whole = graph.node("Floor", start)
    n_taken = length + int(alignment.interpolate)
    # A window that starts further out than its own length sees zeros alone wherever it starts: the margin is enough.
    margin = max(0, min(alignment.position, n_taken))
    n_samples = graph.cast(_record_length(graph, above), np.float32)
    first = graph.node("Clip", whole, graph.number(-margin), n_samples)
    first = graph.cast(graph.node("Add", first, graph.number(margin)), np.int64)
    at = graph.node("Add", first, graph.constant(np.arange(n_taken)[np.newaxis]))
    padded = graph.node("Pad", above, graph.integers(0, margin, 0, n_taken))
    taken = graph.node("GatherElements", padded, at, axis=1)
    if not alignment.interpolate:
        return taken
    window = graph.cut(taken, 0, length, axis=1)
    difference = graph.node("Sub", graph.cut(taken, 1, length + 1, axis=1), window)
    return graph.node("Add", window, graph.node("Mul", graph.node("Sub", start, whole), difference))


def _record_length(graph: Graph, values: str) -> str:
    """Add the number of samples of the record, without axes."""
    return graph.node("Squeeze", graph.node("Shape", values, start=1, end=2))
