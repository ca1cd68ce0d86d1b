"""The audit of hits: copies, positions on both sides of the split, channels that say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.duplicates import Copies, check_split, find_copies
from discrimen.audit.finding import Finding, Severity, ordered
from discrimen.errors import DataError
from discrimen.pulses.hits import Hits

_POSITION = ("x_mm", "y_mm", "z_mm")
_GRAVE_SHARE = 1e-3
_MOST_LOOKED_AT = 20_000


def audit_hits(hits: Hits, *, validation: NDArray[np.bool_], accept: bool = False) -> tuple[Finding, ...]:
    """Look for what spoils a training on hits.

    Parameters
    ----------
    hits : Hits
        All of them.
    validation : ndarray of bool, shape (hit,)
        Which judge the network.
    accept : bool
        Whether errors are told only.

    Raises
    ------
    DataError
        If there are errors, and they are not accepted.
    """
    copies = find_copies(hits.samples.reshape(len(hits), -1))
    findings = ordered(
        [
            *_copies(copies, len(hits)),
            *check_split(copies, validation),
            *_positions_on_both_sides(hits.columns, validation),
            *_silent_channels(hits),
        ]
    )
    errors = [finding for finding in findings if finding.severity == Severity.ERROR]
    if errors and not accept:
        told = "; ".join(f"{finding.check}: {finding.what} ({finding.how_many})" for finding in errors)
        raise DataError(
            f"the audit found {len(errors)} errors in the hits: {told}. Mend the data, or accept them (--accept)"
        )
    return findings


def _copies(copies: Copies, n_hits: int) -> list[Finding]:
    n_copies = len(copies.further)
    if not n_copies:
        return []
    return [
        Finding(
            check="duplicates",
            severity=Severity.ERROR if n_copies > _GRAVE_SHARE * n_hits else Severity.WARNING,
            what="hits have the same samples in all channels: a network is judged by what it was taught",
            how_many=f"{n_copies} copies among {n_hits} hits",
            where=f"for example hits {', '.join(map(str, copies.further[:5]))}",
            mend="remove the copies; noise of its own for each hit makes none",
            numbers={"n_copies": n_copies, "n_hits": n_hits},
        )
    ]


def _positions_on_both_sides(
    columns: Mapping[str, NDArray[np.float32]], validation: NDArray[np.bool_]
) -> list[Finding]:
    if not set(_POSITION) <= set(columns):
        return []
    places = np.stack([columns[name] for name in _POSITION], axis=1)
    known = np.isfinite(places).all(axis=1)
    _, group = np.unique(places[known], axis=0, return_inverse=True)
    judges = validation[known]
    taught = np.bincount(group[~judges], minlength=int(group.max(initial=-1)) + 1) > 0
    n_both = int(np.count_nonzero(judges & taught[group]))
    if not n_both:
        return []
    return [
        Finding(
            check="positions-across-split",
            severity=Severity.WARNING,
            what="the network is judged at positions that it is taught too: its errors between them may be larger",
            how_many=f"{n_both} of the {int(judges.sum())} hits that judge",
            where="hits of the same x, y and z",
            mend="judge by hits at positions of their own, in a file of their own",
            numbers={"n_on_both_sides": n_both, "n_validation": int(judges.sum())},
        )
    ]


def _silent_channels(hits: Hits) -> list[Finding]:
    some = slice(None, None, max(1, len(hits) // _MOST_LOOKED_AT))
    samples = hits.samples[some]
    varied = (samples != samples[:, :, :1]).any(axis=2)
    there = np.ones(varied.shape, np.bool_) if hits.present is None else hits.present[some]
    silent = [at for at in range(hits.n_channels) if there[:, at].any() and not varied[there[:, at], at].any()]
    if not silent:
        return []
    names: Sequence[str] = [hits.channels[at] if hits.channels else str(at) for at in silent]
    return [
        Finding(
            check="silent-channels",
            severity=Severity.WARNING,
            what="channels are there, but hold one value in each hit: a dead segment that is not marked as absent",
            how_many=f"{len(silent)} of {hits.n_channels} channels",
            where=", ".join(names),
            mend="mark them as absent (data set 'present'), so that the network is told",
            numbers={"channels": list(names)},
        )
    ]
