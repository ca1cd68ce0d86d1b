"""Time per signal against batch size as a picture. Only drawing here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.benchmark.run import Bench
from discrimen.output.pictures import save_png
from discrimen.output.style import COLOURS, house_style, new_figure

_MARKERS = "osD^vP"


def draw_bench(result: Bench, path: Path) -> None:
    """Draw the medians of every backend, the quartiles as a band, into a PNG.

    Parameters
    ----------
    result : Bench
        What was measured.
    path : Path
        Where to write, whatever its suffix.
    """
    of_what, unit, ns = ("hit", "us", 1000.0) if result.of_hits else ("signal", "ns", 1.0)
    with house_style():
        figure = new_figure(8.0, 5.5)
        axes = figure.subplots()
        for (name, computed_by), colour, marker in zip(result.backends.items(), COLOURS, _MARKERS, strict=False):
            rows = [row for row in result.times if row.backend == name]
            sizes = [row.batch_size for row in rows]
            quartiles = [row.low_ns_per_signal / ns for row in rows], [row.high_ns_per_signal / ns for row in rows]
            medians = [row.median_ns_per_signal / ns for row in rows]
            axes.fill_between(sizes, *quartiles, color=colour, alpha=0.25, linewidth=0)
            axes.plot(sizes, medians, f"{marker}-", color=colour, label=computed_by)
        axes.set(xscale="log", yscale="log", xlabel=f"batch size ({of_what}s to a call)")
        axes.set_ylabel(f"time per {of_what} ({unit}), median and quartiles")
        if result.of_hits:
            there_and_back: Any = (_per_s, _per_s)
            axes.secondary_yaxis("right", functions=there_and_back).set_ylabel("hits/s")
        axes.set_title(Path(result.model).name)
        axes.grid(visible=True)
        figure.legend(loc="outside lower center", ncols=2)
        save_png(figure, path, dots_per_inch=130)


def _per_s(us: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn us into hits a second, and back."""
    return 1e6 / np.maximum(us, 1e-300)
