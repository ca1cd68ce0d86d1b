"""``discrimen label --method tof``: what it writes and prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cli import common
from discrimen.cli.label_flow import drawn, lists_of, print_lines, summary, title_of, where_written, write_labels
from discrimen.errors import SettingsError
from discrimen.formats.base import Reader
from discrimen.labelling.coincidence import StartDetector
from discrimen.labelling.flight_figures import contamination_by_energy, leakages
from discrimen.labelling.flight_read import RunTimes, read_times
from discrimen.labelling.flight_run import RunFlight, find_run_flight
from discrimen.labelling.in_order import InOrder
from discrimen.labelling.places import joined
from discrimen.labelling.time_of_flight import FlightLabels, FlightOptions

_CLASSES = ("gamma", "neutron")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """Where times of flight come from, if not from a column of the file.

    Parameters
    ----------
    start : StartDetector, optional
        None: from the column `tof_ns`.
    tick_ps : float, optional
        Length of a tick, where the file's time stamps count ticks of unknown length.
    """

    start: StartDetector | None = None
    tick_ps: float | None = None


def start_options(
    channel: int | None, board: int | None, window_ns: tuple[float, float] | None, tick_ps: float | None
) -> StartOptions:
    """Put the options of the command line together.

    Raises
    ------
    SettingsError
        If one of them needs a start detector that is not given.
    """
    if channel is None:
        given = {"--start-board": board, "--start-window-ns": window_ns, "--tick-ps": tick_ps}
        useless = [name for name, value in given.items() if value is not None]
        if useless:
            raise SettingsError(f"{' and '.join(useless)} needs the start detector: --start-channel")
        return StartOptions()
    if tick_ps is not None and not tick_ps > 0:
        raise SettingsError(f"--tick-ps must be positive, got {tick_ps:g}")
    window = {} if window_ns is None else {"window_ns": window_ns}
    return StartOptions(start=StartDetector(channel=channel, board=board, **window), tick_ps=tick_ps)


def label_runs_by_tof(
    readers: Sequence[Reader],
    output: Path | None,
    *,
    options: FlightOptions,
    start: StartOptions,
    plot: Path | None,
    seed: int,
) -> tuple[dict[str, Any], RunFlight]:
    """Find flashes, windows and accidentals in a first pass, draw them, and write the labels in a second."""
    lists_of(readers)
    with common.progress("reading times of flight", total=common.total_entries(readers)) as tick:
        runs = [read_times(reader, start=start.start, tick_ps=start.tick_ps, on_progress=tick) for reader in readers]
    rng = np.random.default_rng(seed)
    times = joined([run.times for run in runs])
    flight = find_run_flight(times, options=options, rng=rng)
    found = [InOrder(flight.labels(run.times), run.columns()) for run in runs]
    result = summary("tof", output, [run.labels for run in found], seed=seed)
    draw = partial(_draw, flight, runs, title_of(readers))
    result["plots"] = [] if plot is None else [drawn(plot, draw)]
    result["time_of_flight"] = flight.as_dict()
    result["start_detector"] = None if start.start is None else asdict(start.start)
    result["walk"] = [walk for run in runs for walk in run.walks_as_dicts()]
    result["leakage"] = leakages(times, flight.labels(times))
    result["contamination_by_energy"] = [asdict(part) for part in contamination_by_energy(times, flight, rng=rng)]
    write_labels(readers, output, found, result=result)
    return result, flight


def print_flight_labels(result: dict[str, Any], flight: RunFlight) -> None:
    """Print flash, windows, contamination, ceiling, and what a list's own figures leak."""
    found = flight.found
    worst = found.options.accidental_neutron_share is None
    print_lines(
        [
            *_walk_lines(result["walk"]),
            *(
                f"gamma flash     {place}: {flash.time_ns:z.3f} +- {flash.time_error_ns:.3f} ns, "
                f"sigma {flash.sigma_ns:.3f} ns"
                for place, flash in flight.flashes.items()
            ),
            *(f"no labels       {place}: {reason}" for place, reason in flight.problems.items()),
            f"times of flight with all flashes at {found.flash.time_ns:z.2f} ns, sigma {found.flash.sigma_ns:.3f} ns",
            f"accidentals     {found.n_flat} between {found.flat_low_ns:.1f} and {found.flat_high_ns:.1f} ns"
            + (", all counted as wrong labels" if worst else ""),
            *window_table(found),
            *slice_table(result["contamination_by_energy"]),
            f"accuracy        at most {found.accuracy_ceiling:.4f} "
            f"({found.accuracy_ceiling_low:.4f}-{found.accuracy_ceiling_high:.4f}) against these labels",
            *(
                f"leakage         {name}: {one['leakage']:.4f} ({one['low']:.4f}-{one['high']:.4f}) of the gammas at "
                f"{one['efficiency']:.0%} of the neutrons, relative to these labels"
                for name, one in result["leakage"].items()
            ),
            f"{result['n_gamma']} gammas, {result['n_neutron']} neutrons and {result['n_unknown']} unknown"
            f"{where_written(result)}",
        ]
    )


def _walk_lines(walks: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"walk            board {walk['board']} channel {walk['channel']}: flash of sigma "
        f"{walk['sigma_before_ns']:.3f} ns, corrected by charge {walk['sigma_after_ns']:.3f} ns"
        for walk in walks
    ]


def slice_table(slices: Sequence[dict[str, Any]]) -> list[str]:
    """Return the contamination by energy as a table; nothing where there is none."""
    heads = [("", "accidentals", "among"), ("energy", "gammas", "neutrons")]
    rows = [
        (
            common.span(part["energy_low"], part["energy_high"]),
            *(f"{part[name]:.4f} ({part[f'{name}_low']:.4f}-{part[f'{name}_high']:.4f})" for name in _CLASSES),
        )
        for part in slices
    ]
    return common.aligned([*heads, *rows]) if rows else []


def window_table(found: FlightLabels) -> list[str]:
    """Return the windows of gammas and neutrons as a table."""
    rows = [
        (
            f"{name:<15}",
            f"{window.low_ns:z.2f}",
            f"{window.high_ns:.2f}",
            str(window.n_pulses),
            f"{window.contamination:.4f} ({window.contamination_low:.4f}-{window.contamination_high:.4f})",
        )
        for name, window in (("gammas", found.gamma), ("neutrons", found.neutron))
    ]
    return common.aligned([("", "from/ns", "to/ns", "pulses", "contamination"), *rows])


def _draw(flight: RunFlight, runs: Sequence[RunTimes], title: str, path: Path) -> None:
    from discrimen.labelling.flight_picture import draw_flight

    times = joined([run.times for run in runs])
    draw_flight(flight.found, flight.flight_time_ns(times), path, title=title)
