"""The curves as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from discrimen.metrics import Leakage, Share
from discrimen.robustness.report import Robustness, RobustnessPoint
from discrimen.simulation.distortion import DISTORTIONS


def robustness_text(result: Robustness, *, width: int = 80) -> str:
    """Return one table a model: every distortion at no, the lowest and the highest size.

    Parameters
    ----------
    result : Robustness
        What was found.
    width : int
        Of a line, for the notes.
    """
    pulses = f"{result.n_gamma} gammas, {result.n_neutron} neutrons"
    where = f" of {result.energy_kevee}" if result.energy_kevee else ""
    about = (
        f"{pulses}{where}. Fixed: threshold of {result.efficiency:.0%} neutron efficiency on the undistorted pulses; "
        f"retuned: threshold of {result.efficiency:.0%} on the distorted ones. Intervals of {result.confidence:.0%}."
    )
    lines = [fill(about, width)]
    for name in result.models:
        lines += ["", name, *_table(result, name)]
    lines += [fill(f"note: {note}", width) for note in result.notes]
    return "\n".join(lines) + "\n"


def _table(result: Robustness, model: str) -> Iterator[str]:
    yield f"{'distortion':<28}{'leakage, fixed':>24}{'efficiency':>12}{'retuned':>10}"
    yield _row("none", result.curve(model, result.distortions[0]).undistorted)
    for distortion in result.distortions:
        points = result.curve(model, distortion).points
        for point in dict.fromkeys((points[0], points[-1])):
            if point.size != 0:
                yield _row(_words(distortion, point.size), point)


def _words(distortion: str, size: float) -> str:
    known = DISTORTIONS[distortion]
    sign = "+" if known.signed else ""
    amount = f"{size:{sign}g} {known.unit}" if known.unit else f"{100 * size:{sign}g} %"
    return f"{distortion} {amount}".replace("ADC counts", "ADC")


def _row(name: str, point: RobustnessPoint) -> str:
    retuned = _percent(point.retuned.leakage) if isinstance(point.retuned, Leakage) else "-"
    return f"{name:<28}{_interval(point.leakage):>24}{_percent(point.efficiency.value):>12}{retuned:>10}"


def _interval(share: Share) -> str:
    return f"{_percent(share.value)} ({100 * share.low:.3g}-{100 * share.high:.3g})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
