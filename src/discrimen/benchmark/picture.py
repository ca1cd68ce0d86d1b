"""Time per signal against batch size as a picture. Only drawing here."""

from __future__ import annotations

from pathlib import Path

from discrimen.benchmark.run import Bench
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
    with house_style():
        figure = new_figure(8.0, 5.5)
        axes = figure.subplots()
        for (name, computed_by), colour, marker in zip(result.backends.items(), COLOURS, _MARKERS, strict=False):
            rows = [row for row in result.times if row.backend == name]
            sizes = [row.batch_size for row in rows]
            quartiles = [row.low_ns_per_signal for row in rows], [row.high_ns_per_signal for row in rows]
            axes.fill_between(sizes, *quartiles, color=colour, alpha=0.25, linewidth=0)
            axes.plot(sizes, [row.median_ns_per_signal for row in rows], f"{marker}-", color=colour, label=computed_by)
        axes.set(xscale="log", yscale="log", xlabel="batch size (signals to a call)")
        axes.set_ylabel("time per signal (ns), median and quartiles")
        axes.set_title(Path(result.model).name)
        axes.grid(visible=True)
        figure.legend(loc="outside lower center", ncols=2)
        figure.savefig(path, format="png", dpi=130)
