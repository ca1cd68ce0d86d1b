"""The preparation as nodes of an ONNX graph, with the arithmetic of :mod:`discrimen.network.prepare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discrimen.network.export.onnx.graph import Graph
from discrimen.network.preparation import Alignment, Channel, Preparation


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedNames:
    """Names of what the preparation gives.

    Parameters
    ----------
    waveforms : str
        float32 of shape (pulse, channel * window sample); rows of pulses that cannot be prepared hold anything.
    mark : str
        float32 of shape (pulse, 1): 0, or NaN for a pulse that cannot be prepared. Adding it to the outputs is several
        times faster in the runtimes than choosing by a condition.
    """

    waveforms: str
    mark: str


def add_preparation(graph: Graph, samples: str, present: str, preparation: Preparation) -> PreparedNames:
    """Add the nodes from raw samples to network input.

    Parameters
    ----------
    graph : Graph
        Grows.
    samples : str
        Name of the raw samples, shape (pulse, sample) for one channel, else (pulse, channel, sample), any type of
        number.
    present : str
        Name of which channels are there, bool of shape (pulse, channel); read where the preparation is masked.
    preparation : Preparation
        What to do.
    """
    channels = preparation.channels
    numbers = range(len(channels))
    raw = [samples]
    if len(channels) > 1:
        raw = [graph.node("Gather", samples, graph.constant(np.array(number)), axis=1) for number in numbers]
    there = [graph.cut(present, number, number + 1, axis=1) for number in numbers] if preparation.masked else []
    # Values of shape (pulse, 1) that are finite where the pulse can be prepared, and only there. The logarithm makes
    # such values of conditions: it is finite for a positive number and for no other.
    signs: list[str] = []
    if preparation.alignment is None:
        windows = [_window(graph, *each, preparation.window_length) for each in zip(raw, channels, strict=True)]
        reference = _Reference(graph, windows, there, preparation)
    else:
        records = [_above(graph, *each) for each in zip(raw, channels, strict=True)]
        reference = _Reference(graph, records, there, preparation)
        crossing, found = _crossing(graph, reference.of(records), preparation.alignment)
        signs.append(graph.node("Log", graph.cast(found, np.float32)))
        start = graph.node("Sub", crossing, graph.number(preparation.alignment.position))
        windows = [_aligned(graph, *each, start, preparation) for each in zip(records, channels, strict=True)]
    if there:
        zero = graph.number(0)
        windows = [graph.node("Where", *each, zero) for each in zip(there, windows, strict=True)]
        signs.append(graph.node("Log", reference.of([graph.cast(each, np.float32) for each in there])))
    waveforms = graph.node("Concat", *windows, axis=1) if len(windows) > 1 else windows[0]
    signs.append(_sum(graph, waveforms))
    if preparation.scale != "none":
        window = reference.of(windows)
        divisor = graph.node("ReduceMax", window, graph.integers(1))
        signs.append(graph.node("Log", divisor))
        if preparation.scale == "area":
            divisor = _sum(graph, window)
            signs.append(graph.node("Log", divisor))
        waveforms = graph.node("Div", waveforms, divisor)
    mark = signs[0]
    for sign in signs[1:]:
        mark = graph.node("Add", mark, sign)
    return PreparedNames(waveforms=waveforms, mark=graph.node("Mul", mark, graph.number(0)))


class _Reference:
    """The channel that time and scale are taken from: a fixed one, or of each pulse the one with the highest peak."""

    def __init__(self, graph: Graph, tables: Sequence[str], there: Sequence[str], preparation: Preparation) -> None:
        self._graph = graph
        self._fixed = 0 if preparation.n_channels == 1 else preparation.reference
        self._place = self._highest(tables, there) if self._fixed is None else ""

    def of(self, tables: Sequence[str]) -> str:
        """Return each pulse's row of the table of its reference channel."""
        if self._fixed is not None:
            return tables[self._fixed]
        graph, chosen = self._graph, tables[0]
        for number, table in enumerate(tables[1:], start=1):
            chosen = graph.node("Where", graph.node("Equal", self._place, graph.integers(number)), table, chosen)
        return chosen

    def _highest(self, tables: Sequence[str], there: Sequence[str]) -> str:
        graph, lowest = self._graph, self._graph.number(-np.inf)
        peaks = []
        for number, table in enumerate(tables):
            peak = graph.node("ReduceMax", table, graph.integers(1))
            # A channel with a sample that is no number has no peak; the sum knows it for certain.
            peak = graph.node("Where", graph.node("IsNaN", _sum(graph, table)), lowest, peak)
            peaks.append(graph.node("Where", there[number], peak, lowest) if there else peak)
        return graph.node("ArgMax", graph.node("Concat", *peaks, axis=1), axis=1)


