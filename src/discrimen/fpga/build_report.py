"""What a project reports: size, clock, latency, and every comparison; JSON, Markdown, one page, a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discrimen.fpga.chip_model import ChipModel
from discrimen.fpga.synthesis import DEVICE, PACKAGE, SPEED_GRADE, Cells, Placed
from discrimen.fpga.tools import versions
from discrimen.fpga.verification import Comparison
from discrimen.fpga.verilog import Design
from discrimen.output.files import write_files
from discrimen.output.pictures import Picture, picture
from discrimen.output.stage_report import PageTable, StagePage, write_stage_report
from discrimen.output.style import BLUE, GREY, house_style, new_figure
from discrimen.output.tables import TableRows, table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "fpga"
_CELLS = {
    "lut": "LUT",
    "shift_lut": "LUT as shift register",
    "ff": "FF",
    "carry4": "CARRY4",
    "dsp": "DSP",
    "bram": "BRAM",
}
_NOTES = (
    "7-series figures are Yosys' mapping, not Vivado's, and nothing was placed for it.",
    "Fmax is nextpnr's, between registers; ports are not constrained to pins.",
    "Power: none of these open tools gives it.",
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Built:
    """A project that was made.

    Parameters
    ----------
    folder : Path
        Where it lies.
    values : mapping
        All figures, as in ``fpga.json``.
    lines : tuple of str
        The result for a terminal.
    """

    folder: Path
    values: Mapping[str, Any]
    lines: tuple[str, ...]


def write_build_report(
    folder: Path,
    *,
    model: Path,
    chip: ChipModel,
    design: Design,
    comparisons: Sequence[Comparison],
    cells: Mapping[str, Cells],
    placed: Placed | None,
    on_margin: Mapping[str, int],
) -> Built:
    """Write ``fpga.json``, ``fpga.md``, ``fpga.html`` and the picture of what the chip takes.

    Parameters
    ----------
    folder : Path
        Of the project.
    model : Path
        Folder of the network.
    chip, design, comparisons
        What was made and compared.
    cells : mapping of str to Cells
        7-series mapping of ``network`` and ``whole``; empty where nothing was mapped.
    placed : Placed or None
        Placement for the ECP5.
    on_margin : mapping of str to int
        How many stimuli have a difference of logits of ``margin``, and of ``margin - 1``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    values = report_values(model, chip=chip, design=design, comparisons=comparisons, cells=cells, placed=placed)
    values["n_decisions_on_margin"] = dict(on_margin)
    lines = (*report_lines(design, comparisons, cells, placed), margin_line(on_margin))
    tables = report_tables(comparisons, cells, placed)
    pictures = () if placed is None else (_picture(placed),)
    page = StagePage(title="A network in an FPGA", done=lines, tables=tables, notes=_NOTES, pictures=pictures)
    write_stage_report(page, folder, name=NAME, values=values)
    write_files(folder, {f"{NAME}.md": markdown(page)})
    return Built(folder=folder, values=values, lines=lines)


def report_values(
    model: Path,
    *,
    chip: ChipModel,
    design: Design,
    comparisons: Sequence[Comparison],
    cells: Mapping[str, Cells],
    placed: Placed | None,
) -> dict[str, Any]:
    """Return all figures as plain data, units in the keys."""
    return {
        "model": str(model),
        "front_end": chip.front_end.as_dict(),
        "logit_bits": design.logit_bits,
        "logit_fraction_bits": design.logit_fraction,
        "margin": design.margin,
        "samples_per_clock": design.samples_per_clock,
        "latency_clocks": design.latency,
        "front_end_delay_clocks": design.timing.delay,
        "network_latency_clocks": design.network_latency,
        "initiation_interval_clocks": 1,
        "dead_time_samples": chip.front_end.length - chip.front_end.before,
        "reset_clocks": design.reset_clocks,
        "comparisons": [asdict(each) for each in comparisons],
        "n_mismatches": {step: count for step, (_, count) in totals(comparisons).items()},
        "yosys_xc7": {name: asdict(each) for name, each in cells.items()},
        "nextpnr_ecp5": None if placed is None else _placed_values(design, placed),
        "power_w": None,
        "tools": versions(),
    }


def totals(comparisons: Sequence[Comparison]) -> dict[str, tuple[int, int]]:
    """Return windows and mismatches of each step, all stimuli together."""
    found: dict[str, tuple[int, int]] = {}
    for each in comparisons:
        windows, mismatches = found.get(each.step, (0, 0))
        found[each.step] = windows + each.n_windows, mismatches + each.n_mismatches
    return found


