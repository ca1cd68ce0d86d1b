"""Cross-entropy of each epoch of the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.errors import require_module
from discrimen.evaluation.report_parts import LossCurve
from discrimen.output.style import BLUE, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_loss(curve: LossCurve) -> Figure:
    """Draw training and validation loss against the epoch."""
    ticker = require_module("matplotlib.ticker", extra="analysis")
    figure = new_figure(8.0, 4.4)
    ax = figure.subplots()
    epochs = range(1, len(curve.loss) + 1)
    marker = "o" if len(curve.loss) < 30 else ""
    for name, values, colour, line in (
        ("training pulses", curve.loss, BLUE, "-"),
        ("validation pulses", curve.validation_loss, VERMILION, "--"),
    ):
        ax.plot(epochs, values, line, color=colour, linewidth=2, marker=marker, markersize=4, label=name)
    ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    ax.set_xlabel("epoch")
    ax.set_ylabel("cross-entropy (nats)")
    ax.grid(True)
    figure.legend(loc="outside upper center", ncols=2)
    return figure
