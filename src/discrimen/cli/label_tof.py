"""``discrimen label --method tof``: what it writes and prints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cli import common
from discrimen.cli.label_result import with_provenance, write_beside
from discrimen.conversion import convert_runs
from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.labelling.time_of_flight import FlightLabels, FlightOptions, FlightWindow, find_flight_labels
from discrimen.pulses import Label, Pulses


def label_runs_by_tof(
    readers: Sequence[Reader], output: Path | None, *, options: FlightOptions, seed: int
) -> tuple[dict[str, Any], FlightLabels]:
    """Find flash, windows and accidentals in a first pass, and write the data set in a second."""
    total = common.total_entries(readers)
    with common.progress("reading times of flight", total=total) as tick:
        tof_ns = np.concatenate([_times(reader, tick) for reader in readers])
    found = find_flight_labels(tof_ns, options=options, rng=np.random.default_rng(seed))
    labels = found.labels(tof_ns)
    result: dict[str, Any] = {"output": None if output is None else str(output), "method": "tof", "seed": seed}
    result |= {f"n_{label.name.lower()}": int((labels == label).sum()) for label in Label}
    result["time_of_flight"] = found.as_dict()
    if output is not None:
        whole = with_provenance(result, readers)
        with common.progress("labelling", total=total) as tick:
            transforms = [partial(_labelled, found=found)] * len(readers)
            convert_runs(readers, output, transforms=transforms, format_name="lh5", on_progress=tick)
        write_beside(output, whole)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    return result, found


def print_flight_labels(result: dict[str, Any], found: FlightLabels) -> None:
    """Print flash, windows, contamination and ceiling."""
    console = common.stdout_console()
    flash = found.flash
    where = "" if result["output"] is None else f" written to {result['output']}"
    worst = found.options.accidental_neutron_share is None
    lines = [
        f"gamma flash     {flash.time_ns:.3f} +- {flash.time_error_ns:.3f} ns, sigma {flash.sigma_ns:.3f} ns",
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


def _times(reader: Reader, tick: common.Tick) -> np.ndarray[Any, np.dtype[np.float64]]:
    parts = []
    for pulses in reader.chunks():
        if pulses.tof_ns is None:
            raise DataError(
                f"{reader.info.path}: the pulses have no time of flight; name the branch with --branch tof_ns=NAME"
            )
        parts.append(pulses.tof_ns)
        tick(len(pulses))
    return np.concatenate(parts) if parts else np.empty(0)


def _labelled(pulses: Pulses, *, found: FlightLabels) -> Pulses:
    return pulses.replace(label=found.labels(pulses.column("tof_ns")))
