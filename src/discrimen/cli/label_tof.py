"""``discrimen label --method tof``: what it writes and prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cli import common
from discrimen.cli.label_result import with_provenance, write_beside
from discrimen.formats.base import Reader
from discrimen.labelling.flight_run import FlightTimes, RunFlight, find_run_flight, times_of_pulses
from discrimen.labelling.places import joined
from discrimen.labelling.time_of_flight import FlightOptions, FlightWindow
from discrimen.output.files import complete_or_absent
from discrimen.pulses import Label, Pulses
from discrimen.runs.conversion import convert_runs


def label_runs_by_tof(
    readers: Sequence[Reader], output: Path | None, *, options: FlightOptions, plot: Path | None, seed: int
) -> tuple[dict[str, Any], RunFlight]:
    """Find flashes, windows and accidentals in a first pass, draw them, and write the data set in a second."""
    total = common.total_entries(readers)
    with common.progress("reading times of flight", total=total) as tick:
        times = joined([part for reader in readers for part in _times(reader, tick)])
    flight = find_run_flight(times, options=options, rng=np.random.default_rng(seed))
    labels = flight.labels(times)
    result: dict[str, Any] = {"output": None if output is None else str(output), "method": "tof", "seed": seed}
    result |= {f"n_{label.name.lower()}": int((labels == label).sum()) for label in Label}
    result["plots"] = [] if plot is None else [_draw(flight, times, plot, source=_source(readers))]
    result["time_of_flight"] = flight.as_dict()
    if output is not None:
        whole = with_provenance(result, readers)
        with common.progress("labelling", total=total) as tick:
            transforms = [partial(_labelled, flight=flight)] * len(readers)
            convert_runs(readers, output, transforms=transforms, format_name="lh5", on_progress=tick)
        write_beside(output, whole)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    return result, flight


def print_flight_labels(result: dict[str, Any], flight: RunFlight) -> None:
    """Print flash, windows, contamination and ceiling."""
    console = common.stdout_console()
    found = flight.found
    where = "" if result["output"] is None else f" written to {result['output']}"
    worst = found.options.accidental_neutron_share is None
    lines = [
        *(
            f"gamma flash     {place}: {flash.time_ns:.3f} +- {flash.time_error_ns:.3f} ns, "
            f"sigma {flash.sigma_ns:.3f} ns"
            for place, flash in flight.flashes.items()
        ),
        *(f"no labels       {place}: {reason}" for place, reason in flight.problems.items()),
        f"times of flight with all flashes at {found.flash.time_ns:.2f} ns, sigma {found.flash.sigma_ns:.3f} ns",
        f"accidentals     {found.n_flat} between {found.flat_low_ns:.1f} and {found.flat_high_ns:.1f} ns"
        + (", all counted as wrong labels" if worst else ""),
        _window_line("gammas", found.gamma),
        _window_line("neutrons", found.neutron),
        f"accuracy        at most {found.accuracy_ceiling:.4f} "
        f"({found.accuracy_ceiling_low:.4f}-{found.accuracy_ceiling_high:.4f}) against these labels",
        f"{result['n_gamma']} gammas, {result['n_neutron']} neutrons and {result['n_unknown']} unknown{where}",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _window_line(name: str, window: FlightWindow) -> str:
    return (
        f"{name:<15} {window.low_ns:.2f} to {window.high_ns:.2f} ns, {window.n_pulses} pulses, contamination "
        f"{window.contamination:.4f} ({window.contamination_low:.4f}-{window.contamination_high:.4f})"
    )


def _times(reader: Reader, tick: common.Tick) -> Iterator[FlightTimes]:
    for pulses in reader.chunks():
        yield times_of_pulses(pulses, where=reader.info.path)
        tick(len(pulses))


def _labelled(pulses: Pulses, *, flight: RunFlight) -> Pulses:
    return pulses.replace(label=flight.labels(times_of_pulses(pulses)))


def _source(readers: Sequence[Reader]) -> str:
    first = readers[0].info.path.name
    return first if len(readers) == 1 else f"{first} and {len(readers) - 1} more"


def _draw(flight: RunFlight, times: FlightTimes, path: Path, *, source: str) -> str:
    from discrimen.labelling.flight_picture import draw_flight

    with complete_or_absent(path) as part:
        draw_flight(flight.found, flight.flight_time_ns(times), part, title=source)
    return str(path)
