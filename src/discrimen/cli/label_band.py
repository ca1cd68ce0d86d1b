"""``discrimen label --method band``: what it writes, draws and prints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cli import common
from discrimen.cli.label_result import with_provenance, write_beside
from discrimen.errors import SettingsError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.labelling.band import BandLabels, BandOptions
from discrimen.labelling.band_cuts import ClassCut
from discrimen.labelling.band_run import RunBands, find_run_bands, label_by_band, read_plane
from discrimen.labelling.label_table import write_label_table
from discrimen.labelling.places import by_place, chosen, joined
from discrimen.labelling.plane import Plane
from discrimen.output.files import complete_or_absent
from discrimen.pulses import Label, Pulses
from discrimen.runs.conversion import convert_runs


def label_runs_by_band(
    readers: Sequence[Reader], output: Path | None, *, options: BandOptions, plot: Path | None, seed: int
) -> tuple[dict[str, Any], RunBands]:
    """Find the bands in a first pass, draw them, and write the labels in a second.

    Waveform files become a data set, list-mode files a table of labels; the bands go beside either as JSON.
    """
    listed = [reader for reader in readers if isinstance(reader, ListModeReader)]
    if listed and len(listed) < len(readers):
        raise SettingsError("some of the files hold waveforms and some list mode: label them in two runs")
    total = common.total_entries(readers)
    with common.progress("reading the charge-comparison plane", total=total) as tick:
        planes = [read_plane(reader, on_progress=tick) for reader in readers]
    bands = find_run_bands(planes, options=options, rng=np.random.default_rng(seed))
    plane = joined(planes)
    labels = bands.labels(plane)
    result: dict[str, Any] = {"output": None if output is None else str(output), "method": "band", "seed": seed}
    result |= {f"n_{label.name.lower()}": int((labels == label).sum()) for label in Label}
    result["plots"] = [] if plot is None else _draw(bands, plane, plot, source=_source(readers))
    result["bands"] = bands.as_dict()
    if output is not None:
        whole = with_provenance(result, readers)
        with common.progress("labelling", total=total) as tick:
            if listed:
                write_label_table(listed, output, bands=bands, attributes=whole, on_progress=tick)
            else:
                transforms = [partial(_labelled, bands=bands, reader=reader) for reader in readers]
                convert_runs(readers, output, transforms=transforms, format_name="lh5", on_progress=tick)
        write_beside(output, whole)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    return result, bands


def print_bands(result: dict[str, Any], bands: RunBands) -> None:
    """Print one table a channel, and how many pulses have which label."""
    console = common.stdout_console()
    for place, found in bands.channels.items():
        console.print(f"{place}, energy in {bands.energy_unit}", markup=False)
        for line in _lines(found):
            console.print(line, markup=False, soft_wrap=True)
    for place, reason in bands.problems.items():
        console.print(f"{place}: no labels: {reason}", markup=False)
    where = "" if result["output"] is None else f" written to {result['output']}"
    console.print(
        f"{result['n_gamma']} gammas, {result['n_neutron']} neutrons and {result['n_unknown']} unknown{where}",
        markup=False,
    )


def _labelled(pulses: Pulses, *, bands: RunBands, reader: Reader) -> Pulses:
    return label_by_band(pulses, bands=bands, reader=reader)


def _source(readers: Sequence[Reader]) -> str:
    first = readers[0].info.path.name
    return first if len(readers) == 1 else f"{first} and {len(readers) - 1} more"


def _draw(bands: RunBands, plane: Plane, path: Path, *, source: str) -> list[str]:
    """Draw one picture a channel; several channels get their number into the name."""
    from discrimen.labelling.band_picture import draw_bands

    drawn = []
    places = by_place(plane)
    for place, found in bands.channels.items():
        several = len(bands.channels) > 1
        target = path.with_stem(f"{path.stem}-b{place.board}c{place.channel}") if several else path
        with complete_or_absent(target) as part:
            draw_bands(found, chosen(plane, places[place]), part, title=f"{source}, {place}")
        drawn.append(str(target))
    return drawn


def _lines(found: BandLabels) -> list[str]:
    heads = ("energy", "pulses", "figure of merit", "gamma purity", "eff.", "neutron purity", "eff.")
    rows = [heads]
    for part in found.slices:
        merit = part.fit.merit
        rows.append(
            (
                f"{part.fit.low:.5g}-{part.fit.high:.5g}",
                str(part.fit.n_pulses),
                "bands merge" if merit is None else f"{merit.value:.3f} +- {merit.error:.3f}",
                *_cells(part.gamma),
                *_cells(part.neutron),
            )
        )
    widths = (15, 7, 15, 22, 5, 22, 5)
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]


def _cells(cut: ClassCut) -> tuple[str, str]:
    if not cut.labelled:
        return f"left out ({cut.purity:.4f})", "0"
    return f"{cut.purity:.4f} ({cut.purity_low:.4f}-{cut.purity_high:.4f})", f"{cut.efficiency:.3f}"
