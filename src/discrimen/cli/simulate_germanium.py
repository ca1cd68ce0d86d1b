"""``discrimen simulate --detector greta-a``: hits of a segmented germanium crystal, or a basis of its signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.given_options import given_options
from discrimen.runs.simulated_hits import simulate_basis_file, simulate_hits_file
from discrimen.simulation.germanium.basis import BasisWish
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.electronics import TIME_CONSTANT_NS
from discrimen.simulation.germanium.pairs import Pairs
from discrimen.simulation.germanium.simulate import FULL_PHYSICS, GermaniumConfig

EnergyOption = Annotated[
    str | None,
    typer.Option(
        metavar="KEV|LOW:HIGH",
        help="Germanium: single interactions of this energy or range, even in the volume; by default gamma rays of 50 "
        "keV to 3 MeV and all that they do. docs/germanium.md",
        show_default=False,
    ),
]
NoiseOption = Annotated[
    float | None, typer.Option(help="Germanium: rms of a sample; by default 3.", show_default=False)
]
CloudOption = Annotated[
    int | None,
    typer.Option(
        help="Germanium: parts of the charge cloud of each; by default 1, a point, with --energy-kev, else 8.",
        show_default=False,
    ),
]
BasisOption = Annotated[
    float | None,
    typer.Option(
        help="Germanium: write no hits but the noiseless signals at positions on a grid of this spacing.",
        show_default=False,
    ),
]

TimeConstantOption = Annotated[
    float | None,
    typer.Option(help="Germanium: single pole of the preamplifiers; by default 45.", show_default=False),
]

ShareOfPairsOption = Annotated[
    float | None,
    typer.Option(
        help="Germanium, with --energy-kev: share of the hits that have two interactions in one segment, which share "
        "the energy; by default 1 where one of the next two is given, else none.",
        show_default=False,
    ),
]
SecondShareOption = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE|LOW:HIGH",
        help="Germanium, with --energy-kev: share of the energy in the smaller of two; by default 0.1:0.5.",
        show_default=False,
    ),
]
SecondDistanceOption = Annotated[
    str | None,
    typer.Option(
        metavar="MM|LOW:HIGH",
        help="Germanium, with --energy-kev: distance of two interactions; by default 2:20.",
        show_default=False,
    ),
]

_OF_PAIRS = ("share_of_pairs", "second_share", "second_distance_mm")
GERMANIUM_ONLY = ("energy_kev", "noise_kev", "cloud_parts", "time_constant_ns", "basis_mm", *_OF_PAIRS)
"""Options that do nothing for a scintillator."""

_BOTH = ("output", "detector", "time_constant_ns", "json")
_HITS = (
    *("n_pulses", "seed", "setup_seed", "noise_corner_mhz", "trigger_jitter_ns", "rate_hz"),
    *("energy_kev", "noise_kev", "cloud_parts", "clean", *_OF_PAIRS),
)
_CLOUD_PARTS = 8


def simulate_germanium(context: typer.Context, output: Path, wishes: Mapping[str, Any], *, json: bool) -> None:
    """Simulate hits of a crystal, or its basis.

    Parameters
    ----------
    context : typer.Context
        Of the call.
    output : Path
        The file to write.
    wishes : mapping
        Values of the options of germanium.
    json : bool
        Whether to tell the result as JSON.

    Raises
    ------
    typer.BadParameter
        If an option was given that does nothing here.
    """
    given, values = given_options(context), {**context.params, **wishes}
    if values["basis_mm"] is not None:
        _refuse(given, (*_BOTH, "basis_mm"), "a basis, which has neither hits nor noise")
        _basis(output, values, json=json)
        return
    _refuse(given, (*_BOTH, *_HITS), "a germanium crystal")
    config = _config(values, given)
    with common.progress("simulating", total=config.n_hits) as tick:
        done = simulate_hits_file(config, output, clean=values["clean"], on_progress=tick)
    result = {
        "output": str(done.output),
        "clean": None if values["clean"] is None else str(values["clean"]),
        "n_hits": done.n_hits,
        "n_several_interactions": done.n_several,
        "n_saturated": done.n_saturated,
        "n_uncollected": done.n_uncollected,
        "seed": config.seed,
    }
    line = f"{done.n_hits} hits written to {done.output}, {done.n_several} of several interactions"
    line += f", {done.n_saturated} cut at the end of the range" if done.n_saturated else ""
    line += f", {done.n_uncollected} without a segment: nothing arrived in the window" if done.n_uncollected else ""
    _tell(result, line, json=json)


def _basis(output: Path, values: Mapping[str, Any], *, json: bool) -> None:
    time_constant_ns = TIME_CONSTANT_NS if values["time_constant_ns"] is None else values["time_constant_ns"]
    wish = BasisWish(spacing_mm=values["basis_mm"], time_constant_ns=time_constant_ns)
    basis, made = simulate_basis_file(read_crystal(values["detector"]), wish, output)
    result = {
        "output": str(output),
        "n_positions": len(basis),
        "n_left_out": basis.n_left_out,
        "source": basis.source,
        "made_anew": made,
    }
    how = "written to" if made else "are there already, from the same crystal, in"
    _tell(result, f"signals at {len(basis)} positions {how} {output}", json=json)


def _tell(result: Mapping[str, Any], line: str, *, json: bool) -> None:
    if json:
        common.emit_json(dict(result))
    else:
        common.stdout_console().print(line, markup=False)


def _refuse(given: Mapping[str, str], known: tuple[str, ...], where: str) -> None:
    for name, option in given.items():
        if name not in known:
            raise typer.BadParameter(f"{option} does nothing for {where}: leave it out")


def _config(values: Mapping[str, Any], given: Mapping[str, str]) -> GermaniumConfig:
    """Return the configuration that the options say; electronics are real ones without --energy-kev."""
    single = values["energy_kev"] is not None
    config = GermaniumConfig(
        detector=values["detector"],
        n_hits=values["n_pulses"],
        energy_kev=_range(values["energy_kev"], "--energy-kev", "an energy or LOW:HIGH in keV") if single else None,
        pairs=_pairs(values, given, single=single),
        cloud_parts=values["cloud_parts"] or (1 if single else _CLOUD_PARTS),
        trigger_jitter_ns=values["trigger_jitter_ns"],
        rate_hz=values["rate_hz"],
        seed=values["seed"],
    )
    electronics = config.electronics if single else FULL_PHYSICS
    changes = {name: values[name] for name in ("noise_kev", "noise_corner_mhz", "time_constant_ns") if name in given}
    setup_seed = values["seed"] if values["setup_seed"] is None else values["setup_seed"]
    return replace(config, electronics=replace(electronics, setup_seed=setup_seed, **changes))


def _pairs(values: Mapping[str, Any], given: Mapping[str, str], *, single: bool) -> Pairs | None:
    wanted = [name for name in _OF_PAIRS if name in given]
    if not wanted:
        return None
    if not single:
        raise typer.BadParameter(
            f"{given[wanted[0]]} does nothing without --energy-kev: leave it out, or give that too"
        )
    share, distance = values["second_share"], values["second_distance_mm"]
    changes: dict[str, Any] = {}
    if "share_of_pairs" in given:
        changes["share_of_hits"] = values["share_of_pairs"]
    if share is not None:
        changes["second_share"] = _range(share, "--second-share", "a share or LOW:HIGH")
    if distance is not None:
        changes["distance_mm"] = _range(distance, "--second-distance-mm", "a distance or LOW:HIGH in mm")
    return Pairs(**changes)


def _range(text: str, option: str, expected: str) -> tuple[float, float]:
    try:
        low, _, high = text.partition(":")
        return float(low), float(high or low)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: expected {expected}, got '{text}'") from error
