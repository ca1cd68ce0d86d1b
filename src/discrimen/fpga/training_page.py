"""The report of a training for a chip: figures, the front of size against leakage, the promise of the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from discrimen.fpga.judged import Judged
from discrimen.fpga.training_result import Candidate, ChipTraining
from discrimen.output.pictures import Picture, picture
from discrimen.output.stage_report import PageTable, StagePage
from discrimen.output.style import COLOURS, GREY, house_style, new_figure, plain_logarithm
from discrimen.output.tables import Cell, table_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE_NAME = "training"
_LARGE = 11
_SIZES: tuple[tuple[str, Callable[[Candidate], float]], ...] = (
    ("effective bit operations (EBOPs)", lambda each: each.ebops),
    ("look-up tables, alkaid's estimate", lambda each: each.adders),
)
_MAPPED = "look-up tables (Yosys, 7-series)"


def training_page(done: ChipTraining) -> StagePage:
    """Return the report as a page."""
    judging = "held-out run" if done.float_test is not None else "validation run"
    return StagePage(
        title="A network for a chip",
        done=(
            f"The chosen network: {done.chosen.size}; {done.chosen.adders:.0f} look-up tables by alkaid's estimate.",
            *(f"{run.in_words[0].upper()}{run.in_words[1:]}." for run in done.runs),
            f"Keras and the emulator of the hardware differ in {done.n_mismatches} of "
            f"{sum(each.n_windows for each in done.agreement)} windows.",
        ),
        tables=(_networks(done), _pedestals(done), _agreement(done)),
        notes=(
            f"Network and threshold were chosen on the validation run; figures and picture are of the {judging}. "
            "Intervals are of 95 % confidence.",
            "What lies beyond the highest pulse within the ADC's range, piled-up and saturated pulses, may wrap: their "
            "decision means nothing.",
        ),
        pictures=(pareto_picture(done),),
        origin={"chip": done.chip.description()},
    )


def pareto_picture(done: ChipTraining) -> Picture:
    """Draw the leakage of all networks against their sizes."""
    return picture(
        pareto_figure(done),
        name="pareto",
        caption="Gamma leakage against the size of the network; dashed: the best float network.",
    )


def pareto_figure(done: ChipTraining) -> Figure:
    """Draw a panel for each measure of size, a colour for each range of light."""
    with house_style():
        figure = new_figure(11.0, 5.0)
        for number, (label, size) in enumerate(_sizes(done)):
            axes = figure.add_subplot(1, 2, number + 1)
            _draw_front(axes, done, size)
            axes.set_xlabel(label)
            axes.set_yscale("log")
            plain_logarithm(axes.yaxis)
            axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
            axes.grid(visible=True, which="both")
            if number == 0:
                axes.set_ylabel("gamma leakage")
                _legend(axes)
    return figure


def _legend(axes: Axes) -> None:
    """Name the ranges of light by their colours, then in grey what the large dot and the dashed line mean."""
    handles, labels = axes.get_legend_handles_labels()
    (large,) = axes.plot([], [], "o", color=GREY, markersize=_LARGE)
    (dashed,) = axes.plot([], [], linestyle="--", color=GREY)
    axes.legend(
        [*handles, large, dashed],
        [*labels, "the chosen network", "the best float network"],
        title="light at neutron efficiency",
    )


def _draw_front(axes: Axes, done: ChipTraining, size: Callable[[Candidate], float]) -> None:
    """Draw each range of light: the networks with their intervals, the chosen one larger, the float one as a line."""
    references = (done.float_test or done.float_validation).leakages
    for at, ((target, reference), colour) in enumerate(zip(references, COLOURS, strict=False)):
        found = [_shown(each).leakages[at][1] for each in done.candidates]
        below = [each.leakage - each.low for each in found]
        above = [each.high - each.leakage for each in found]
        axes.errorbar(
            [size(each) for each in done.candidates],
            [each.leakage for each in found],
            yerr=[below, above],
            fmt="o",
            color=colour,
            capsize=3,
            label=str(target),
        )
        axes.axhline(reference.leakage, color=colour, linestyle="--")
        chosen = _shown(done.chosen).leakages[at][1].leakage
        axes.plot([size(done.chosen)], [chosen], "o", color=colour, markersize=_LARGE)


def _sizes(done: ChipTraining) -> tuple[tuple[str, Callable[[Candidate], float]], ...]:
    """Return the measures of size; alkaid's estimate stands in where nothing was mapped."""
    if any(each.luts is None for each in done.candidates):
        return _SIZES
    return _SIZES[0], (_MAPPED, lambda each: each.luts or 0)


def _shown(candidate: Candidate) -> Judged:
    return candidate.test or candidate.validation


def _cells(judged: Judged) -> list[Cell]:
    return [
        Cell(f"{100 * each.leakage:.2f} %", f"{100 * each.low:.2f} to {100 * each.high:.2f} %")
        for _, each in judged.leakages
    ]


def _headings(done: ChipTraining) -> list[str]:
    return [f"leakage {target}" for target, _ in done.chosen.validation.leakages]


def _networks(done: ChipTraining) -> PageTable:
    reference = done.float_test or done.float_validation
    lines: list[list[str | Cell]] = [
        [
            "float, best of " + str(len(done.floats)),
            "-",
            "-",
            "-",
            *_cells(reference),
            f"{100 * reference.accuracy:.2f} %",
        ]
    ]
    for each in done.candidates:
        shown = _shown(each)
        name = f"cost of a bit {each.beta:g}, seed {each.seed}" + (", chosen" if each is done.chosen else "")
        accuracy = f"{100 * shown.accuracy:.2f} %"
        lines.append([name, str(each.ebops), f"{each.adders:.0f}", str(each.luts or "-"), *_cells(shown), accuracy])
    heading = ("network", "EBOPs", "look-up tables (alkaid)", _MAPPED, *_headings(done), "right")
    return PageTable("Networks", table_of(heading, lines))


def _pedestals(done: ChipTraining) -> PageTable:
    lines: list[list[str | Cell]] = [
        [f"{moved:+d}" if moved else "as it is", *_cells(judged), f"{100 * judged.accuracy:.2f} %"]
        for moved, judged in sorted(done.moved.items())
    ]
    return PageTable("Pedestal moved, counts", table_of(("pedestal", *_headings(done), "right"), lines))


def _agreement(done: ChipTraining) -> PageTable:
    lines = [[each.stimulus, str(each.n_windows), str(each.n_mismatches)] for each in done.agreement]
    return PageTable("Keras against the emulator", table_of(("windows", "number", "mismatches"), lines))
