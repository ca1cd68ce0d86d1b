"""The report of the training of an encoder for a chip: size against what the reconstruction misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.fpga.encoder_run import EncoderTraining, Missed
from discrimen.output.pictures import Picture, picture
from discrimen.output.stage_report import PageTable, StagePage
from discrimen.output.style import BLUE, GREY, house_style, new_figure
from discrimen.output.tables import Cell, table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def encoder_page(done: EncoderTraining) -> StagePage:
    """Return the report as a page."""
    judging = "held-out run" if done.float_test is not None else "validation run"
    chip = done.chip
    return StagePage(
        title="An encoder for a chip",
        done=(
            f"The chosen encoder: {done.chosen.size}.",
            f"A window of {chip.front_end.length} samples becomes {chip.n_words} words of {chip.word_bits} bits, "
            f"{chip.compression:.1f} times fewer bits.",
            *(f"{run.in_words[0].upper()}{run.in_words[1:]}." for run in done.runs),
            f"Keras and the emulator of the hardware differ in {sum(each.n_mismatches for each in done.agreement)} of "
            f"{sum(each.n_windows for each in done.agreement)} windows.",
        ),
        tables=(_encoders(done), _agreement(done)),
        notes=(
            f"The encoder was chosen on the validation run; figures and picture are of the {judging}. Intervals are of "
            "95 % confidence.",
            f"The samples before the pulse have a noise of {done.noise_rms_adc:.2f} counts rms.",
        ),
        pictures=(size_picture(done),),
        origin={"chip": chip.description()},
    )


def size_picture(done: EncoderTraining) -> Picture:
    """Draw what the reconstructions miss against the sizes of the encoders."""
    return picture(
        size_figure(done), name="reconstruction", caption="What the reconstruction misses against the encoder's size."
    )


def size_figure(done: EncoderTraining) -> Figure:
    """Draw the encoders with their intervals, the chosen one larger, the float one and the noise as lines."""
    reference = done.float_test or done.float_validation
    with house_style():
        figure = new_figure(6.5, 4.5)
        axes = figure.add_subplot()
        sizes = [each.ebops for each in done.candidates]
        found = [each.test or each.validation for each in done.candidates]
        axes.errorbar(
            sizes,
            [each.rms_adc for each in found],
            yerr=[[each.rms_adc - each.low for each in found], [each.high - each.rms_adc for each in found]],
            fmt="o",
            color=BLUE,
            capsize=3,
            label="few bits",
        )
        chosen = done.chosen.test or done.chosen.validation
        axes.plot([done.chosen.ebops], [chosen.rms_adc], "o", color=BLUE, markersize=11, label="chosen")
        axes.axhline(reference.rms_adc, color=BLUE, linestyle="--", label="float, the best")
        axes.axhline(done.noise_rms_adc, color=GREY, linestyle=":", label="noise before the pulse")
        axes.set_xlabel("effective bit operations (EBOPs)")
        axes.set_ylabel("missed by the reconstruction (counts rms)")
        axes.legend()
    return figure


def _encoders(done: EncoderTraining) -> PageTable:
    def cell(missed: Missed) -> Cell:
        return Cell(f"{missed.rms_adc:.3f}", f"{missed.low:.3f} to {missed.high:.3f}")

    lines: list[list[str | Cell]] = [["float, the best", "-", "-", cell(done.float_test or done.float_validation)]]
    for each in done.candidates:
        name = f"cost of a bit {each.beta:g}, seed {each.seed}" + (", chosen" if each is done.chosen else "")
        lines.append([name, str(each.ebops), str(each.luts or "-"), cell(each.test or each.validation)])
    heading = ("encoder", "EBOPs", "look-up tables (Yosys, 7-series)", "missed, counts rms")
    return PageTable("Encoders", table_of(heading, lines))


def _agreement(done: EncoderTraining) -> PageTable:
    lines = [[each.stimulus, str(each.n_windows), str(each.n_mismatches)] for each in done.agreement]
    return PageTable("Keras against the emulator", table_of(("windows", "number", "mismatches"), lines))
