"""Figures by ranges of light: every range has its place, and what is not known leaves no mark."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.metrics.waveform_residuals import Estimate
from discrimen.output.range_figures import draw_ranges
from discrimen.output.ranges import FigureRange, Panel, range_rows

pytestmark = pytest.mark.drawn
RANGES = (
    FigureRange(name="30-50 keVee", n_pulses=12, figures={"rms": Estimate(3.0, 2.5, 3.5), "leak": Estimate(0, 0, 0.2)}),
    FigureRange(name="50-100 keVee", n_pulses=7, figures={"leak": Estimate(0.5, 0.3, 0.9)}),
)


def test_the_picture_has_a_panel_for_what_is_known() -> None:
    panels = [Panel(label="rms", series={"rms": ""}), Panel(label="charge (%)", series={"charge": "", "spread": ""})]
    (axes,) = draw_ranges(RANGES, panels).axes
    assert axes.get_ylabel() == "rms"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["30-50", "50-100"]
    (bars,) = axes.containers
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [3.0])


def test_no_leakage_is_an_arrow_from_the_end_of_its_interval() -> None:
    (axes,) = draw_ranges(RANGES, [Panel(label="leakage (%)", series={"leak": "in"}, logarithmic=True)]).axes
    arrows = axes.lines[-1]
    assert arrows.get_marker() == r"$\downarrow$"
    np.testing.assert_allclose(arrows.get_ydata(), [0.2])
    np.testing.assert_allclose(axes.containers[0].lines[0].get_ydata(), [0.5])


def test_the_table_has_a_line_for_what_is_known() -> None:
    rows = range_rows(RANGES, {"rms": "rms (ADC)", "charge": "charge (%)", "leak": "leakage (%)"})
    assert rows.heading == ("figure", "30-50 keVee", "50-100 keVee")
    assert [line.name for line in rows.lines] == ["pulses", "rms (ADC)", "leakage (%)"]
    assert [cell.value for cell in rows.lines[1].cells] == ["3", "-"]
    assert rows.lines[1].cells[0].interval == "2.5 to 3.5"
