"""What pictures share."""

from __future__ import annotations

import pytest

from discrimen.output.style import house_style, legend_over, new_figure, whole_numbers

pytestmark = pytest.mark.drawn


@pytest.mark.parametrize("highest", [1, 2, 3, 37])
def test_counts_are_numbered_by_whole_numbers(highest: int) -> None:
    axes = new_figure(4.0, 3.0).subplots()
    axes.set_ylim(0, highest)
    whole_numbers(axes.yaxis)
    ticks = axes.get_yticks()
    assert len(ticks) > 1
    assert all(tick == round(tick) for tick in ticks)


def test_a_legend_over_a_panel_covers_no_data() -> None:
    with house_style():
        figure = new_figure(5.0, 4.0)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label="a line")
        legend_over(axes, n_columns=1)
        figure.canvas.draw()
    legend, frame = axes.get_legend().get_window_extent(), axes.get_window_extent()
    assert legend.y0 >= frame.y1 - 1
    assert figure.bbox.y1 >= legend.y1


def test_larger_letters_are_larger_inside_the_block_alone() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    with house_style():
        plain = matplotlib.rcParams["axes.labelsize"]
    with house_style(font_scale=1.5):
        assert matplotlib.rcParams["axes.labelsize"] == pytest.approx(1.5 * plain)
        assert matplotlib.rcParams["xtick.direction"] == "in"
    assert dict(matplotlib.rcParams) == before
