"""What ``discrimen classify`` says of a run, for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from discrimen.network.domain import OutsideTally
from discrimen.scoring.classification import Classification
from discrimen.scoring.discriminator import Discriminators
from discrimen.scoring.rates_text import rate_lines


def warning_lines(path: Path, done: Classification) -> Iterator[str]:
    """Say what a person should look at."""
    for line in done.report.left_out():
        yield f"{path}: {line}"
    for what in done.absent:
        yield f"{path}: no pulse of {what}"
    for name, tally in done.outside.items():
        yield from outside_lines(f"{path}, {name}" if name else path, tally)
    if done.without_psd is not None:
        yield f"{path}: no light and PSD beside the scores of some or all pulses: {done.without_psd}"


def outside_lines(where: Path | str, tally: OutsideTally) -> Iterator[str]:
    """Say how many pulses are unlike those that a model has seen, and in what."""
    if (warning := tally.warning()) is not None:
        yield f"WARNING: {where}: {warning}"
    elif tally.n_outside:
        yield f"{where}: {tally.told()}"
    if share := tally.share_seen_thinned():
        yield f"{where}: {share:.1%} of the pulses are so low that the model learnt from thinned pulses alone"


def summary_lines(
    path: Path, done: Classification, discriminators: Discriminators, picture: Path | None
) -> Iterator[str]:
    """Say what the run holds, what was left out and why, and how fast the pulses came."""
    drawn = "" if picture is None else f"; drawn: {picture}"
    yield (
        f"{path}: {done.n_neutron} neutrons and {done.n_gamma} gammas {_decided(discriminators)}; "
        f"{done.n_pulses_per_s:,.0f} pulses/s ({done.seconds:.2f} s); scores in {done.output}{drawn}"
    )
    left_out = {
        "of other channels": done.n_other_channels,
        "not scored: no pulse above the baseline, or its edge in the baseline window": done.n_not_scored,
        "a second pulse in the record": done.n_vetoed,
    }
    flagged = {
        "unlike the pulses of the training (column outside)": done.n_outside,
        "pile-up by the digitizer's flag": sum(each.n_told for each in done.tally.channels.values()),
    }
    yield from _table("left out of the counts", left_out, done.report.n_read)
    yield from _table("counted, but flagged", flagged, done.report.n_read)
    for line in rate_lines(done):
        yield f"  {line}"


def _decided(discriminators: Discriminators) -> str:
    """Say by which threshold, or that each model has its own."""
    thresholds = {name: each.threshold for name, each in discriminators.parts.items()}
    told = {str(each) for each in thresholds.values()}
    if len(told) == 1:
        return f"at a neutron score of {told.pop()}"
    names = sorted({each.name or "" for each in thresholds.values()})
    return f"by {len(thresholds)} models, each with its own threshold ({', '.join(names)})"


def _table(title: str, counts: dict[str, int], n_read: int) -> Iterator[str]:
    """Return a line for each cut that met a pulse."""
    rows = [(count, what) for what, count in counts.items() if count]
    if rows:
        yield f"  {title}, of {n_read} pulses read:"
    for count, what in rows:
        yield f"  {count:>9} {count / n_read:>8.3%}  {what}"
