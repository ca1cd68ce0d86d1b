"""Plots for a notebook or a paper: each takes ``ax=``, draws into it and returns it.

Without axes a new figure is made by ``matplotlib.pyplot``, in the fonts of this package.

>>> from discrimen import plots
>>> ax = plots.psd(dataset)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.api.inputs import gates_of
from discrimen.api.model import path_of
from discrimen.api.shapes import Gates, prepare
from discrimen.errors import FormatError, SettingsError, require_module
from discrimen.inference.load import Model
from discrimen.output.style import BLUE, GAMMA_COLOUR, NEUTRON_COLOUR, house_style, legend_over
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from discrimen.evaluation import Report
    from discrimen.evaluation.report import BinReport
    from discrimen.training import TrainingResult

__all__ = ["history", "leakage", "psd", "pulses", "roc", "scores"]

_COLOURS = {Label.GAMMA: GAMMA_COLOUR, Label.NEUTRON: NEUTRON_COLOUR, Label.UNKNOWN: BLUE}
_PSD_RANGE, _PSD_BINS = (-0.1, 0.7), (160, 120)


def pulses(
    data: Pulses | Dataset, *, n: int = 20, settings: DetectorSettings | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the first pulses, above their baseline and scaled to their peak, by class where they have labels.

    Parameters
    ----------
    data : Pulses or Dataset
        As digitised.
    n : int
        How many, of each class.
    settings : DetectorSettings, optional
        Polarity, and baseline or pretrigger_ns; by default those of the data set.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Raises
    ------
    SettingsError
        If polarity, baseline or sampling period are not known.
    """
    raw, axes = _raw(data), _axes(ax)
    labels = np.full(len(raw), Label.UNKNOWN) if raw.label is None else raw.label
    time_ns = np.arange(raw.n_samples) * raw.require_sample_period_ns()
    for label in np.unique(labels).tolist():
        some = np.flatnonzero(labels == label)[:n]
        prepared = prepare(data[some], settings=settings)
        shown = prepared.waveforms[prepared.valid, 0]
        lines = axes.plot(time_ns, shown.T, color=_COLOURS[Label(label)], linewidth=0.8, alpha=0.6)
        if lines and raw.label is not None:
            lines[0].set_label(Label(label).name.lower())
    axes.set(xlabel="time / ns", ylabel="share of the peak")
    if raw.label is not None:
        legend_over(axes, n_columns=3)
    return axes


