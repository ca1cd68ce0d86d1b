"""``discrimen label --method source``: what it writes and prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.cli import common
from discrimen.cli.label_flow import print_lines, summary, where_written, write_labels
from discrimen.errors import SettingsError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.labelling.source import SourceLabels, SourceOptions, SourceSlice
from discrimen.labelling.source_run import find_run_sources

WIDEST_SLICE = 8.0
"""Highest over lowest energy. Co-60 against Cf-252 in one slice over a factor of 90: 0.69 for a true share of 0.50."""


def label_runs_by_source(
    gamma_runs: Sequence[Reader],
    mixed_runs: Sequence[Reader],
    output: Path | None,
    *,
    options: SourceOptions,
    seed: int,
) -> tuple[dict[str, Any], SourceLabels]:
    """Estimate the share of neutrons in a first pass, and write gamma runs and mixed runs in a second."""
    readers = [*gamma_runs, *mixed_runs]
    if any(isinstance(reader, ListModeReader) for reader in readers):
        raise SettingsError("labels by source are for training on waveforms; these files hold list mode")
    with common.progress("reading the shapes of the pulses", total=common.total_entries(readers)) as tick:
        found, labelled = find_run_sources(
            gamma_runs, mixed_runs, options=options, rng=np.random.default_rng(seed), on_progress=tick
        )
    result = summary("source", output, [run.labels for run in labelled], seed=seed)
    result["gamma_runs"] = [str(reader.info.path) for reader in gamma_runs]
    result["mixed_runs"] = [str(reader.info.path) for reader in mixed_runs]
    result["warnings"] = _warnings(found.slices)
    result["source"] = found.as_dict()
    write_labels(readers, output, labelled, result=result)
    for warning in result["warnings"]:
        common.log(f"WARNING {warning}")
    return result, found


def _warnings(slices: Sequence[SourceSlice]) -> list[str]:
    """Say where the shape of gammas cannot be taken as one: it changes with energy, and spectra differ between runs."""
    wide = [part for part in slices if part.energy_high > WIDEST_SLICE * part.energy_low]
    if not wide:
        return []
    return [
        f"{len(wide)} of {len(slices)} slices reach over more than a factor of {WIDEST_SLICE:g} in energy, for want of "
        "pulses: where the spectra of the runs differ, the share of neutrons there is off by more than its interval "
        "says; take more pulses, or a narrower --energy-range"
    ]


def print_source_labels(result: dict[str, Any], found: SourceLabels) -> None:
    """Print one line a slice, the share of neutrons, and what the labels are worth."""
    lines = [
        f"energy in {found.energy_unit}",
        *source_table(found.slices),
        *(f"{place}: no labels: {reason}" for place, reason in found.problems.items()),
        f"neutrons in the mixed runs: {found.neutron_share:.4f} "
        f"({found.neutron_share_low:.4f}-{found.neutron_share_high:.4f})",
        f"{result['n_gamma']} labelled gamma, {result['n_neutron']} labelled neutron, "
        f"{result['n_unknown']} thinned out or left out{where_written(result)}",
        f"{found.contamination:.1%} of the labels neutron are wrong: train corrects for that; never judge by them",
    ]
    print_lines(lines)


def source_table(slices: Sequence[SourceSlice]) -> list[str]:
    """Return the slices of all channels as a table."""
    heads = (
        ("", "", "pulses of", "", "sepa-", "neutrons", "kept", ""),
        ("channel", "energy", "gamma run", "mixed", "ration", "in mixed", "gamma", "mixed"),
    )
    rows = [
        (
            f"{part.board}/{part.channel}",
            common.span(part.energy_low, part.energy_high),
            str(part.n_gamma_run),
            str(part.n_mixed_run),
            f"{part.separation:.1f}",
            f"{'' if part.share_from == 'fit' else '*'}{part.neutron_share:.3f} "
            f"({part.neutron_share_low:.3f}-{part.neutron_share_high:.3f})",
            f"{part.keep_gamma_run:.2f}",
            f"{part.keep_mixed_run:.2f}",
        )
        for part in slices
    ]
    lines = common.aligned([*heads, *rows], gap=1)
    return [*lines, "* continued from slices where the classes part"] if any("*" in line for line in lines) else lines
