"""The pulses that the network is surest of, and wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.evaluation.plots.style import legend_above
from discrimen.evaluation.report_parts import WorstPulse, WorstPulses
from discrimen.output.style import BLACK, GAMMA_COLOUR, NEUTRON_COLOUR, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_LIT = 0.01
"""Share of the peak."""

_COLOURS = {"gamma": GAMMA_COLOUR, "neutron": NEUTRON_COLOUR}


def draw_worst(worst: WorstPulses) -> Figure:
    """Draw each pulse with its truth, score and light, over the mean shapes of both classes at its height."""
    lines = require_module("matplotlib.lines", extra="analysis")
    n_rows = -(-len(worst.pulses) // _COLUMNS)
    figure = new_figure(12.0, 2.9 * n_rows + 0.9)
    grid = figure.subplots(n_rows, min(_COLUMNS, len(worst.pulses)), squeeze=False)
    axes = list(grid.flat)
    for unused in axes[len(worst.pulses) :]:
        unused.set_axis_off()
    for pulse, crossing, ax in zip(worst.pulses, worst.crossing_samples, axes, strict=False):
        _draw_pulse(ax, worst, pulse, crossing)
    figure.supxlabel("time after the constant-fraction crossing (ns)", fontsize=12)
    figure.supylabel("amplitude above the baseline (ADC counts)", fontsize=12)
    handles = [lines.Line2D([], [], color=BLACK, marker=".", markersize=5, linewidth=1, label="pulse")]
    handles += [
        lines.Line2D([], [], color=_COLOURS[name], linewidth=2, label=f"mean {name}, at this height")
        for name in worst.mean_shapes
    ]
    legend_above(figure, handles, n_columns=3)
    return figure


def _draw_pulse(ax: Axes, worst: WorstPulses, pulse: WorstPulse, crossing: float) -> None:
    zero = crossing if np.isfinite(crossing) else 0.0
    at_ns = (np.arange(len(pulse.waveform_adc), dtype=np.float64) - zero) * worst.sample_period_ns
    for name, shape in worst.mean_shapes.items():
        shape_ns = (np.arange(len(shape)) - worst.crossing_sample) * worst.sample_period_ns
        ax.plot(shape_ns, shape * pulse.waveform_adc.max(), color=_COLOURS[name], linewidth=2)
    ax.plot(at_ns, pulse.waveform_adc, color=BLACK, marker=".", markersize=4, linewidth=0.8)
    ax.set_xlim(*_shown_ns(worst, at_ns))
    ax.grid(True)
    truth = "neutron" if pulse.is_neutron else "gamma"
    light = "" if pulse.light_kevee is None else f", {pulse.light_kevee:.4g} keVee"
    where = f"pulse {pulse.position}" if pulse.entry is None else f"entry {pulse.entry}"
    ax.set_title(f"true {truth}, score {_score_words(pulse.neutron_score)}\n{where}{light}", fontsize=11)


def _shown_ns(worst: WorstPulses, at_ns: NDArray[Any]) -> tuple[float, float]:
    """Return the stretch in which the mean shapes differ from nothing, and some room on both sides."""
    lit = [np.flatnonzero(shape > _LIT * shape.max()) for shape in worst.mean_shapes.values() if shape.max() > 0]
    if not lit or max(each[-1] for each in lit) == min(each[0] for each in lit):
        return float(at_ns[0]), float(at_ns[-1])
    first, last = min(each[0] for each in lit), max(each[-1] for each in lit)
    start, end = ((at - worst.crossing_sample) * worst.sample_period_ns for at in (first, last))
    room = 0.25 * (end - start)
    return max(float(at_ns[0]), float(start - room)), min(float(at_ns[-1]), float(end + room))


def _score_words(score: float) -> str:
    """Return a score that is not 0 or 1 before it is."""
    if 0.001 <= score <= 0.999:
        return f"{score:.3f}"
    return f"{score:.1e}" if score < 0.5 else f"1 - {1 - score:.1e}"