def report_lines(
    design: Design, comparisons: Sequence[Comparison], cells: Mapping[str, Cells], placed: Placed | None
) -> tuple[str, ...]:
    """Return the result in sentences."""
    lines = [
        f"{step}: {count} mismatches in {windows} windows" for step, (windows, count) in totals(comparisons).items()
    ]
    for name, each in cells.items():
        lines.append(
            f"7-series, {name} (Yosys mapping, not Vivado): {each.lut} LUT, {each.shift_lut} LUT as shift registers, "
            f"{each.ff} FF, {each.dsp} DSP, {each.bram} BRAM"
        )
    at_once = "" if design.samples_per_clock == 1 else f", {design.samples_per_clock} samples a clock"
    if placed is not None:
        lines.append(
            f"ECP5-{DEVICE}, speed grade {SPEED_GRADE}: {placed.median_mhz:.1f} MHz (median of "
            f"{len(placed.fmax_mhz)} placements), {design.latency} clocks = {latency_ns(design, placed):.1f} ns from "
            f"the last sample to the decision, one window a clock{at_once}"
        )
    else:
        lines.append(f"{design.latency} clocks from the last sample to the decision, one window a clock{at_once}")
    return tuple(lines)


def margin_line(on_margin: Mapping[str, int]) -> str:
    """Return how many decisions hang on the last bit, in a sentence."""
    counts = ", ".join(f"{count} of {name}" for name, count in on_margin.items())
    untold = "" if on_margin["margin"] else "; none was found, so > and >= were not distinguished"
    return f"Decisions with a difference of logits on the margin: {counts}{untold}"


def latency_ns(design: Design, placed: Placed) -> float:
    """Return the time from the last sample to the decision at the clock that is reached."""
    return 1e3 * design.latency / placed.median_mhz


def report_tables(
    comparisons: Sequence[Comparison], cells: Mapping[str, Cells], placed: Placed | None
) -> tuple[PageTable, ...]:
    """Return the figures as tables."""
    tables = [PageTable("Mismatches", _mismatches(comparisons))] if comparisons else []
    if cells:
        lines = [(title, *(str(getattr(each, key)) for each in cells.values())) for key, title in _CELLS.items()]
        heading = ("7-series", *cells)
        tables.append(PageTable("Yosys mapping, not Vivado", table_of(heading, lines)))
    if placed is not None:
        used = [(name, str(n), str(of), f"{n / of:.1%}") for name, (n, of) in placed.utilisation.items()]
        tables.append(PageTable(f"ECP5-{DEVICE}, {PACKAGE}, nextpnr", table_of(("cell", "used", "of", "share"), used)))
        clocks = [(str(seed), f"{mhz:.1f}") for seed, mhz in enumerate(placed.fmax_mhz, start=1)]
        tables.append(PageTable("Placements", table_of(("seed", "Fmax (MHz)"), clocks)))
    return tuple(tables)


def _mismatches(comparisons: Sequence[Comparison]) -> TableRows:
    """Return one line a stimulus, one column a step."""
    counts = {(each.stimulus, each.step): str(each.n_mismatches) for each in comparisons}
    windows = {each.stimulus: str(each.n_windows) for each in comparisons}
    steps = tuple(dict.fromkeys(each.step for each in comparisons))
    rows = [(name, n, *(counts.get((name, step), "-") for step in steps)) for name, n in windows.items()]
    return table_of(("stimulus", "windows", *steps), rows)


def markdown(page: StagePage) -> str:
    """Return the page as Markdown."""
    parts = [f"# {page.title}", *page.done]
    for table in page.tables:
        heading = table.rows.heading
        lines = [heading, tuple("---" for _ in heading)]
        lines += [(line.name, *(cell.value for cell in line.cells)) for line in table.rows.lines]
        parts += [f"## {table.title}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    parts += [f"![{each.caption}]({each.files[0]})" for each in page.pictures]
    return "\n\n".join([*parts, *page.notes]) + "\n"


def draw_utilisation(placed: Placed) -> Figure:
    """Draw which share of each kind of cell the chip takes."""
    with house_style():
        figure = new_figure(7.0, 1.4 + 0.35 * len(placed.utilisation))
        axes = figure.add_subplot()
        names = list(placed.utilisation)[::-1]
        shares = [100 * used / present for used, present in (placed.utilisation[name] for name in names)]
        axes.barh(names, [100.0] * len(names), color="0.92")
        axes.barh(names, shares, color=BLUE)
        for row, name in enumerate(names):
            used, present = placed.utilisation[name]
            axes.text(99, row, f"{used} of {present}", ha="right", va="center", color=GREY)
        axes.set_xlim(0, 100)
        axes.set_xlabel("used (%)")
        axes.set_title(f"ECP5-{DEVICE}, {placed.median_mhz:.0f} MHz")
    return figure


def _picture(placed: Placed) -> Picture:
    return picture(draw_utilisation(placed), name="utilisation", caption="What the chip takes of the fabric.")


def _placed_values(design: Design, placed: Placed) -> dict[str, Any]:
    return {
        "device": f"LFE5U-{DEVICE}",
        "package": PACKAGE,
        "speed_grade": SPEED_GRADE,
        "fmax_mhz": list(placed.fmax_mhz),
        "median_fmax_mhz": placed.median_mhz,
        "latency_ns": latency_ns(design, placed),
        "utilisation": {name: {"used": used, "of": of} for name, (used, of) in placed.utilisation.items()},
        "bitstream": placed.bitstream.name,
    }
