"""The report on waveforms as files: JSON, a page of HTML that needs nothing beside it, plots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.waveforms.by_light import WORDS, figure_ranges
from discrimen.evaluation.waveforms.evaluate import EFFICIENCY
from discrimen.evaluation.waveforms.plots import draw_waveform_plots
from discrimen.evaluation.waveforms.report import WaveformReport
from discrimen.metrics import Leakage
from discrimen.metrics.latents import Latents, latents_words
from discrimen.output.pictures import Picture, picture
from discrimen.output.ranges import range_rows
from discrimen.output.stage_report import PageTable, StagePage, StageTold, write_stage_report
from discrimen.output.tables import TableRows, table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CAPTIONS: Mapping[str, str] = {
    "pulses": "A gamma and a neutron of little light, and of much: what went in, what came out, and what is left.",
    "figures": "Figures in each range of light, with intervals.",
    "residual": "What is left, sample by sample over all pulses: a mean that is not nothing is an error of it.",
    "latents": "Pulses in a plane of the code, by class and by size.",
    "correlation": "Correlations between the latents over all pulses judged.",
    "worst": "The pulses with the largest residual beside others of their light.",
}

JUDGED = StageTold(name="report", title="Waveforms of a network judged")


def write_waveform_report(report: WaveformReport, folder: Path | str, *, told: StageTold = JUDGED) -> tuple[Path, ...]:
    """Write ``NAME.json``, ``NAME.html`` and each plot as PNG and as PDF into a folder.

    Parameters
    ----------
    report : WaveformReport
        The result of an evaluation.
    folder : Path
        Made if need be; files of the same names are replaced.
    told : StageTold
        What was done before the evaluation.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib or Jinja is not installed.
    """
    page = waveform_page(report, _pictures(draw_waveform_plots(report, names=told.pulses)), told=told)
    return write_stage_report(page, folder, name=told.name, values={**told.values, **report.as_dict()})


def waveform_page(report: WaveformReport, pictures: tuple[Picture, ...], *, told: StageTold = JUDGED) -> StagePage:
    """Return what stands on the page; see :func:`write_waveform_report`."""
    words = (
        f"{report.confidence:.0%} intervals. Errors are output minus {report.reference}; a spread is half the central "
        f"68 %. Leakage: gammas that charge comparison lets pass with {EFFICIENCY:.0%} of the neutrons."
    )
    tables = [*told.tables, PageTable("Figures by light", range_rows(figure_ranges(report), WORDS), words)]
    if report.latents is not None:
        tables.append(PageTable("Latents", _latent_rows(report.latents), f"{latents_words(report.latents.summary())}."))
    return StagePage(
        title=told.title,
        done=(*told.done, summary(report)),
        tables=tuple(tables),
        notes=report.notes,
        pictures=pictures,
        origin={"Files": list(report.files), "Model": _without_history(report.model)},
    )


def summary(report: WaveformReport) -> str:
    """Return in a sentence what was judged."""
    architecture = report.model.get("architecture", {})
    light = report.energy_source
    energies = "no energies" if isinstance(light, NotComputed) else f"energies from {light}"
    kept = report.n_pulses - report.n_unprepared - report.n_outside
    return (
        f"{architecture.get('name', 'network')}, computed by {report.model.get('backend', 'an unknown backend')}; "
        f"{kept} of {report.n_pulses} pulses judged against the {report.reference} ones; {energies}."
    )


def leakage_words(found: Leakage | NotComputed) -> str:
    """Return a leakage in per cent, or a dash."""
    return "-" if isinstance(found, NotComputed) else f"{100 * found.leakage:.3g}"


def _pictures(drawn: Mapping[str, Figure]) -> tuple[Picture, ...]:
    return tuple(picture(figure, name=name, caption=_CAPTIONS[name]) for name, figure in drawn.items())


def _latent_rows(latents: Latents) -> TableRows:
    areas = ["-"] * len(latents.mean) if latents.class_auc is None else [f"{each:.3f}" for each in latents.class_auc]
    lines = [
        (str(number), f"{mean:.3g}", f"{deviation:.3g}", "yes" if active else "no", area)
        for number, (mean, deviation, active, area) in enumerate(
            zip(latents.mean, latents.deviation, latents.active, areas, strict=True)
        )
    ]
    return table_of(("latent", "mean", "spread", "active", "AUC of the classes"), lines)


def _without_history(model: Mapping[str, object]) -> dict[str, object]:
    provenance = model.get("provenance", {})
    kept = provenance if isinstance(provenance, Mapping) else {}
    return {**model, "provenance": {name: value for name, value in kept.items() if name != "history"}}
