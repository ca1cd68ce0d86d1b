"""Which channels of a classified run are unlike the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.runs.inspection.odd import FEWEST_CHANNELS, compare
from discrimen.scoring.counts import Counted, RunTally


def odd_channels(tally: RunTally) -> list[str]:
    """Return one line for people for each channel whose share of neutrons, outsiders or pile-up is odd.

    Shares are compared as :func:`~discrimen.runs.inspection.odd.compare` does, each with its binomial error.
    """
    if len(tally.channels) < FEWEST_CHANNELS:
        return []
    places = sorted(tally.channels)
    channels = [tally.channels[place] for place in places]
    decided = np.array([each.counted[[Counted.GAMMA, Counted.NEUTRON]].sum() for each in channels])
    total = np.array([len(each) for each in channels])
    shares = {
        "share of neutrons": (np.array([each.counted[Counted.NEUTRON] for each in channels]), decided),
        "share unlike the training": (np.array([each.n_outside for each in channels]), total),
        "share of pile-up": (np.array([each.n_in_record for each in channels]), total),
    }
    lines = []
    for name, (marked, of) in shares.items():
        values = np.where(of > 0, marked / np.maximum(of, 1), np.nan)
        found = compare(name, values, errors=_errors(marked, of))
        lines += [
            f"{places[at]} is odd: {name} {found.values[at]:.3%}, the others {found.median:.3%} (up to "
            f"{found.reach[at]:.3%} off)"
            for at in np.flatnonzero(found.odd).tolist()
        ]
    return lines


def _errors(marked: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the binomial error of each share, by the share of all channels and no smaller than that of one pulse."""
    share = float(marked.sum() / max(1, of.sum()))
    error: NDArray[np.float64] = np.sqrt(np.maximum(share * (1 - share), 1 / np.maximum(of, 1)) / np.maximum(of, 1))
    return error
