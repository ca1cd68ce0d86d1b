"""Pictures of a training: the curve over the epochs, the ROC curve and the scores of the validation pulses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.roc import auc, roc_curve
from discrimen.output.files import complete_or_absent
from discrimen.output.pictures import save_png
from discrimen.output.style import (
    BLUE,
    GAMMA_COLOUR,
    GREY,
    NEUTRON_COLOUR,
    VERMILION,
    house_style,
    legend_over,
    new_figure,
)
from discrimen.pulses import Label
from discrimen.training.history import VALIDATION, EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_training_curve(records: Sequence[EpochRecord], *, best_epoch: int, loss_label: str, path: Path) -> None:
    """Draw loss and first metric of training and validation over the epochs as PNG, the best epoch marked.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with house_style():
        figure = new_figure(8.0, 7.0)
        metric = records[0].metric_names[0]
        loss_axes, metric_axes = figure.subplots(2, 1, sharex=True)
        draw_curves(loss_axes, records, "loss", best_epoch=best_epoch)
        draw_curves(metric_axes, records, metric, best_epoch=best_epoch)
        loss_axes.set_ylabel(loss_label)
        losses = np.array([(record.loss, record.val_loss) for record in records])
        if np.isfinite(losses).all() and losses.min() > 0 and losses.max() > 5 * losses.min():
            loss_axes.set_yscale("log")
        legend_over(loss_axes, n_columns=3)
        metric_axes.set_ylabel(metric.replace("_", " "))
        metric_axes.set_xlabel("epoch")
        metric_axes.xaxis.get_major_locator().set_params(integer=True)
        with complete_or_absent(path) as part:
            save_png(figure, part, dots_per_inch=130)


def draw_curves(axes: Axes, records: Sequence[EpochRecord], name: str, *, best_epoch: int) -> None:
    """Draw one figure of training and validation over the epochs into given axes, the best epoch marked."""
    epochs = [record.epoch for record in records]
    figures = [record.as_dict() for record in records]
    validation = [each[f"{VALIDATION}{name}"] for each in figures]
    axes.plot(epochs, [each[name] for each in figures], color=BLUE, label="training")
    axes.plot(epochs, validation, color=VERMILION, linestyle="--", label="validation")
    axes.plot(best_epoch, validation[best_epoch - 1], "o", color=VERMILION, markersize=8)
    axes.axvline(best_epoch, color=GREY, linestyle=":", label=f"best epoch: {best_epoch}")
    axes.grid(visible=True)


def roc_image(scores: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Draw gamma leakage against neutron efficiency.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        Neutron score.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    """
    with house_style():
        figure = new_figure(5.6, 4.4)
        axes = figure.subplots()
        curve = roc_curve(scores, labels)
        axes.plot(curve.efficiency, curve.leakage, color=BLUE, drawstyle="steps-post")
        lowest = 0.5 / max(int(np.count_nonzero(labels == Label.GAMMA)), 1)
        axes.set(xlim=(0, 1), xlabel="neutron efficiency", ylabel="gamma leakage", title=_area(scores, labels))
        axes.set_yscale("log")
        axes.set_ylim(min(lowest, 0.1), 1.1)
        axes.grid(visible=True)
        return pixels(figure)


def score_image(scores: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Draw the neutron scores of both classes as histograms; parameters and result as of :func:`roc_image`."""
    with house_style():
        figure = new_figure(5.6, 4.4)
        axes = figure.subplots()
        edges = np.linspace(0, 1, 51)
        for label, colour, style in ((Label.GAMMA, GAMMA_COLOUR, "-"), (Label.NEUTRON, NEUTRON_COLOUR, "--")):
            counts, _ = np.histogram(scores[labels == label], edges)
            axes.stairs(counts, edges, color=colour, linestyle=style, linewidth=1.6, label=label.name.lower())
        axes.set_yscale("symlog", linthresh=1)
        axes.set(xlim=(0, 1), xlabel="neutron score", ylabel="validation pulses")
        axes.set_ylim(bottom=0)
        legend_over(axes, n_columns=2)
        axes.grid(visible=True)
        return pixels(figure)


def _area(scores: NDArray[Any], labels: NDArray[Any]) -> str:
    area = auc(scores, labels)
    return f"area under the curve {area.value:.5f} ({area.low:.5f} to {area.high:.5f})"


def pixels(figure: Any) -> NDArray[np.uint8]:
    """Return a figure as red, green, blue, shape (height, width, 3)."""
    figure.canvas.draw()
    drawn: NDArray[np.uint8] = np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()
    return drawn
