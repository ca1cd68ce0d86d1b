"""The plots of a report on waveforms: one for each thing that the report knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.evaluation.waveforms.test_waveforms import GATES, pulses
from tests.reconstruction.copying_model import write_copying_model

from discrimen.evaluation.waveforms import evaluate_waveforms
from discrimen.evaluation.waveforms.plots import draw_waveform_plots
from discrimen.inference.native import NativePredictor

pytestmark = pytest.mark.drawn


def test_every_range_of_light_has_its_point(tmp_path: Path) -> None:
    predictor = NativePredictor(write_copying_model(tmp_path / "copy.discrimen"), threads=1)
    edges = (10.0, 15.0, 20.0, 30.0)
    drawn = draw_waveform_plots(evaluate_waveforms(predictor, pulses(), gates=GATES, energy_edges_kevee=edges))
    assert set(drawn) == {"pulses", "figures", "residual", "worst"}
    panels = [axes for axes in drawn["figures"].axes if axes.axison]
    assert len(panels) == 6
    assert all(axes.get_xlabel() == "light (keVee)" for axes in panels)
    assert [len(axes.get_xticks()) for axes in panels] == [3] * 6
    assert "ADC counts" in drawn["residual"].axes[0].get_ylabel()
