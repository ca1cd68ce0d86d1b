"""Duplicates: the same waveform more than once, within a file or in several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.blocks import file_of_pulse, listed
from discrimen.audit.finding import Finding, Severity
from discrimen.dataset import Dataset

_BLOCK_SAMPLES = 2**21
_GRAVE_SHARE = 1e-3
_SEED = 20_240_229


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
    digest = _digests(samples)
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
    file = file_of_pulse(dataset)
    names = [str(described["name"]) for described in dataset.files]
    further = copies.pulse != copies.original
    across = file[copies.pulse] != file[copies.original]
    within = further & ~across
    findings = []
    if within.any():
        findings.append(_within(copies, within, file, names, n_pulses=len(dataset.pulses)))
    if across.any():
        findings.append(_across(copies, across, file, names))
    label = dataset.pulses.column("label")
    contradicting = label[copies.pulse] != label[copies.original]
    if contradicting.any():
        findings.append(_contradicting(copies, contradicting, file, names))
    return findings


def _digests(samples: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a number for each waveform that equal ones share: a sum with odd random weights modulo 2**64."""
    rng = np.random.default_rng(_SEED)
    weights = rng.integers(2**63, size=samples.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    digest = np.empty(len(samples), dtype=np.uint64)
    length = max(1, _BLOCK_SAMPLES // samples.shape[1])
    for first in range(0, len(samples), length):
        part = samples[first : first + length]
        bits = np.ascontiguousarray(part).view(np.uint32) if part.dtype.kind == "f" else part
        digest[first : first + length] = bits.astype(np.uint64) @ weights
    return digest


def _within(
    copies: Copies, chosen: NDArray[np.bool_], file: NDArray[np.int64], names: list[str], *, n_pulses: int
) -> Finding:
    n_copies = int(chosen.sum())
    per_file = np.bincount(file[copies.pulse[chosen]], minlength=len(names))
    told = [f"{name}: {count}" for name, count in zip(names, per_file, strict=True) if count]
    return Finding(
        check="duplicates-within",
        severity=Severity.ERROR if n_copies > _GRAVE_SHARE * n_pulses else Severity.WARNING,
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


def _across(copies: Copies, chosen: NDArray[np.bool_], file: NDArray[np.int64], names: list[str]) -> Finding:
    pairs, count = np.unique(
        np.stack([file[copies.original[chosen]], file[copies.pulse[chosen]]]), axis=1, return_counts=True
    )
    told = [f"{names[a]} and {names[b]}: {n}" for (a, b), n in zip(pairs.T, count, strict=True)]
    return Finding(
        check="duplicates-across",
        severity=Severity.ERROR,
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
