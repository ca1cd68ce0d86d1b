"""Whether a network has seen a pulse: a small sketch of its training pulses, kept with the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics import Share, wilson_interval
from discrimen.provenance import waveform_digests

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
