"""Pulses side by side: what is drawn is what was given, and the residual is their difference."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR
from discrimen.output.waveform_pairs import PartedRecord, WaveformPair, draw_parted_records, draw_waveform_pairs

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


@pytest.mark.parametrize("known", [True, False])
def test_a_record_is_the_sum_of_its_parts_which_are_shown_less_the_truth(known: bool) -> None:
    first, second = RECORDED, RECORDED[::-1].copy()
    record = PartedRecord(
        title="20 ns apart",
        parts=(first, second),
        true_parts=(first - 1, second + 2) if known else None,
        names=("a", "b"),
        class_names=("neutron", "gamma"),
    )
    figure = draw_parted_records([record] * 3, sample_period_ns=2.0)
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == (6 if known else 3)
    lines = {line.get_label(): line for line in shown[0].lines}
    np.testing.assert_array_equal(lines["record"].get_ydata(), first + second)
    assert (lines["a"].get_color(), lines["b"].get_color()) == (NEUTRON_COLOUR, GAMMA_COLOUR)
    if known:
        below = next(axes for axes in shown if axes.get_ylabel().startswith("part minus truth"))
        np.testing.assert_array_equal([line.get_ydata() for line in below.lines[:2]], [np.ones(4), np.full(4, -2.0)])
