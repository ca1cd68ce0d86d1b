"""The page on separated pulses: counts, records with their parts, and how right these are where it is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.formats.base import Reader
from discrimen.inference.base import Predictor
from discrimen.metrics.waveform_residuals import figure_panel, figure_words
from discrimen.output.pictures import Picture, picture
from discrimen.output.range_figures import draw_ranges
from discrimen.output.ranges import FigureRange, range_rows
from discrimen.output.stage_report import PageTable, StagePage, write_stage_report
from discrimen.output.style import BLUE, house_style, new_figure
from discrimen.output.tables import table_of
from discrimen.output.waveform_pairs import draw_parted_records
from discrimen.reconstruction.separated_runs import SeparatedRuns
from discrimen.reconstruction.separation_judged import Judged, Quality
from discrimen.reconstruction.separation_looked import MOST_RECORDS, PartedPairs
from discrimen.reconstruction.stage_run import counts_table
from discrimen.runs.components import Components

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (
    ("residual_rms_adc",),
    ("nrmse",),
    ("charge_bias", "charge_spread"),
    ("tail_bias", "tail_spread"),
    ("time_bias_ns", "time_spread_ns"),
)
_DELAY_BINS = 60
_TRUTH_NOTES = (
    "Errors are part minus true pulse; the true pulse has no noise of the electronics, which stays with the parts. "
    "NRMSE is the root of the squared difference over the square of the true parts; spreads are half the central 68 %.",
    "Distances are those of the true pulses. Parted are records that became two pulses; the figures beside are of all "
    "records of two pulses, also of those that count as one.",
)


def write_separation(
    done: SeparatedRuns,
    readers: Sequence[Reader],
    predictor: Predictor,
    folder: Path | str,
    *,
    components: Sequence[Components] | None = None,
    threshold: float | None = None,
) -> tuple[Path, ...]:
    """Write ``separate.json``, ``separate.html`` and the pictures into a folder.

    Parameters
    ----------
    done : SeparatedRuns
        What came of the runs.
    readers : sequence of Reader
        Of the same runs, open again: the first records of each are shown.
    predictor, components, threshold
        As of :func:`~discrimen.reconstruction.separate.separate_runs` and its options.
    folder : Path
        Made if need be.

    Returns
    -------
    tuple of Path
        The files: JSON, page, pictures.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib or Jinja is not installed.
    """
    truths = [None] * len(readers) if components is None else components
    looked = zip(readers, truths, strict=True)
    pairs = PartedPairs.joined(
        [PartedPairs.of(reader, predictor, truth, threshold=threshold) for reader, truth in looked]
    )
    description = predictor.description
    period_ns, settings = description.preparation.sample_period_ns, readers[0].info.settings
    ranges = pairs.by_light(sample_period_ns=period_ns, gates=settings.gates or description.settings.gates)
    tables = [counts_table(done.runs), *_judged_tables(done)]
    if ranges:
        words = "Of each part beside its true pulse, by the light of this pulse. 95 % intervals."
        tables.append(PageTable("Parts by light", range_rows(ranges, _words()), words))
    page = StagePage(
        title="Separated pulses",
        done=tuple(run.told() for run in done.runs),
        tables=tuple(tables),
        notes=(f"Pictures and figures by light are of the first {MOST_RECORDS} records of each run.",)
        + (() if components is None else _TRUTH_NOTES),
        pictures=tuple(_pictures(pairs, ranges, period_ns)),
        origin={"Model": description.as_dict()},
    )
    by_light = [{"name": each.name, "n_parts": each.n_pulses, "figures": each.figures} for each in ranges]
    return write_stage_report(page, folder, name="separate", values={**done.as_dict(), "by_light": by_light})


def _words() -> dict[str, str]:
    return figure_words(name for names in _PANELS for name in names)


def _judged_tables(done: SeparatedRuns) -> Iterator[PageTable]:
    heading = ("which", "records", "parted (%)", "NRMSE", "median", "charge, spread (%)", "delay, spread (ns)")
    for run in done.runs:
        if run.judged is not None:
            title = f"Parts beside the truth: {run.path.name}"
            yield PageTable(title, table_of(heading, list(_judged_lines(run.judged))), _judged_words(run.judged))


def _judged_words(judged: Judged) -> str:
    found = f"Found: {judged.n_found} of {judged.n_two} records of two pulses."
    if not judged.n_alone:
        return found
    return f"{found} False alarms: {judged.n_false_alarms} of {judged.n_alone} records of one pulse."


def _judged_lines(judged: Judged) -> Iterator[tuple[str, ...]]:
    yield "all", *_cells(judged.everything)
    n_parted = sum(row.n_parted for row in judged.by_distance)
    yield "one pulse in each part", *_cells(judged.singles, n_parted=n_parted)
    if judged.fit is not None:
        yield "those fitted: network", *_cells(judged.network)
        yield "those fitted: templates", *_cells(judged.fit)
    for row in judged.by_distance:
        name = f"{row.low_ns:g}-{row.high_ns:g} ns apart" if np.isfinite(row.high_ns) else f"{row.low_ns:g} ns and more"
        yield name, *_cells(row.network, n_parted=row.n_parted)
        if row.fit is not None and row.fit.n_records:
            yield f"{name}: templates", *_cells(row.fit)


def _cells(quality: Quality, *, n_parted: int | None = None) -> tuple[str, ...]:
    figures = (
        None if n_parted is None or not quality.n_records else f"{100 * n_parted / quality.n_records:.1f}",
        None if quality.nrmse is None else f"{quality.nrmse:.4f}",
        None if quality.median is None else f"{quality.median:.4f}",
        None if quality.charge_spread is None else f"{100 * quality.charge_spread:.3g}",
        None if quality.delay_spread_ns is None else f"{quality.delay_spread_ns:.3g}",
    )
    return (str(quality.n_records), *(figure or "-" for figure in figures))


def _pictures(pairs: PartedPairs, ranges: Sequence[FigureRange], period_ns: float) -> Iterator[Picture]:
    if not len(pairs):
        return
    beside = "" if pairs.true_adc is None else ", the true pulses beside; below what differs from these"
    yield picture(
        draw_parted_records(pairs.shown(), sample_period_ns=period_ns),
        name="parted",
        caption=f"Records of two pulses near each other and further apart, and their parts{beside}.",
    )
    yield picture(
        _draw_delays(pairs, period_ns), name="delays", caption="Delay of the second pulse of a record, as found."
    )
    lit = [each for each in ranges[1:] if each.figures]
    if lit:
        panels = [figure_panel(*names) for names in _PANELS]
        caption = "Parts beside their true pulses in each range of light of these, with intervals."
        yield picture(draw_ranges(lit, panels), name="parts_by_light", caption=caption)


def _draw_delays(pairs: PartedPairs, period_ns: float) -> Figure:
    """Draw the delays in steps of whole samples, which their phases do not show in."""
    with house_style():
        figure = new_figure(8.0, 4.0)
        axes = figure.subplots()
        n_samples = -(-float(pairs.distance_ns.max()) // (_DELAY_BINS * period_ns)) or 1.0
        axes.hist(
            pairs.distance_ns, (np.arange(_DELAY_BINS + 1) * n_samples * period_ns).tolist(), color=BLUE, alpha=0.7
        )
        axes.set_xlabel("delay (ns)")
        axes.set_ylabel("records")
        axes.grid(visible=True)
        return figure