def _window(graph: Graph, raw: str, channel: Channel, length: int) -> str:
    part = graph.cut(raw, channel.window_start, channel.window_start + length, axis=1)
    return _above(graph, raw, channel, part=part)


def _above(graph: Graph, raw: str, channel: Channel, *, part: str | None = None) -> str:
    """Subtract the baseline from a record or a part of it, and turn the pulse upwards.

    First the whole counts of the baseline, which is exact for integers, then what is left of it: in float32 alone, as
    some runtimes compute nothing else.
    """
    part_adc = graph.cast(part or raw, np.float32)
    if channel.baseline_start == channel.baseline_stop:
        return part_adc if channel.polarity > 0 else graph.node("Neg", part_adc)
    before_adc = graph.cast(graph.cut(raw, channel.baseline_start, channel.baseline_stop, axis=1), np.float32)
    whole_adc = graph.node("Round", graph.node("ReduceMean", before_adc, graph.integers(1)))
    rest_adc = graph.node("ReduceMean", graph.node("Sub", before_adc, whole_adc), graph.integers(1))
    if channel.polarity > 0:
        return graph.node("Sub", graph.node("Sub", part_adc, whole_adc), rest_adc)
    return graph.node("Add", graph.node("Sub", whole_adc, part_adc), rest_adc)


def _sum(graph: Graph, table: str) -> str:
    """One value that is not finite makes the sum of a row infinite or no number."""
    return graph.node("ReduceSum", table, graph.integers(1))


def _crossing(graph: Graph, above: str, alignment: Alignment) -> tuple[str, str]:
    """Add the constant-fraction crossing, 0 where there is none, and whether there is one; both of shape (pulse, 1)."""
    n_samples = _record_length(graph, above)
    index = graph.node("Range", graph.constant(np.array(0)), n_samples, graph.constant(np.array(1)))
    peak_at = graph.node("ArgMax", above, axis=1)
    peak = graph.node("GatherElements", above, peak_at, axis=1)
    threshold = graph.node("Mul", peak, graph.number(alignment.fraction))
    below = graph.node("And", graph.node("Less", above, threshold), graph.node("Less", index, peak_at))
    number = graph.node("Where", below, graph.cast(index, np.float32), graph.number(-1))
    last_below = graph.node("ReduceMax", number, graph.integers(1))
    # A sample anywhere that is no number leaves the peak unknown.
    found = graph.node("Less", graph.node("Abs", _sum(graph, above)), graph.number(np.inf))
    found = graph.node("And", found, graph.node("GreaterOrEqual", last_below, graph.number(0)))
    found = graph.node("And", found, graph.node("Greater", peak, graph.number(0)))
    last_below = graph.node("Max", last_below, graph.number(0))
    low_at = graph.cast(last_below, np.int64)
    high_at = graph.node(
        "Min", graph.node("Add", low_at, graph.integers(1)), graph.node("Sub", n_samples, graph.integers(1))
    )
    low, high = (graph.node("GatherElements", above, at, axis=1) for at in (low_at, high_at))
    step = graph.node("Where", found, graph.node("Sub", high, low), graph.number(1))
    part = graph.node("Div", graph.node("Sub", threshold, low), step)
    return graph.node("Where", found, graph.node("Add", last_below, part), graph.number(0)), found


def _aligned(graph: Graph, above: str, channel: Channel, start: str, preparation: Preparation) -> str:
    """Add the window that follows the crossing; zeros around the record stand for samples beyond it."""
    alignment: Alignment = preparation.alignment  # type: ignore[assignment]
    length, interpolate = preparation.window_length, alignment.interpolate
    start = graph.node("Add", start, graph.number(channel.window_start))
    whole = graph.node("Floor", start)
    n_taken = length + int(interpolate)
    # A window that starts further out than its own length sees zeros alone wherever it starts: the margin is enough.
    margin = max(0, min(alignment.position - channel.window_start, n_taken))
    n_samples = graph.cast(_record_length(graph, above), np.float32)
    first = graph.node("Clip", whole, graph.number(-margin), n_samples)
    first = graph.cast(graph.node("Add", first, graph.number(margin)), np.int64)
    at = graph.node("Add", first, graph.constant(np.arange(n_taken)[np.newaxis]))
    padded = graph.node("Pad", above, graph.integers(0, margin, 0, n_taken))
    taken = graph.node("GatherElements", padded, at, axis=1)
    if not interpolate:
        return taken
    window = graph.cut(taken, 0, length, axis=1)
    difference = graph.node("Sub", graph.cut(taken, 1, length + 1, axis=1), window)
    return graph.node("Add", window, graph.node("Mul", graph.node("Sub", start, whole), difference))


def _record_length(graph: Graph, values: str) -> str:
    """Add the number of samples of the record, without axes."""
    return graph.node("Squeeze", graph.node("Shape", values, start=1, end=2))
