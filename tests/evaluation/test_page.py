"""The report as JSON, text and plots."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from discrimen.errors import OutputError
from discrimen.evaluation import METHODS, Report, evaluate, leakage_table, report_text, write_report
from discrimen.evaluation.page import report_page, report_pictures
from discrimen.evaluation.plots import draw_plots
from discrimen.evaluation.report import BinReport
from discrimen.evaluation.report_parts import LossCurve
from discrimen.evaluation.text import OTHER_METHODS
from discrimen.metrics import POOR_FIT_REMARK, FigureOfMerit, Leakage, LeakageRatio
from discrimen.output.files import write_files
from discrimen.output.pictures import Picture, picture_files
from discrimen.output.plain import json_text
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

pytestmark = pytest.mark.drawn

MAGIC = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-"}


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_json_holds_the_whole_report(report: Report) -> None:
    text = json_text(report.as_dict())
    values = json.loads(text)
    assert values == json.loads(json.dumps(report.as_dict()))
    assert all(math.isfinite(number) for number in numbers(values))
    network = values["bins"][2]["methods"]["network"]
    assert values["bins"][2]["energy"] == {"low_kevee": 100.0, "high_kevee": 200.0}
    assert network["leakages"][1]["efficiency"] == 0.95
    assert values["psd_definition"] == PSD_DEFINITION
    assert values["bins"][0]["methods"]["charge_nominal"]["figure_of_merit"]["not_computed"].startswith("no fit")
    assert values["model"]["preparation"]["channels"][0]["polarity"] == -1
    # Rows of numbers stay on one line.
    assert len(text.splitlines()) < 7000


def test_files_are_complete_and_say_what_was_written(small_report: Report, tmp_path: Path) -> None:
    written = write_report(small_report, tmp_path / "new", dots_per_inch=40)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in written)
    plots = ["roc", "leakage", "scores", "psd_map", "psd_fit", "calibration", "worst_pulses"]
    both = [f"{name}.{kind}" for name in plots for kind in ("png", "pdf")]
    assert [path.name for path in written] == ["report.json", "report.html", *both]
    assert all(path.read_bytes().startswith(MAGIC[path.suffix]) for path in written[2:])


def page_of(report: Report, *names: str) -> str:
    drawn = draw_plots(report)
    return report_page(report, report_pictures(report, {name: drawn[name] for name in names}, dots_per_inch=40))


def test_the_page_stands_alone_and_holds_every_picture_and_table(small_report: Report) -> None:
    curve = LossCurve(loss=(0.5, 0.3), validation_loss=(0.45, 0.32))
    page = page_of(replace(small_report, loss_curve=curve), "scores", "loss")
    assert page.count('src="data:image/png;base64,') == 2
    # Nothing is fetched: the only links are anchors and the files beside it.
    assert set(re.findall(r'(?:href|src)="([^"#d][^"]*)"', page)) == {
        "scores.png",
        "scores.pdf",
        "loss.png",
        "loss.pdf",
    }
    for words in ("Gatti-De Martini filter", "200-1000 keVee", "score of 0.5", "calibration error", "over network"):
        assert words in page
    assert "No loss curve" in page_of(small_report)


def test_names_of_files_are_escaped(small_report: Report) -> None:
    data = replace(small_report.data, files=({"name": "<b>run</b>.lh5", "sha256": "0" * 64, "n_pulses": 1},))
    page = page_of(replace(small_report, data=data))
    assert "<b>run" not in page
    assert "&lt;b&gt;run&lt;/b&gt;.lh5" in page


def test_a_folder_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "loss.png").mkdir()
    with pytest.raises(OutputError, match=r"loss\.png: a folder has this name"):
        write_files(tmp_path, picture_files([Picture(name="loss", caption="", png=b"", pdf=b"")]))


@pytest.fixture(scope="module")
def drawn(report: Report) -> dict[str, Any]:
    return draw_plots(report)


def test_plots_show_every_method_and_the_psd_definition(drawn: dict[str, Any]) -> None:
    words = {text.get_text() for text in drawn["roc"].legends[0].get_texts()}
    assert words == set(METHODS.values())
    assert [ax.get_title() for ax in drawn["calibration"].axes][::3] == ["all energies", "100-200 keVee"]
    titles = [ax.get_title() for ax in drawn["roc"].axes]
    assert titles[0].startswith("all energies")
    assert titles[3].startswith("100-200 keVee")
    assert PSD_DEFINITION in drawn["psd_map"].get_supylabel()
    assert PSD_DEFINITION in drawn["psd_fit"].axes[0].get_xlabel()
    assert "95% neutron efficiency" in drawn["leakage"].axes[0].get_ylabel()


def test_fonts_are_readable(drawn: dict[str, Any]) -> None:
    for figure in drawn.values():
        for ax in figure.axes:
            texts = [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts]
            assert min(text.get_fontsize() for text in texts) >= 11


def test_plots_leave_the_global_state_alone(small_report: Report) -> None:
    before = dict(matplotlib.rcParams)
    draw_plots(small_report)
    assert dict(matplotlib.rcParams) == before


def test_report_without_energies_and_gates_still_draws(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(400, seed=3, with_bound=False).replace(energy_kevee=None)
    bare = evaluate(make_predictor(settings=DetectorSettings()), pulses)
    assert set(draw_plots(bare)) == {"roc", "scores", "calibration", "worst_pulses"}
    text = report_text(bare)
    assert "no gates are given" in text
    assert "no energy bins" in text


def test_text_fits_eighty_columns_and_defines_the_psd(report: Report) -> None:
    text = report_text(report)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert f"PSD = {PSD_DEFINITION}" in text
    assert text.count("Gamma leakage (%) at 95% neutron efficiency") == 1 + len(OTHER_METHODS)
    assert "Calibration of the network" in text
    assert "100-200" in text
    # Nothing is cut off with an ellipsis.
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize(("probability", "stars"), [(0.5, False), (1e-9, True)])
def test_a_figure_of_merit_of_no_fit_bears_a_star(report: Report, probability: float, stars: bool) -> None:
    def changed(part: BinReport) -> BinReport:
        methods = dict(part.methods)
        for name, found in part.computed().items():
            if isinstance(merit := found.figure_of_merit, FigureOfMerit):
                figures = {**found.figures, "figure_of_merit": replace(merit, probability=probability)}
                methods[name] = replace(found, figures=figures)
        return replace(part, methods=methods)

    told = replace(report, overall=changed(report.overall), bins=tuple(map(changed, report.bins)))
    text = report_text(told)
    assert (POOR_FIT_REMARK in text) == stars
    assert bool(re.search(r"\d±0\.\d{3}\*", text)) == stars
    assert re.search(r"\d±0\.\d{3}", text)
    assert (POOR_FIT_REMARK in html.unescape(report_page(told, ()))) == stars


def test_small_shares_and_large_ratios_fit_the_table(report: Report) -> None:
    few = Leakage(
        efficiency=0.95, threshold=0.5, leakage=0.00015, low=0.000016, high=0.000621,
        n_gamma=6672, n_neutron=6673, n_gamma_passing=1, n_neutron_passing=6340,
    )  # fmt: skip
    ratio = LeakageRatio(efficiency=0.95, ratio=19.03, low=2.141, high=260.34)
    methods = {name: replace(found, leakages=(few,)) for name, found in report.overall.computed().items()}
    overall = replace(report.overall, methods=methods, leakage_over_network={"charge_best": (ratio,)})
    text = report_text(replace(report, overall=overall))
    # The network stands in all tables.
    assert text.count("0.0016-0.062") == len(METHODS) + len(OTHER_METHODS)
    assert "2.14-260" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_table_has_a_row_for_each_range_and_a_column_for_each_method(report: Report) -> None:
    table = leakage_table(report, efficiency=0.9)
    assert table.row_count == 6
    assert len(table.columns) == 6
    assert "90%" in str(table.title)
