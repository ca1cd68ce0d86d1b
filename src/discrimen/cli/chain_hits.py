"""What ``discrimen chain`` tells of models of hits."""

from __future__ import annotations

from discrimen.cli import common
from discrimen.online.hit_chain import HIT_STEPS, LOCATING, HitChain, HitChains
from discrimen.output.numbers import plain_digits


def hit_chain_lines(result: HitChains) -> list[str]:
    """Return the table, cores and disk of each model, and the answer in words."""
    array = result.array
    rows: list[tuple[str, ...]] = [("model", "samples", *HIT_STEPS, "hits/s")]
    for each in result.models:
        told = (plain_digits(each.step_ns[step] / 1000, 3) for step in HIT_STEPS)
        rows.append((each.model[:20], str(each.n_samples), *told, plain_digits(1e9 / each.total_ns(), 3)))
    return [
        f"{_crystals(array.n_crystals)} at {array.rate_hz:g} hits/s: {array.hits_per_s:.4g} hits/s, "
        f"{array.n_hits:.4g} hits in {array.run_s:g} s",
        "us for a hit on one core from the stream (GEB mode 3) to positions, and hits a second:",
        *common.aligned(rows),
        *(line for each in result.models for line in _needs(result, each)),
        *(_answer(result, each) for each in result.models),
    ]


def _needs(result: HitChains, model: HitChain) -> list[str]:
    array = result.array
    cores = {"from the stream": model.n_cores(array), "from files of hits": model.n_cores(array, LOCATING)}
    cores["for the positions alone"] = model.n_cores(array, ["locate"])
    told = ", ".join(f"{plain_digits(number, 3)} {what}" for what, number in cores.items())
    places = {"run": "in the stream", "hits": "in files of hits", "positions": "of positions"}
    disk = ", ".join(
        f"{plain_digits(each, 3)} B a hit {places[name]} ({plain_digits(each * array.n_hits / 1e12, 3)} TB)"
        for name, each in model.hit_bytes.items()
    )
    return [f"{model.model}: cores: {told}", f"{model.model}: disk: {disk}"]


def _answer(result: HitChains, model: HitChain) -> str:
    array = result.array
    cores = "core" if result.n_cores == 1 else f"{result.n_cores} cores"
    share = result.share(model)
    if share < 1:
        return (
            f"{model.model}: no. This machine ({cores}) does {plain_digits(100 * share, 2)} % of the work of "
            f"{_crystals(array.n_crystals)}: it takes {1 / share:.1f} such machines"
        )
    most = int(share * array.n_crystals)
    return f"{model.model}: yes. This machine ({cores}) keeps up with {_crystals(most)} of this rate"


def _crystals(number: int) -> str:
    return "1 crystal" if number == 1 else f"{number} crystals"
