"""``discrimen chain``: whether the processing keeps up with an acquisition card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.chain_hits import hit_chain_lines
from discrimen.cli.given_options import refuse_idle
from discrimen.errors import SettingsError, require_module
from discrimen.online.chain import FROM_FILES, FROM_MESSAGES, Card, Chain, measure_chain
from discrimen.online.hit_chain import CrystalArray, HitChains, is_of_hits, measure_hit_chains
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.numbers import plain_digits


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(chain)


def chain(
    models: Annotated[list[Path], typer.Argument(help="Frozen models (.discrimen).", show_default=False)],
    context: typer.Context,
    channels: Annotated[int, typer.Option(help="Channels of the card.", min=1)] = 16,
    crystals: Annotated[int, typer.Option(help="Crystals of the array, for models of hits.", min=1)] = 1,
    rate_hz: Annotated[
        float, typer.Option("--rate-hz", help="Pulses a second of each channel, or hits a second of each crystal.")
    ] = 1000.0,
    run_s: Annotated[float, typer.Option("--run-s", help="Length of a run.")] = 3600.0,
    device: common.DeviceOption = "cpu",
    seconds: Annotated[float, typer.Option(help="Of timed calls for each model, about.", min=0.1)] = 10.0,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="PNG", callback=common.png_only, help="Draw the times as bars.", show_default=False),
    ] = None,
    json: common.JsonOption = False,
) -> None:
    """Time every step from the card's pulses to scores, on one core, and compare with the acquisition itself.

    Of models that locate hits: from the stream of an array of crystals to positions, with cores and disk.
    """
    of_hits = [is_of_hits(path) for path in models]
    if len(set(of_hits)) > 1:
        raise SettingsError("models of pulses and models of hits have different chains: call 'chain' for each kind")
    if plot is not None:
        refuse_inputs(plot, models)
        require_module("matplotlib", extra="analysis")
    result: Chain | HitChains
    with common.progress("measuring", total=len(models)) as tick:

        def on_step(name: str) -> None:
            tick(1, note=name)

        if of_hits[0]:
            refuse_idle(context, ["channels"], without="a model of pulses")
            array = CrystalArray(n_crystals=crystals, rate_hz=rate_hz, run_s=run_s)
            result = measure_hit_chains(models, array, device=device, seconds=seconds, on_step=on_step)
        else:
            refuse_idle(context, ["crystals"], without="a model of hits")
            card = Card(n_channels=channels, rate_hz=rate_hz, run_s=run_s)
            result = measure_chain(models, card, device=device, seconds=seconds, on_step=on_step)
    if plot is not None:
        _draw(result, plot)
    if json:
        common.emit_json({**result.as_dict(), "plot": None if plot is None else str(plot)})
        return
    for line in chain_lines(result) if isinstance(result, Chain) else hit_chain_lines(result):
        common.stdout_console().print(line, markup=False, soft_wrap=isinstance(result, HitChains))


def _draw(result: Chain | HitChains, path: Path) -> None:
    from discrimen.online.chain_picture import draw_chain, draw_hit_chains

    with complete_or_absent(path) as part:
        if isinstance(result, Chain):
            draw_chain(result, part)
        else:
            draw_hit_chains(result, part)


def chain_lines(result: Chain) -> list[str]:
    """Return the table, and the answer in words."""
    card = result.card
    rows: list[tuple[str, ...]] = [("model", "read", "receive", "infer", "write", "send", "files", "messages")]
    for each in result.models:
        steps = (each.step_ns.get(step) for step in ("read", "receive", "infer", "write", "send"))
        ways = (each.headroom(card, way) for way in (FROM_FILES, FROM_MESSAGES))
        told = ("-" if value is None else plain_digits(value, 3) for value in steps)
        rows.append((each.model[:24], *told, *(f"{plain_digits(value, 3)}x" for value in ways)))
    return [
        f"one card: {card.n_channels} channels at {card.rate_hz:g} pulses/s, {card.n_pulses:.4g} pulses in "
        f"{card.run_s:g} s",
        "ns for a pulse on one core, and how many times longer the acquisition takes:",
        *common.aligned(rows),
        *(_answer(result, each.model, result.n_cards(each)) for each in result.models),
    ]


def _answer(result: Chain, model: str, n_cards: float) -> str:
    cores = "core" if result.n_cores == 1 else f"{result.n_cores} cores"
    if n_cards < 1:
        return (
            f"{model}: no. This machine ({cores}) does {100 * n_cards:.0f} % of the work of one card: take "
            f"{1 / n_cards:.1f} such machines for each card, or a smaller network"
        )
    return f"{model}: yes. This machine ({cores}) keeps up with {int(n_cards)} such card(s) at once"
