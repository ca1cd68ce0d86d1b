"""A benchmark as pictures: time per signal against batch size, latency of one pulse, training. Only drawing here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discrimen.output.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILION,
    house_style,
    new_figure,
)
from laboratory.result import BatchRow, Benchmark, LatencyRow, Machine, ModelTimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colour and marker of each backend, the same in all pictures.
_LOOKS = {
    "native": (BLUE, "o"),
    "native (avx2)": (SKY_BLUE, "v"),
    "native (baseline)": (GREEN, "^"),
    "onnxruntime": (VERMILION, "s"),
    "openvino (latency)": (PURPLE, "D"),
    "openvino (throughput)": (ORANGE, "P"),
    "keras on jax": (BLACK, "X"),
    "numpy reference": (GREY, "*"),
}
_ROOM_BELOW, _ROOM_ABOVE = 0.5, 2.0


def draw_batches(times: ModelTimes, machine: Machine) -> Figure:
    """Draw time per signal against batch size, one panel for each number of threads, with the machine's limits."""
    thread_counts = sorted({row.threads for row in times.rows})
    with house_style():
        figure = new_figure(max(8.0, 5.6 * len(thread_counts)), 6.0)
        panels = figure.subplots(1, len(thread_counts), squeeze=False, sharey=True)[0]
        for axes, threads in zip(panels, thread_counts, strict=True):
            rows = [row for row in times.rows if row.threads == threads]
            _draw_rows(axes, rows)
            _draw_limits(axes, rows, times, machine)
            axes.set_title(f"{Path(times.model).name}, {_threads_text(threads)}")
        panels[0].set_ylabel("time per signal (ns), best round")
        lowest = min(float(value) for axes in panels for line in axes.get_lines() for value in line.get_ydata())
        highest = max(row.best_ns_per_signal for row in times.rows)
        panels[0].set_ylim(_ROOM_BELOW * lowest, _ROOM_ABOVE * highest)
        figure.supxlabel(f"{machine.cpu}, {machine.instruction_set}", fontsize=11)
        _legend_above(figure, panels)
    return figure


def draw_latency(times: ModelTimes, machine: Machine) -> Figure:
    """Draw percentiles of the time of one pulse, one row for each backend."""
    rows = sorted(times.latencies, key=lambda row: -row.p50_ns)
    with house_style():
        figure = new_figure(9.5, 1.9 + 0.55 * len(rows))
        axes = figure.subplots()
        for place, row in enumerate(rows):
            _draw_percentiles(axes, place, row, first=place == 0)
        axes.set_yticks(range(len(rows)), [f"{row.backend}\n{_language(row)}" for row in rows], fontsize=9)
        axes.set_xscale("log")
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("time of one call with one pulse (ns), one thread")
        axes.grid(visible=True, axis="x")
        axes.set_title(f"{Path(times.model).name} on {machine.cpu}")
        _legend_above(figure, [axes])
    return figure


def draw_training(times: ModelTimes, machine: Machine) -> Figure:
    """Draw time per signal of training against batch size."""
    with house_style():
        figure = new_figure(8.0, 5.0)
        axes = figure.subplots()
        for name in dict.fromkeys(row.backend for row in times.training):
            rows = [row for row in times.training if row.backend == name]
            colour, marker = _look(name)
            sizes = [row.batch_size for row in rows]
            axes.plot(sizes, [row.best_ns_per_signal for row in rows], color=colour, marker=marker, label=name)
        axes.set(xscale="log", yscale="log", xlabel="signals to a step of the optimizer")
        axes.set_ylabel("training time per signal (ns), best epoch")
        axes.set_title(f"{Path(times.model).name} on {machine.cpu}, {machine.n_cores} cores")
        axes.grid(visible=True)
        _legend_above(figure, [axes])
    return figure


def figures(benchmark: Benchmark) -> dict[str, Figure]:
    """Return all pictures by the stem of their file name."""
    drawn = {}
    for times in benchmark.models:
        stem = Path(times.model).stem
        if times.rows:
            drawn[f"{stem}-batches"] = draw_batches(times, benchmark.machine)
        if times.latencies:
            drawn[f"{stem}-latency"] = draw_latency(times, benchmark.machine)
        if times.training:
            drawn[f"{stem}-training"] = draw_training(times, benchmark.machine)
    return drawn


def _draw_rows(axes: Axes, rows: Sequence[BatchRow]) -> None:
    for name in dict.fromkeys(row.backend for row in rows):
        own = [row for row in rows if row.backend == name]
        colour, marker = _look(name)
        sizes = [row.batch_size for row in own]
        axes.plot(sizes, [row.best_ns_per_signal for row in own], color=colour, marker=marker, markersize=5, label=name)
    axes.set(xscale="log", yscale="log", xlabel="batch size (signals to a call)")
    axes.grid(visible=True)


def _draw_limits(axes: Axes, rows: Sequence[BatchRow], times: ModelTimes, machine: Machine) -> None:
    """Draw the least time that multiply-adds and copied bytes allow; the copy depends on the size of the batch."""
    if not rows:
        return
    peak_ns = 1e9 * times.multiply_adds / machine.limits_of(rows[0].threads).peak_multiply_adds_hz
    axes.axhline(peak_ns, color=BLACK, linestyle="--", linewidth=1.2, label="limit: peak multiply-adds")
    copies = {row.batch_size: 1e9 * (times.bytes_in + times.bytes_out) / row.copy_bytes_hz for row in rows}
    sizes = sorted(copies)
    label = "limit: copy of the batch's size"
    axes.plot(sizes, [copies[size] for size in sizes], color=GREY, linestyle=":", linewidth=1.8, label=label)


def _draw_percentiles(axes: Axes, place: int, row: LatencyRow, *, first: bool) -> None:
    colour, _ = _look(row.backend)
    axes.plot([row.p50_ns, row.p999_ns], [place, place], color=colour, linewidth=1.2)
    marks = {"p50": (row.p50_ns, "o"), "p99": (row.p99_ns, "|"), "p99.9": (row.p999_ns, ">")}
    for label, (value, marker) in marks.items():
        axes.plot(value, place, marker, color=colour, markersize=9, label=label if first else "_")
    if row.least_call_p50_ns is not None:
        known = any(line.get_label() == _LEAST_CALL for line in axes.get_lines())
        axes.plot(
            row.least_call_p50_ns,
            place,
            "D",
            color=colour,
            fillstyle="none",
            markersize=7,
            label="_" if known else _LEAST_CALL,
        )


_LEAST_CALL = "p50 of a call that computes next to nothing"


def _look(name: str) -> tuple[str, str]:
    return _LOOKS.get(name, (GREY, "."))


def _language(row: LatencyRow) -> str:
    return "called from C++" if row.via.startswith("C ") else "called from Python"


def _threads_text(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


def _legend_above(figure: Figure, panels: Iterable[Axes]) -> None:
    """Put one legend above all panels, where it covers no data; each name once."""
    handles: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4 if len(handles) > 3 else 3)
