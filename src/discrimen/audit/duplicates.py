"""Duplicates: the same waveform more than once, within a file or in several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.blocks import listed
from discrimen.audit.finding import Finding, Severity
from discrimen.output.provenance import waveform_digests
from discrimen.runs.dataset import Dataset, file_of_pulse

_GRAVE_SHARE = 1e-3
"""Of copies; a single one may be an accident, and hardly changes a figure."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Waveforms that occur more than once.

    Parameters
    ----------
    pulse : ndarray of int64, shape (copy,)
        Positions of all of them, originals too, ascending.
    original : ndarray of int64, shape (copy,)
        Position of the first pulse with the same samples.
    """

    pulse: NDArray[np.int64]
    original: NDArray[np.int64]

    @property
    def further(self) -> NDArray[np.int64]:
        """Positions of the copies without the originals."""
        is_copy: NDArray[np.bool_] = self.pulse != self.original
        return self.pulse[is_copy]


def find_copies(samples: NDArray[Any]) -> Copies:
    """Find equal waveforms; constant ones, which hold no pulse, do not count.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised.
    """
    digest = waveform_digests(samples)
    _, first, group, count = np.unique(digest, return_index=True, return_inverse=True, return_counts=True)
    pulse = np.flatnonzero(count[group] > 1)
    original = first[group[pulse]]
    # A digest may coincide by chance: the samples decide. A constant waveform is equal to its own first sample.
    equal = (samples[pulse] == samples[original]).all(axis=1)
    constant = (samples[pulse] == samples[pulse][:, :1]).all(axis=1)
    kept: NDArray[np.bool_] = equal & ~constant
    return Copies(pulse[kept], original[kept])


def check_duplicates(dataset: Dataset, copies: Copies) -> list[Finding]:
    """Check for copies within files, between files, and with contradicting labels."""
    if not len(copies.pulse):
        return []
    file = file_of_pulse(dataset.files)
    names = [str(described["name"]) for described in dataset.files]
    further = copies.pulse != copies.original
    across = file[copies.pulse] != file[copies.original]
    within = further & ~across
    findings = []
    if within.any():
        findings.append(_within(copies, within, file, names, n_pulses=len(dataset.pulses)))
    if across.any():
        findings.append(_across(copies, across, file, names, n_pulses=len(dataset.pulses)))
    label = dataset.pulses.column("label")
    contradicting = label[copies.pulse] != label[copies.original]
    if contradicting.any():
        findings.append(_contradicting(copies, contradicting, file, names))
    return findings


def check_split(copies: Copies, validation: NDArray[np.bool_]) -> list[Finding]:
    """Check for copies on both sides of the split into training and validation.

    Parameters
    ----------
    copies : Copies
        Of the data set.
    validation : ndarray of bool, shape (pulse,)
        Which pulses judge the network.
    """
    _, group = np.unique(copies.original, return_inverse=True)
    judges = validation[copies.pulse]
    n_judging = np.bincount(group, judges)
    on_both = (n_judging > 0) & (n_judging < np.bincount(group))
    chosen = judges & on_both[group]
    if not chosen.any():
        return []
    n_copies, n_validation = int(chosen.sum()), int(validation.sum())
    return [
        Finding(
            check="duplicates-across-split",
            severity=_severity(n_copies, n_validation),
            what="the network would be judged by waveforms that it is taught: the same ones lie on both sides of the "
            "split into training and validation",
            how_many=f"{n_copies} of the {n_validation} pulses that judge",
            where=f"for example pulses {', '.join(map(str, copies.pulse[chosen][:5]))}",
            mend="remove the copies",
            numbers={"n_copies": n_copies, "n_validation": n_validation},
        )
    ]


def check_against(dataset: Dataset, against: Dataset) -> list[Finding]:
    """Check for waveforms that another data set, for example the one to judge by, has too."""
    samples, others = dataset.pulses.samples, against.pulses.samples
    if samples.shape[1] != others.shape[1]:
        return [_of_other_length(dataset, against)]
    copy, original = shared_waveforms(others, samples)
    if not len(copy):
        return []
    files = [str(described["name"]) for described in against.files]
    per_file = np.bincount(file_of_pulse(against.files)[copy], minlength=len(files))
    told = [f"{name}: {n}" for name, n in zip(files, per_file, strict=True) if n]
    pairs = ", ".join(f"{a} and {b}" for a, b in zip(original[:3], copy[:3], strict=True))
    return [
        Finding(
            check="duplicates-against",
            severity=_severity(len(copy), len(others)),
            what="both data sets hold the same waveforms: a network trained on one has seen the answers of the other",
            how_many=f"{len(copy)} of the {len(others)} pulses to judge by",
            where=f"{listed(told)}; for example pulses {pairs}",
            mend="keep each event in one data set only",
            numbers={
                "n_copies": len(copy),
                "n_against": len(others),
                "files": [{"name": name, "n_copies": int(n)} for name, n in zip(files, per_file, strict=True)],
            },
        )
    ]


def shared_waveforms(samples: NDArray[Any], others: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the waveforms that others are equal to; constant ones do not count.

    Returns
    -------
    tuple of ndarray of int64, shape (shared waveform,)
        Positions among the first, ascending, and of an equal one among the others.
    """
    digests, known = waveform_digests(samples), waveform_digests(others)
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known, digests, sorter=order), len(known) - 1)
    pulse = np.flatnonzero(known[order[place]] == digests)
    other = order[place[pulse]]
    equal = (samples[pulse] == others[other]).all(axis=1)
    kept = equal & ~(samples[pulse] == samples[pulse][:, :1]).all(axis=1)
    return pulse[kept], other[kept]


