"""Pulses side by side: what is drawn is what was given, and the residual is their difference."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR
from discrimen.output.waveform_pairs import WaveformPair, draw_waveform_pairs

pytestmark = pytest.mark.drawn
RECORDED = np.array([0.0, 10.0, 5.0, 1.0])


def pair(**others: np.ndarray) -> WaveformPair:
    minus = next(iter(others), "output")
    return WaveformPair(
        title="gamma", input=RECORDED, output=RECORDED - 1, others=others, class_name="gamma", minus=minus
    )


def test_the_lower_panel_has_input_minus_output() -> None:
    figure = draw_waveform_pairs([pair()], sample_period_ns=2.0)
    above, below = figure.axes
    np.testing.assert_array_equal(below.lines[0].get_ydata(), np.ones(4))
    np.testing.assert_array_equal(below.lines[0].get_xdata(), [0.0, 2.0, 4.0, 6.0])
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["input", "output"]
    assert below.get_ylabel() == "minus output\n(ADC counts)"


def test_both_are_shown_less_a_third_where_it_is_given() -> None:
    figure = draw_waveform_pairs([pair(clean=RECORDED - 2)], sample_period_ns=2.0)
    below = figure.axes[1]
    np.testing.assert_array_equal(below.lines[0].get_ydata(), np.full(4, 2.0))
    np.testing.assert_array_equal(below.lines[1].get_ydata(), np.ones(4))
    assert below.get_ylabel() == "minus clean\n(ADC counts)"


@pytest.mark.parametrize("n_pairs", [1, 2, 3, 6])
def test_every_pulse_has_its_two_panels(n_pairs: int) -> None:
    figure = draw_waveform_pairs([pair()] * n_pairs, sample_period_ns=2.0)
    assert sum(axes.axison for axes in figure.axes) == 2 * n_pairs
    assert sum(bool(axes.lines) for axes in figure.axes) == 2 * n_pairs


def test_the_classes_have_their_colours() -> None:
    neutron = WaveformPair(title="n", input=RECORDED, output=RECORDED, class_name="neutron")
    figure = draw_waveform_pairs([pair(), neutron], sample_period_ns=2.0)
    assert [axes.lines[1].get_color() for axes in figure.axes[:2]] == [GAMMA_COLOUR, NEUTRON_COLOUR]
