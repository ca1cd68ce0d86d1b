"""``discrimen label --method band``: what it writes, draws and prints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cli import common
from discrimen.cli.label_flow import drawn, lists_of, print_lines, summary, title_of, where_written, write_labels
from discrimen.formats.base import Reader
from discrimen.labelling.band import BandLabels, BandOptions
from discrimen.labelling.band_cuts import ClassCut
from discrimen.labelling.band_run import RunBands, find_run_bands, read_plane
from discrimen.labelling.in_order import InOrder
from discrimen.labelling.places import by_place, chosen, joined
from discrimen.labelling.plane import Plane
from discrimen.metrics import POOR_FIT_REMARK, FigureOfMerit


def label_runs_by_band(
    readers: Sequence[Reader],
    output: Path | None,
    *,
    options: BandOptions,
    plot: Path | None,
    seed: int,
    gamma_runs: Sequence[Reader] = (),
) -> tuple[dict[str, Any], RunBands]:
    """Find the bands in a first pass, draw them, and write the labels in a second.

    Waveform files become a data set, list-mode files a table of labels; the bands go beside either as JSON.
    """
    lists_of(readers)
    everything = [*readers, *gamma_runs]
    with common.progress("reading the charge-comparison plane", total=common.total_entries(everything)) as tick:
        planes, controls = ([read_plane(reader, on_progress=tick) for reader in runs] for runs in (readers, gamma_runs))
    rng = np.random.default_rng(seed)
    bands = find_run_bands(planes, options=options, rng=rng, gamma_planes=controls)
    found = [InOrder(bands.labels(plane), plane.light()) for plane in planes]
    result = summary("band", output, [run.labels for run in found], seed=seed)
    result["plots"] = [] if plot is None else _draw(bands, joined(planes), plot, source=title_of(readers))
    result["bands"] = bands.as_dict()
    result["gamma_runs"] = [str(reader.info.path) for reader in gamma_runs]
    write_labels(readers, output, found, result=result, inputs=gamma_runs)
    return result, bands


def print_bands(result: dict[str, Any], bands: RunBands) -> None:
    """Print one table a channel, and how many pulses have which label."""
    lines = []
    for place, found in bands.channels.items():
        evidence = found.evidence
        lines += [
            f"{place}, energy in {bands.energy_unit}",
            f"two species from {evidence.low:.5g} to {evidence.high:.5g}: a valley of {evidence.significance:.1f} "
            "standard deviations",
            f"in {evidence.n_slices} slices that one band of any shape cannot make",
            *_control_lines(found),
            *band_table(found),
        ]
    lines += [f"{place}: no labels: {reason}" for place, reason in bands.problems.items()]
    lines.append(
        f"{result['n_gamma']} gammas, {result['n_neutron']} neutrons and {result['n_unknown']} unknown"
        f"{where_written(result)}"
    )
    print_lines(lines)


def _draw(bands: RunBands, plane: Plane, path: Path, *, source: str) -> list[str]:
    """Draw one picture a channel; several channels get their number into the name."""
    from discrimen.labelling.band_picture import draw_bands

    pictures = []
    places = by_place(plane)
    for place, found in bands.channels.items():
        several = len(bands.channels) > 1
        target = path.with_stem(f"{path.stem}-b{place.board}c{place.channel}") if several else path
        draw = partial(draw_bands, found, chosen(plane, places[place]), title=f"{source}, {place}")
        pictures.append(drawn(target, draw))
    return pictures


def _control_lines(found: BandLabels) -> list[str]:
    if found.control is None:
        return []
    control = found.control
    return [
        f"without neutrons {control.n_gamma_run_above} of {control.n_gamma_run} pulses lie in the upper band, here "
        f"{control.n_mixed_above} of {control.n_mixed}: an excess of {control.excess:.1%}, "
        f"{control.significance:.1f} standard deviations"
    ]


def band_table(found: BandLabels) -> list[str]:
    """Return the slices of one channel as a table, and what its words mean."""
    heads = (
        ("", "", "figure", "   gamma", "", "", " neutron", "", ""),
        ("energy", "pulses", "of merit", "  purity", "from", "eff.", "  purity", "from", "eff."),
    )
    rows = [
        (
            common.span(part.fit.low, part.fit.high),
            str(part.fit.n_pulses),
            _merit_words(part.fit.merit),
            *_cells(part.gamma),
            *_cells(part.neutron),
        )
        for part in found.slices
    ]
    remarks = [f"from: lower end of the {found.options.confidence:.0%} interval; out: no such cut, left unknown"]
    if any(part.fit.merit is not None and part.fit.merit.misses for part in found.slices):
        remarks.append(POOR_FIT_REMARK)
    return [*common.aligned([*heads, *rows], gap=1), *remarks]


def _merit_words(merit: FigureOfMerit | None) -> str:
    # A blank for the star of the others, so that figures stand below each other.
    return "bands merge " if merit is None else f"{merit.value:.3f}±{merit.error:.3f}{merit.mark or ' '}"


def _cells(cut: ClassCut) -> tuple[str, str, str]:
    if not cut.labelled:
        return f"{cut.purity:.4f}", "out", "0"
    return f"{cut.purity:.4f}", f"{cut.purity_low:.4f}", f"{cut.efficiency:.3f}"
