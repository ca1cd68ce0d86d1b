"""What a model has seen of a data set: whole files, or single pulses by a small sketch kept with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics import Share, wilson_interval
from discrimen.output.provenance import waveform_digests
from discrimen.runs.dataset import Dataset

SKETCH_SIZE = 256
"""Digests of a sketch, 4 kB of text: if one training pulse in a hundred is seen again, 92 % of sketches tell."""


def sketch_of(samples: NDArray[Any]) -> str:
    """Return the lowest digests of the waveforms as text: a sample of them that does not depend on their order.

    The bottom-k sketch of Cohen and Kaplan (Proc. PODC 2007, 225): whatever other waveforms they are compared with,
    the lowest digests are a random sample of the different waveforms, always the same.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Of the training, validation too.
    """
    lowest = np.unique(waveform_digests(samples))[:SKETCH_SIZE]
    return lowest.astype(">u8").tobytes().hex()


def seen_in_training(provenance: Mapping[str, Any], samples: NDArray[Any]) -> Share | None:
    """Return the share of a model's training pulses that are among others, as its sketch shows it.

    Parameters
    ----------
    provenance : mapping
        Of the model.
    samples : ndarray, shape (pulse, sample)
        For example those of an evaluation.

    Returns
    -------
    Share or None
        With its 95 % interval; None for a model without a sketch.
    """
    sketch = provenance.get("pulses", {}).get("sketch")
    if not sketch:
        return None
    known = np.frombuffer(bytes.fromhex(sketch), dtype=">u8").astype(np.uint64)
    n_found = int(np.isin(known, waveform_digests(samples)).sum())
    return wilson_interval(n_found, len(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of a data set a model was made with.

    Parameters
    ----------
    in_training, in_calibration : tuple of str
        Files that it was trained on, and that its temperature and thresholds were chosen on.
    training_pulses : Share or None
        Share of its training pulses that are in the data set; None for a model without a sketch.
    """

    in_training: tuple[str, ...]
    in_calibration: tuple[str, ...]
    training_pulses: Share | None

    def warnings(self, *, model: str = "the model") -> list[str]:
        """Say what makes figures on this data set look better than they are."""
        told = []
        share = self.training_pulses
        if self.in_training:
            told.append(f"{model} was trained on {', '.join(self.in_training)}: these figures are too good")
        elif share is not None and share.n_counted:
            told.append(
                f"{share.value:.1%} of the pulses that {model} was trained on are among these "
                f"({share.low:.1%} to {share.high:.1%}): these figures are too good"
            )
        if self.in_calibration:
            told.append(
                f"temperature and thresholds of {model} were chosen on {', '.join(self.in_calibration)}: calibration "
                "and thresholds look better here than they are"
            )
        return told


def seen_of(provenance: Mapping[str, Any], dataset: Dataset) -> Seen:
    """Look up what a model has seen of a data set.

    Parameters
    ----------
    provenance : mapping
        Of the model.
    dataset : Dataset
        To judge it by.
    """
    return Seen(
        in_training=_among(provenance.get("files", []), dataset),
        in_calibration=_among(provenance.get("calibration", {}).get("files", []), dataset),
        training_pulses=seen_in_training(provenance, dataset.pulses.samples),
    )


def _among(known: list[Mapping[str, Any]], dataset: Dataset) -> tuple[str, ...]:
    hashes = {file["sha256"] for file in known}
    return tuple(str(file["name"]) for file in dataset.files if file["sha256"] in hashes)
