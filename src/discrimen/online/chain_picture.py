"""The time budget of a card as a picture. Only drawing here."""

from __future__ import annotations

from pathlib import Path

from discrimen.online.chain import FROM_FILES, FROM_MESSAGES, Chain
from discrimen.online.hit_chain import HIT_STEPS, LOCATING, HitChains
from discrimen.output.pictures import save_png
from discrimen.output.style import COLOURS, house_style, new_figure

_FAR = 3.0
"""The acquisition is drawn as a line where it is at most so many times longer than the longest bar."""


def draw_chain(chain: Chain, path: Path) -> None:
    """Draw a bar for each model and way, one piece a step, beside the time of the acquisition, into a PNG.

    Parameters
    ----------
    chain : Chain
        What was measured.
    path : Path
        Where to write, whatever its suffix.
    """
    ways = {"files": FROM_FILES, "messages": FROM_MESSAGES}
    bars = [(f"{model.model}\n{way}", model, steps) for model in chain.models for way, steps in ways.items()]
    colour = dict(zip(("read", "receive", "infer", "write", "send"), COLOURS, strict=False))
    with house_style():
        figure = new_figure(8.0, 1.6 + 0.55 * len(bars))
        axes = figure.subplots()
        named: set[str] = set()
        longest = 0.0
        for at, (_, model, steps) in enumerate(bars):
            left = 0.0
            for step in steps:
                width = model.step_ns.get(step, 0.0) * 1e-9 * chain.card.n_pulses
                label = None if step in named else step
                axes.barh(at, width, left=left, color=colour[step], label=label)
                named.add(step)
                left += width
            axes.text(left, at, f"  acquisition {model.headroom(chain.card, steps):.3g}x", va="center")
            longest = max(longest, left)
        shown = chain.card.run_s < _FAR * longest
        if shown:
            axes.axvline(chain.card.run_s, color="black", linestyle="--", label="acquisition")
        axes.set_xlim(0, 1.35 * max(longest, chain.card.run_s if shown else 0))
        axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
        axes.invert_yaxis()
        axes.set(
            xscale="linear", xlabel=f"time of one core for a run of one card (s), {chain.card.n_pulses:.3g} pulses"
        )
        figure.legend(loc="outside lower center", ncols=6)
        save_png(figure, path, dots_per_inch=130)


def draw_hit_chains(chains: HitChains, path: Path) -> None:
    """Draw the cores that an array of crystals takes, a bar for each model and way, one piece a step, into a PNG.

    Parameters
    ----------
    chains : HitChains
        What was measured.
    path : Path
        Where to write, whatever its suffix.
    """
    array, ways = chains.array, {"from the stream": HIT_STEPS, "from files of hits": LOCATING}
    bars = [(f"{model.model}\n{way}", model, steps) for model in chains.models for way, steps in ways.items()]
    with house_style():
        figure = new_figure(8.0, 1.6 + 0.55 * len(bars))
        axes = figure.subplots()
        for step, colour in zip(HIT_STEPS, COLOURS, strict=False):
            drawn = [(at, model, steps) for at, (_, model, steps) in enumerate(bars) if step in steps]
            left = [model.n_cores(array, steps[: steps.index(step)]) for _, model, steps in drawn]
            width = [model.n_cores(array, [step]) for _, model, _ in drawn]
            axes.barh([at for at, _, _ in drawn], width, left=left, color=colour, label=step)
        for at, (_, model, steps) in enumerate(bars):
            axes.text(model.n_cores(array, steps), at, f"  {model.n_cores(array, steps):.3g}", va="center")
        axes.set_xlim(0, 1.15 * max(model.n_cores(array) for model in chains.models))
        axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
        axes.invert_yaxis()
        axes.set(xlabel=f"cores for {array.n_crystals} crystal(s) at {array.rate_hz:g} hits/s")
        figure.legend(loc="outside lower center", ncols=5)
        save_png(figure, path, dots_per_inch=130)
