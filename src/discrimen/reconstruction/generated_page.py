"""The page on which a generator is judged: tables, and pictures of real and generated pulses."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.roc import Auc
from discrimen.output.numbers import beside_spread, plain_digits
from discrimen.output.pictures import Picture, picture
from discrimen.output.stage_report import PageTable, StagePage, write_stage_report
from discrimen.output.style import (
    BLACK,
    GAMMA_COLOUR,
    GREY,
    NEUTRON_COLOUR,
    house_style,
    legend_over,
    new_figure,
    plain_logarithm,
)
from discrimen.output.tables import Cell, table_of
from discrimen.pulse_shape.upright import upright
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.judge_generated import GeneratorJudgement
from discrimen.reconstruction.two_samples import QUANTITIES, measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"gamma": GAMMA_COLOUR, "neutron": NEUTRON_COLOUR}
_DRAWN_BINS = 24
_N_DRAWN = 12


def write_judgement(
    judgement: GeneratorJudgement, folder: Path | str, *, model: Path, real: str, settings: DetectorSettings
) -> tuple[Path, ...]:
    """Write ``generate.json``, ``generate.html`` and the pictures into a folder.

    Parameters
    ----------
    judgement : GeneratorJudgement
        What was found.
    folder : Path
        Made if need be.
    model : Path
        The generator.
    real : str
        Where the real pulses come from, for people.
    settings : DetectorSettings
        Of the real pulses.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If the libraries of reports are not installed.
    """
    page = StagePage(
        title="Generated pulses, judged",
        done=(
            f"{judgement.n_real} real pulses of {real} beside as many of {model.name}, of the same {_asked(judgement)}"
            + (f"; {judgement.n_left_out} of others were left out." if judgement.n_left_out else "."),
        ),
        tables=(_apart_table(judgement), _tests_table(judgement)),
        notes=(
            "A network that cannot tell real from generated has an area of 0.5. Beside it the same network on two "
            "halves of the real pulses, trained on as many: what it gives by chance.",
            "The distance is the largest difference of the two cumulative distributions. With many pulses a p-value "
            "is small although the distance hardly matters: read both.",
        ),
        pictures=(_pulses_picture(judgement), _quantities_picture(judgement, settings)),
        origin={"generator": judgement.generator.as_dict()},
    )
    return write_stage_report(page, folder, name="generate", values=judgement.as_dict())


def _asked(judgement: GeneratorJudgement) -> str:
    condition = judgement.generator.condition
    return ("classes and " if condition.classes else "") + f"{condition.size.word}s"


def _named_size(judgement: GeneratorJudgement) -> str:
    size = judgement.generator.condition.size
    return f"{size.word} ({size.unit})"


def _apart_table(judgement: GeneratorJudgement) -> PageTable:
    lines = [
        (name, _area(judgement.told_apart[name]), _area(judgement.real_apart[name])) for name in judgement.told_apart
    ]
    heading = ("network", "real against generated", "real against real")
    return PageTable("Distinguished", table_of(heading, lines), "Area under the curve, on pulses not trained on.")


def _area(value: Auc) -> Cell:
    return Cell(f"{value.value:.3f}", f"{value.low:.3f} to {value.high:.3f}")


def _tests_table(judgement: GeneratorJudgement) -> PageTable:
    heading = (
        "quantity",
        "class",
        _named_size(judgement),
        "real mean",
        "generated mean",
        "real spread",
        "distance",
        "p-value",
    )
    lines = [
        (
            _with_unit(test.quantity),
            test.class_name,
            "{:.4g}-{:.4g}".format(*test.size_range),
            *(beside_spread(mean, test.real_spread) for mean in (test.real_mean, test.generated_mean)),
            plain_digits(test.real_spread, 3),
            f"{test.distance:.3f}",
            f"{test.p_value:.2g}",
        )
        for test in judgement.tests
    ]
    return PageTable("Two-sample tests", table_of(heading, lines), "Of Kolmogorov and Smirnov.")


def _with_unit(quantity: str) -> str:
    unit = QUANTITIES[quantity]
    return quantity if unit == "1" else f"{quantity} ({unit})"


def _pulses_picture(judgement: GeneratorJudgement) -> Picture:
    word = judgement.generator.condition.size.word
    caption = (
        f"{_N_DRAWN} real pulses of nearly the same {word}, and a generated one like each of them: "
        "photons, time within the sample and noise are their own."
    )
    return picture(_draw_pulses(judgement), name="generated_pulses", caption=caption)


def _draw_pulses(judgement: GeneratorJudgement) -> Figure:
    condition, own = judgement.generator.condition, judgement.generator.preparation
    names, size, label = condition.groups, judgement.size, judgement.label
    middle = float(np.median(size))
    with house_style():
        figure = new_figure(5.6 * len(names) + 0.4, 7.5)
        axes = figure.subplots(2, len(names), sharex=True, sharey="col", squeeze=False)
        for number, name in enumerate(names):
            inside = np.flatnonzero(label == number)
            nearest = inside[np.argsort(np.abs(size[inside] - middle), kind="stable")[:_N_DRAWN]]
            for row, (kind, side) in enumerate((("real", judgement.real), ("generated", judgement.generated))):
                waveforms = upright(side.samples[nearest], own).waveforms
                time_ns = own.sample_period_ns * np.arange(waveforms.shape[1])
                panel = axes[row, number]
                panel.plot(time_ns, waveforms.T, color=_COLOURS.get(name, GREY), linewidth=1, alpha=0.8)
                panel.set_title(f"{name}s, {middle:.0f} {condition.size.unit}, {kind}", loc="left")
                panel.grid(visible=True)
                if number == 0:
                    panel.set_ylabel("above the baseline (ADC counts)")
            axes[1, number].set_xlabel("time in record (ns)")
        return figure


def _quantities_picture(judgement: GeneratorJudgement, settings: DetectorSettings) -> Picture:
    word = judgement.generator.condition.size.word
    caption = (
        f"Tail fraction against {word}: median, and the range of the central 68 %. Then the distributions of what is "
        "measured of the pulses, real ones filled, generated ones as lines."
    )
    return picture(_draw_quantities(judgement, settings), name="generated_quantities", caption=caption)


def _draw_quantities(judgement: GeneratorJudgement, settings: DetectorSettings) -> Figure:
    own, names = judgement.generator.preparation, judgement.generator.condition.groups
    sides = [measured(each, own, settings.gates) for each in (judgement.real, judgement.generated)]
    label, size = judgement.label, judgement.size
    with house_style():
        figure = new_figure(12, 7.5)
        axes = figure.subplots(2, 3)
        _draw_tail(axes.flat[0], [side["tail fraction"] for side in sides], size, label, names)
        axes.flat[0].set_xlabel(_named_size(judgement))
        rest = [name for name in QUANTITIES if name != "tail fraction"]
        for panel, quantity in zip(axes.flat[1:], rest, strict=True):
            _draw_distribution(panel, [side[quantity] for side in sides], label, names)
            panel.set_xlabel(_with_unit(quantity))
            panel.set_ylabel("pulses")
            panel.locator_params(axis="x", nbins=5)
        return figure


def _draw_tail(
    axes: Axes, sides: list[NDArray[np.float64]], size: NDArray[Any], label: NDArray[Any], names: tuple[str, ...]
) -> None:
    edges = np.quantile(size, np.linspace(0, 1, _DRAWN_BINS + 1))
    centre = (edges[:-1] + edges[1:]) / 2
    for number, name in enumerate(names):
        colour = _COLOURS.get(name, GREY)
        for side, line in zip(sides, ("-", "--"), strict=True):
            bands = []
            for low, high in itertools.pairwise(edges):
                inside = side[(label == number) & (size >= low) & (size <= high)]
                bands.append(np.nanquantile(inside, [0.16, 0.5, 0.84]) if len(inside) else np.full(3, np.nan))
            low_edge, middle, high_edge = np.array(bands).T
            if line == "-":
                axes.fill_between(centre, low_edge, high_edge, color=colour, alpha=0.35, label=f"{name}, real")
            else:
                for each in (low_edge, middle, high_edge):
                    told = f"{name}, generated" if each is middle else None
                    axes.plot(centre, each, line, color=BLACK if number else "0.35", linewidth=1.3, label=told)
    axes.set_xscale("log")
    plain_logarithm(axes.xaxis)
    axes.set_ylabel("tail fraction")
    legend_over(axes, n_columns=2)


def _draw_distribution(
    axes: Axes, sides: list[NDArray[np.float64]], label: NDArray[Any], names: tuple[str, ...]
) -> None:
    low, high = np.nanquantile(np.concatenate(sides), [0.002, 0.99])
    bins = np.linspace(low, high, 61).tolist()
    for number, name in enumerate(names):
        colour = _COLOURS.get(name, GREY)
        own = [side[label == number] for side in sides]
        axes.hist(own[0], bins, color=colour, alpha=0.45)
        axes.hist(own[1], bins, histtype="step", color=BLACK if number else "0.35", linestyle="--", linewidth=1.2)
