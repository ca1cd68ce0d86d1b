"""How many pulses of a run lie outside of a domain, and in what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain.differences import difference_of
from discrimen.network.domain.domain import Domain, Outside
from discrimen.network.domain.measure import measure
from discrimen.network.domain.photon_change import PhotonChange, photon_change
from discrimen.network.preparation import Preparation

MOST_EXAMPLES = 256
MOST_LIKE = 8192
"""Pulses that are compared with the training all together."""

SURE = 0.01
"""A run is refused where so large a share outside would come about by chance no more often than this."""

LEAST_TOLD = 0.05
"""Reasons of a smaller share of the pulses outside are not told."""


def exceeds(n_outside: int, n_pulses: int, allowed: float) -> bool:
    """Tell whether a share outside is surely above the share that is allowed.

    A small run may be above by chance: the chance of so many outside, if the share were the allowed one, is at most
    exp(-n D), with D the relative entropy of the two shares (H. Chernoff, Ann. Math. Stat. 23 (1952) 493).

    Parameters
    ----------
    n_outside, n_pulses : int
        Pulses outside, and all.
    allowed : float
        Share, from 0 to 1.
    """
    share = n_outside / n_pulses if n_pulses else 0.0
    if share <= allowed:
        return False
    if allowed == 0:
        return True
    entropy = share * math.log(share / allowed)
    if share < 1:
        entropy += (1 - share) * math.log((1 - share) / (1 - allowed))
    return n_pulses * entropy >= -math.log(SURE) * (1 - 1e-12)


TOLD_FIRST = (
    Outside.UNPREPARED,
    Outside.EDGE_IN_BASELINE,
    Outside.CLIPPED,
    Outside.TOO_LOW,
    Outside.TOO_HIGH,
    Outside.EDGE,
    Outside.BASELINE_NOISE,
    Outside.SHAPE,
)
"""Of the reasons of a pulse the first one is told: it brings the others along."""


class OutsideTally:
    """Counts pulses outside by reason, chunk by chunk, and keeps a few of them to say what differs.

    Parameters
    ----------
    domain : Domain
        Of the model.
    preparation : Preparation
        Of the model.
    """

    def __init__(self, domain: Domain, preparation: Preparation) -> None:
        self._domain, self._preparation = domain, preparation
        self._counts = dict.fromkeys(Outside, 0)
        self._first = dict.fromkeys(Outside, 0)
        self._examples: dict[Outside, list[NDArray[Any]]] = {reason: [] for reason in Outside}
        self._like: list[NDArray[Any]] = []
        self._n_like = self._compared = 0
        self._change: PhotonChange | None = None
        self.n_pulses = 0
        self.n_outside = 0

    def add(self, samples: NDArray[Any], flags: NDArray[np.uint16]) -> None:
        """Count pulses, of shape (pulse, sample), with their flags."""
        self.n_pulses += len(flags)
        self.n_outside += int(np.count_nonzero(flags))
        self._keep_some(samples, flags)
        untold = flags != 0
        for reason in TOLD_FIRST:
            has_it = (flags & reason) != 0
            there = np.flatnonzero(has_it & untold)
            untold &= ~has_it
            self._counts[reason] += int(np.count_nonzero(has_it))
            self._first[reason] += len(there)
            missing = MOST_EXAMPLES - sum(map(len, self._examples[reason]))
            if len(there) and missing > 0:
                self._examples[reason].append(np.array(samples[there[:missing]]))

    def _keep_some(self, samples: NDArray[Any], flags: NDArray[np.uint16]) -> None:
        missing = MOST_LIKE - self._n_like
        asked = self._domain.photons is not None or self._domain.thinned_below_adc is not None
        if asked and missing > 0:
            like = np.flatnonzero(flags == 0)[:missing]
            self._like.append(np.array(samples[like]))
            self._n_like += len(like)

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that was counted and kept, for :meth:`add_arrays` of the tally of the whole run."""
        counts = [self.n_pulses, self.n_outside, *self._counts.values(), *self._first.values()]
        arrays = {"counts": np.array(counts, np.int64)}
        arrays |= {f"example_{reason.name}": _together(some) for reason, some in self._examples.items() if some}
        return arrays | ({"like": _together(self._like)} if self._like else {})

    def add_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Count what the tally of the next part of the run has counted."""
        n_pulses, n_outside, *rest = arrays["counts"].tolist()
        self.n_pulses += n_pulses
        self.n_outside += n_outside
        for number, reason in enumerate(self._counts):
            self._counts[reason] += rest[number]
            self._first[reason] += rest[len(self._counts) + number]
            some = arrays.get(f"example_{reason.name}", np.empty((0, 1)))
            missing = MOST_EXAMPLES - sum(map(len, self._examples[reason]))
            if len(some) and missing > 0:
                self._examples[reason].append(some[:missing])
        missing = MOST_LIKE - self._n_like
        if "like" in arrays and missing > 0:
            self._like.append(arrays["like"][:missing])
            self._n_like += len(self._like[-1])

    def photon_change(self) -> PhotonChange | None:
        """Compare the light that pulses have for their height with that of the training; None where it is not known.

        Pulses that are outside are left out. A change of gain or of the yield of light shows here, and in no single
        pulse; the spectrum of the source does not matter.
        """
        if self._domain.photons is None or not self._n_like:
            return None
        if self._compared == self._n_like:
            return self._change
        self._change = photon_change(_together(self._like), self._preparation, self._domain.photons)
        self._compared = self._n_like
        return self._change

    def share_seen_thinned(self) -> float | None:
        """Return the share of pulses so low that the model has seen only thinned ones there; None if it saw none."""
        if self._domain.thinned_below_adc is None or not self._n_like:
            return None
        heights = measure(_together(self._like), self._preparation).height_adc
        return float((heights < self._domain.thinned_below_adc).mean())

    @property
    def share(self) -> float:
        """Share of the pulses that lie outside; 0 without pulses."""
        return self.n_outside / self.n_pulses if self.n_pulses else 0.0

    def counts(self) -> Mapping[str, int]:
        """Return how many pulses are outside in what, by name; a pulse may be in several."""
        return {reason.name.lower(): count for reason, count in self._counts.items() if reason.name}

    def reasons(self) -> tuple[str, ...]:
        """Say what differs, and what to do about it, the most frequent reason first; each pulse counts once."""
        told = [reason for reason in TOLD_FIRST if self._first[reason] > LEAST_TOLD * self.n_outside]
        return tuple(
            f"{self._first[reason] / self.n_pulses:.2%} "
            f"{difference_of(reason, _together(self._examples[reason]), self._domain, self._preparation)}"
            for reason in sorted(told, key=lambda each: -self._first[each])
        )

    @property
    def expected(self) -> float:
        """Share of pulses like those of the training that would lie outside, at most: two sides of four quantities."""
        return 8 * self._domain.false_alarms

    def told(self) -> str:
        """Say in one line how many pulses are outside, and in what."""
        return (
            f"{self.n_outside} of {self.n_pulses} pulses ({self.share:.2%}) are unlike those that the model was "
            f"trained on: {'; '.join(self.reasons())}"
        )

    def warning(self) -> str | None:
        """Say what is unlike the training, in single pulses or in all together, if that is more than chance."""
        change = self.photon_change()
        told = [self.told()] if exceeds(self.n_outside, self.n_pulses, self.expected) else []
        told += [change.told()] if change is not None and change.is_outside else []
        return "; ".join(told) or None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        change = self.photon_change()
        return {
            "n_pulses": self.n_pulses,
            "n_outside": self.n_outside,
            "share": self.share,
            "by_reason": dict(self.counts()),
            "reasons": list(self.reasons()),
            "photons": None if change is None else asdict(change),
            "share_seen_thinned": self.share_seen_thinned(),
            "warning": self.warning(),
        }


def _together(records: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return records as one array, cut to the shortest."""
    shortest = min(part.shape[-1] for part in records)
    return np.concatenate([part[..., :shortest] for part in records])