def psd(
    data: Pulses | Dataset,
    *,
    gates: Gates | None = None,
    settings: DetectorSettings | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the plane of charge comparison: PSD against light, or against the long charge where it is not calibrated.

    Parameters
    ----------
    data : Pulses or Dataset
        As digitised.
    gates, settings
        As of :func:`discrimen.charges`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Raises
    ------
    SettingsError
        If gates, polarity, baseline or sampling period are not known.
    """
    from discrimen.labelling.plane import plane_of_pulses

    raw, axes = _raw(data), _axes(ax)
    told = settings or (data.settings if isinstance(data, Dataset) else DetectorSettings())
    known = told.merged(sample_period_ns=raw.sample_period_ns, gates=gates_of(gates))
    if known.gates is None and known.channels is None:
        raise SettingsError("the gates are not known: give gates=(start, short end, long end) in ns")
    plane = plane_of_pulses(raw, known)
    seen = np.isfinite(plane.psd) & (plane.energy > 0)
    highest = float(np.quantile(plane.energy[seen], 0.995)) if seen.any() else 1.0
    colours = require_module("matplotlib.colors", extra="analysis")
    reach = ((0.0, highest), _PSD_RANGE)
    norm = colours.LogNorm(vmin=1)
    axes.hist2d(plane.energy[seen], plane.psd[seen], bins=_PSD_BINS, range=reach, norm=norm, cmap="viridis")
    unit = "light / keVee" if plane.energy_unit == "keVee" else f"long charge / {plane.energy_unit}"
    axes.set(xlabel=unit, ylabel=f"PSD = {PSD_DEFINITION}")
    return axes


def roc(report: Report, *, energy: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw gamma leakage against neutron efficiency of each method, with the intervals of a report.

    Parameters
    ----------
    report : Report
        From :func:`discrimen.evaluate`.
    energy : str, optional
        Name of a range of energy, for example ``"100-200 keVee"``; by default all pulses together.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Raises
    ------
    SettingsError
        If the report has no such range.
    """
    from discrimen.evaluation.plots.roc import draw_roc_on

    axes = _axes(ax)
    draw_roc_on(axes, _part(report, energy))
    axes.set_ylabel("gamma leakage")
    axes.legend(fontsize=9)
    return axes


def leakage(report: Report, *, ax: Axes | None = None) -> Axes:
    """Draw gamma leakage and interval of each method in each range of energy, at the efficiency nearest to 95 %.

    Parameters are those of :func:`roc`.

    Raises
    ------
    SettingsError
        If the report has no ranges of energy.
    """
    from discrimen.evaluation.plots.leakage import draw_leakage_on

    if not report.bins:
        raise SettingsError("the report has no ranges of energy: the light of its pulses was not known")
    axes = _axes(ax)
    draw_leakage_on(axes, report)
    axes.legend(fontsize=9)
    return axes


def scores(report: Report, *, ax: Axes | None = None) -> Axes:
    """Draw the network's score of true gammas and true neutrons, and the thresholds of the wished efficiencies.

    Parameters are those of :func:`roc`.
    """
    from discrimen.evaluation.plots.scores import draw_scores_on

    axes = _axes(ax)
    draw_scores_on(axes, report)
    legend_over(axes, n_columns=3)
    return axes


def history(training: TrainingResult | Model | Path | str, *, figure: str = "loss", ax: Axes | None = None) -> Axes:
    """Draw a figure of a training over its epochs, on training and validation pulses, the best epoch marked.

    Parameters
    ----------
    training : TrainingResult, Model, Path or str
        A training, or the folder of a trained model.
    figure : str
        ``"loss"``, or another column of history.csv, for example ``"accuracy"``.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Raises
    ------
    FormatError
        If there is no history of a training.
    SettingsError
        If it has no such figure.
    """
    from discrimen.training.history import EpochRecord, read_history
    from discrimen.training.plots import draw_curves

    folder = path_of(training) if isinstance(training, Model | Path | str) else training.folder
    path = folder / "history.csv"
    if not path.is_file():
        raise FormatError("expected the folder of a training with its history.csv", folder)
    n_epochs = len(path.read_text(encoding="utf-8").splitlines()) - 1
    records: list[EpochRecord] = read_history(path, epochs=n_epochs)
    known = ("loss", *records[0].metric_names)
    if figure not in known:
        raise SettingsError(f"the history has no figure {figure!r}; it has: {', '.join(known)}")
    best = min(records, key=lambda record: record.val_loss).epoch
    axes = _axes(ax)
    draw_curves(axes, records, figure, best_epoch=best)
    axes.set(xlabel="epoch", ylabel=figure.replace("_", " "))
    legend_over(axes, n_columns=3)
    return axes


def _part(report: Report, energy: str | None) -> BinReport:
    parts = {part.name: part for part in report.ranges}
    if energy is None:
        return report.overall
    if energy not in parts:
        raise SettingsError(f"the report has no range {energy!r}; it has: {', '.join(parts)}")
    return parts[energy]


def _raw(data: Pulses | Dataset) -> Pulses:
    return data.pulses if isinstance(data, Dataset) else data


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    pyplot = require_module("matplotlib.pyplot", extra="analysis")
    with house_style():
        _, made = pyplot.subplots(figsize=(7.0, 4.6), layout="constrained")
    axes: Axes = made
    return axes
