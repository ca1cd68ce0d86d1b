"""The picture of size against leakage says what its marks mean."""

from types import SimpleNamespace

from discrimen.fpga.judged import DEFAULT_TARGETS
from discrimen.fpga.training_page import pareto_figure


def judged(*shares):
    leakages = [SimpleNamespace(leakage=share, low=0.9 * share, high=1.1 * share) for share in shares]
    return SimpleNamespace(leakages=tuple(zip(DEFAULT_TARGETS, leakages, strict=True)))


def test_legend_names_ranges_chosen_and_float_network() -> None:
    small, large = (
        SimpleNamespace(ebops=size, adders=size, luts=2 * size, validation=judged(*shares), test=None)
        for size, shares in ((1000, (0.06, 0.009)), (2000, (0.05, 0.007)))
    )
    done = SimpleNamespace(
        candidates=(small, large), chosen=large, float_test=None, float_validation=judged(0.049, 0.006)
    )
    axes, other = pareto_figure(done).axes
    legend = axes.get_legend()
    shown = {text.get_text(): line for text, line in zip(legend.get_texts(), legend.legend_handles, strict=True)}
    assert list(shown)[:2] == ["50-100 keVee at 95 %", "100-150 keVee at 99 %"]
    assert shown["the chosen network"].get_markersize() == 11
    assert shown["the best float network"].get_linestyle() == "--"
    assert [line.get_xdata().tolist() for line in other.lines if line.get_markersize() == 11] == [[4000]] * 2