def _of_other_length(dataset: Dataset, against: Dataset) -> Finding:
    lengths = dataset.pulses.n_samples, against.pulses.n_samples
    return Finding(
        check="records-of-other-length",
        severity=Severity.WARNING,
        what=f"the data sets have records of different length, {lengths[0]} and {lengths[1]} samples: copies cannot be "
        "found, and a network for one does not fit the other",
        how_many=f"{len(against.pulses)} pulses",
        where=listed([str(described["name"]) for described in against.files]),
        mend="take both with the same digitizer settings",
        numbers={"n_samples": lengths[0], "n_samples_against": lengths[1]},
    )


def _severity(n_copies: int, n_pulses: int) -> Severity:
    return Severity.ERROR if n_copies > _GRAVE_SHARE * n_pulses else Severity.WARNING


def _within(
    copies: Copies, chosen: NDArray[np.bool_], file: NDArray[np.int64], names: list[str], *, n_pulses: int
) -> Finding:
    n_copies = int(chosen.sum())
    per_file = np.bincount(file[copies.pulse[chosen]], minlength=len(names))
    told = [f"{name}: {count}" for name, count in zip(names, per_file, strict=True) if count]
    return Finding(
        check="duplicates-within",
        severity=_severity(n_copies, n_pulses),
        what="the same waveform occurs more than once in a file: a split by pulse trains on what it is judged by",
        how_many=f"{n_copies} copies of {len(np.unique(copies.original[chosen]))} waveforms among {n_pulses} pulses",
        where=f"{listed(told)}; {_examples(copies, chosen)}",
        mend="remove the copies; a file may have been joined to itself, or events been written twice",
        numbers={
            "n_copies": n_copies,
            "n_pulses": n_pulses,
            "files": [{"name": name, "n_copies": int(n)} for name, n in zip(names, per_file, strict=True)],
        },
    )


def _across(
    copies: Copies, chosen: NDArray[np.bool_], file: NDArray[np.int64], names: list[str], *, n_pulses: int
) -> Finding:
    pairs, count = np.unique(
        np.stack([file[copies.original[chosen]], file[copies.pulse[chosen]]]), axis=1, return_counts=True
    )
    told = [f"{names[a]} and {names[b]}: {n}" for (a, b), n in zip(pairs.T, count, strict=True)]
    return Finding(
        check="duplicates-across",
        severity=_severity(int(chosen.sum()), n_pulses),
        what="files share waveforms: a network trained on one and judged on the other has seen the answers",
        how_many=f"{int(chosen.sum())} copies",
        where=f"{listed(told)}; {_examples(copies, chosen)}",
        mend="keep each event in one file only",
        numbers={
            "n_copies": int(chosen.sum()),
            "pairs": [
                {"files": [names[a], names[b]], "n_copies": int(n)} for (a, b), n in zip(pairs.T, count, strict=True)
            ],
        },
    )


def _contradicting(copies: Copies, chosen: NDArray[np.bool_], file: NDArray[np.int64], names: list[str]) -> Finding:
    concerned = np.unique(file[copies.pulse[chosen]])
    return Finding(
        check="duplicates-contradict",
        severity=Severity.ERROR,
        what="the same waveform is called a gamma here and a neutron there",
        how_many=f"{int(chosen.sum())} copies",
        where=f"{listed([names[number] for number in concerned])}; {_examples(copies, chosen)}",
        mend="one of the labels is wrong: find out which source the event came from",
        numbers={"n_copies": int(chosen.sum())},
    )


def _examples(copies: Copies, chosen: NDArray[np.bool_]) -> str:
    pairs = zip(copies.original[chosen][:3], copies.pulse[chosen][:3], strict=True)
    return "for example pulses " + ", ".join(f"{original} and {pulse}" for original, pulse in pairs)
