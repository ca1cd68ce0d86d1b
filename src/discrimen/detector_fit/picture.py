"""Draw a fitted detector: mean pulse with fit and residual, noise spectrum, heights; nothing is fitted here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.detector_fit.result import DetectorFit
from discrimen.errors import require_module
from discrimen.output.pictures import save_png
from discrimen.output.style import BLACK, BLUE, GREY, ORANGE, VERMILION, house_style, logarithmic_counts, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUPS = {1: (("clean pulses", BLUE, "o"),), 2: (("lower band", BLUE, "o"), ("upper band", VERMILION, "s"))}
_HEIGHT_BINS = 40
_LOWEST_SHOWN = 1e-3


def draw_fit(fit: DetectorFit, path: Path) -> None:
    """Draw into a PNG.

    Parameters
    ----------
    fit : DetectorFit
        What was found.
    path : Path
        Where to write, whatever its suffix.
    """
    with house_style():
        figure = new_figure(12.5, 9.0)
        grid = figure.add_gridspec(3, 2, height_ratios=(3, 2, 1.3), width_ratios=(3, 2))
        linear = figure.add_subplot(grid[0, 0])
        logarithmic = figure.add_subplot(grid[1, 0], sharex=linear)
        residual = figure.add_subplot(grid[2, 0], sharex=linear)
        _draw_pulses(linear, logarithmic, residual, fit)
        _draw_noise(figure.add_subplot(grid[0, 1]), fit)
        _draw_heights(figure.add_subplot(grid[1:, 1]), fit)
        shape, simulated = fit.shape, fit.file.simulation
        others = f" and {len(fit.sources) - 1} more" if len(fit.sources) > 1 else ""
        figure.suptitle(
            f"{Path(fit.sources[0]).name}{others}: {fit.n_clean} clean pulses\n{simulated.scintillator} through "
            f"{shape.shape}, chi2 {shape.chi2:.4g} of {shape.n_degrees}"
        )
        save_png(figure, path)


def _draw_pulses(linear: Axes, logarithmic: Axes, residual: Axes, fit: DetectorFit) -> None:
    groups = _GROUPS[len(fit.target.pulses)]
    for pulse, model, (name, colour, marker) in zip(fit.target.pulses, fit.shape.fitted, groups, strict=True):
        rms = float(np.sqrt(((model - pulse.value) ** 2).mean()))
        for axes in (linear, logarithmic):
            axes.plot(
                pulse.time_ns,
                pulse.value,
                marker,
                ms=3,
                mfc="none",
                color=colour,
                label=f"mean of {pulse.n_pulses} ({name})",
            )
            axes.plot(pulse.time_ns, model, color=BLACK, linewidth=1.1, label=f"fit, rms residual {100 * rms:.2f} %")
        band = 100 * pulse.error
        residual.fill_between(pulse.time_ns, -band, band, color=colour, alpha=0.2, linewidth=0)
        residual.plot(pulse.time_ns, 100 * (pulse.value - model), color=colour, linewidth=1.1)
    linear.legend()
    linear.set_ylabel("pulse / peak")
    logarithmic.set_yscale("log")
    logarithmic.set_ylim(_LOWEST_SHOWN, 1.5)
    logarithmic.set_ylabel("pulse / peak")
    residual.axhline(0, color=GREY, linewidth=0.8)
    residual.set_ylabel("mean - fit\n(% of peak)")
    residual.set_xlabel("time after the crossing of 30 % of the height (ns); shaded: error of the mean")


def _draw_noise(axes: Axes, fit: DetectorFit) -> None:
    power, period_ns = fit.noise.power, fit.file.settings.sample_period_ns or 1.0
    frequency_mhz = np.linspace(0, 500 / period_ns, len(power))
    axes.plot(frequency_mhz, power, color=BLUE, label=f"before the pulses, rms {fit.noise.sigma_adc:.3g} ADC counts")
    axes.axhline(1, color=GREY, linestyle=":", label="white")
    logarithmic_counts(axes)
    # White noise is a line, which would lie on the frame.
    axes.set_ylim(min(0.5, 0.7 * float(power.min())), 4 * max(1.0, float(power.max())))
    axes.set_xlabel("frequency (MHz)")
    axes.set_ylabel("power of the noise / mean")
    axes.legend(loc="upper right")


def _draw_heights(axes: Axes, fit: DetectorFit) -> None:
    together = np.concatenate([fit.heights_adc, fit.simulated_heights_adc])
    edges = np.geomspace(max(together.min(), 1.0), together.max() * 1.001, _HEIGHT_BINS + 1)
    series = (
        (fit.heights_adc, "run, clean pulses", BLUE, "-"),
        (fit.simulated_heights_adc, "simulated alike", ORANGE, "--"),
    )
    for heights, name, colour, line in series:
        counts, _ = np.histogram(heights, edges)
        axes.stairs(counts / len(heights), edges, color=colour, linestyle=line, linewidth=1.6, label=name)
    axes.set_xscale("log")
    ticker = require_module("matplotlib.ticker", extra="analysis")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axes.set_ylim(0, axes.get_ylim()[1] * 1.25)
    axes.set_xlabel("height above the baseline (ADC counts)")
    axes.set_ylabel("share of the pulses per bin")
    axes.legend(loc="upper left")
