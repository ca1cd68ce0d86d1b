"""How many labels of a data set in memory are wrong, as far as the data set or the record beside its files knows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from discrimen.labelling.contamination import (
    NAMES,
    check_contamination,
    labels_path,
    pooled_contamination,
    read_label_noise,
)
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset


def known_contamination(dataset: Dataset, *, soft: bool) -> dict[str, float] | None:
    """Return the share of wrong labels that a loss can be corrected for.

    Parameters
    ----------
    dataset : Dataset
        Labelled.
    soft : bool
        Whether soft labels are learned where there are any; they know already how sure each label is.

    Returns
    -------
    dict or None
        ``gamma`` and ``neutron``, see :func:`~discrimen.labelling.contamination.check_contamination`; None if no wrong
        label is known, or the faults are none that can be corrected for.

    Raises
    ------
    FormatError
        If the record beside a file cannot be read, or belongs to another data set.
    """
    if dataset.pulses.label is None or (soft and dataset.pulses.neutron_probability is not None):
        return None
    if dataset.contamination is not None:
        return check_contamination(dataset.contamination)
    noises = {path.name: read_label_noise(path) for path in dataset.labels_from if labels_path(path).is_file()}
    shares = []
    for file in dataset.files:
        noise = noises.get(str(file["name"]))
        shares.append(noise.contamination if noise is not None and noise.correctable else dict.fromkeys(NAMES, 0.0))
    pooled = pooled_contamination(shares, n_labelled(dataset))
    return check_contamination(pooled) if any(pooled.values()) else None


def n_labelled(dataset: Dataset) -> list[dict[str, int]]:
    """Return how many pulses of each file have which label."""
    ends = np.cumsum([0, *(int(file["n_pulses"]) for file in dataset.files)])
    labels = dataset.pulses.column("label")
    parts = [labels[first:last] for first, last in pairwise(ends)]
    return [{name: int((part == Label[name.upper()]).sum()) for name in NAMES} for part in parts]
