"""What all pictures share: colours that the colour-blind tell apart, readable fonts, figures without global state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from discrimen.errors import require_module

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design (2008).
BLUE, ORANGE, VERMILION, SKY_BLUE = "#0072B2", "#E69F00", "#D55E00", "#56B4E9"
GREEN, PURPLE, BLACK, GREY = "#009E73", "#CC79A7", "#000000", "#555555"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
GAMMA_COLOUR, NEUTRON_COLOUR = SKY_BLUE, VERMILION

_STYLE: Mapping[str, Any] = {
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "legend.fontsize": 11,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    # Text in a PDF stays text.
    "pdf.fonttype": 42,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "legend.frameon": False,
}


@contextmanager
def house_style(*, font_scale: float = 1.0) -> Iterator[None]:
    """Draw everything inside the block in the fonts and frames of the package.

    Parameters
    ----------
    font_scale : float
        Makes all letters so many times as large, for a picture that is shown small.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    matplotlib = require_module("matplotlib", extra="analysis")
    # Only these are put back: what a notebook turns on at the first figure must stay.
    before = {name: matplotlib.rcParams[name] for name in _STYLE}
    sizes = {name: font_scale * value for name, value in _STYLE.items() if name.endswith("size")}
    matplotlib.rcParams.update({**_STYLE, **sizes})
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """Return an empty figure with a canvas of its own: no pyplot, no display."""
    figure_module = require_module("matplotlib.figure", extra="analysis")
    agg = require_module("matplotlib.backends.backend_agg", extra="analysis")
    layout = require_module("matplotlib.layout_engine", extra="analysis")
    engine = layout.ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    figure: Figure = figure_module.Figure(figsize=(width_inches, height_inches), layout=engine)
    agg.FigureCanvasAgg(figure)
    return figure


def whole_numbers(axis: Axis) -> None:
    """Give an axis of counts whole numbers alone."""
    ticker = require_module("matplotlib.ticker", extra="analysis")
    axis.set_major_locator(ticker.MaxNLocator(nbins="auto", integer=True, steps=[1, 2, 2.5, 5, 10]))


def plain_logarithm(axis: Axis) -> None:
    """Write on a logarithmic axis the numbers 1, 2, 5, 10, 20, ... as they are."""
    ticker = require_module("matplotlib.ticker", extra="analysis")
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def legend_over(axes: Axes, *, n_columns: int) -> None:
    """Put the legend of one panel above its frame, where it covers no data."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, ncols=n_columns, columnspacing=1.2)


def logarithmic_counts(axes: Axes) -> None:
    """Make the vertical axis of counts logarithmic, its numbers whole: 1, 10, 100, 1000, then powers."""
    ticker = require_module("matplotlib.ticker", extra="analysis")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(numticks=8))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    powers = ticker.LogFormatterMathtext()
    powers.set_axis(axes.yaxis)
    axes.yaxis.set_major_formatter(
        ticker.FuncFormatter(lambda value, place: f"{value:g}" if 0.1 <= value < 9999 else powers(value, place))
    )
