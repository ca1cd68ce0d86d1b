"""What pulses a network sees in its training: the domain of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain import Domain, has_domain, learn_domain
from discrimen.network.domain.learn import MOST_PULSES
from discrimen.network.domain.light_noise import MOST_PULSES as MOST_PHOTONS
from discrimen.network.domain.measure import measure
from discrimen.network.domain.photon_change import learn_photons
from discrimen.network.domain.photons import Photons
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import Hits
from discrimen.training.epoch_feed import EpochFeed
from discrimen.training.examples import Examples
from discrimen.training.extension import LOW_QUANTILE

MOST_DISTORTED = 20_000
MOST_OF_MANY = 2000
"""Pulses of each of many channels that tell how much light they have."""


def seen_domain(
    pulses: Hits,
    parts: tuple[Examples, Examples],
    preparation: Preparation,
    *,
    feed: EpochFeed,
    adc_bits: int | None,
) -> Domain | None:
    """Learn the domain from the pulses that teach and judge, and from distorted ones if the network is taught these.

    Parameters
    ----------
    pulses : Hits
        All of them.
    parts : tuple of Examples
        Those that teach, and those that judge.
    preparation : Preparation
        Of the model.
    feed : EpochFeed
        What the network is taught.
    adc_bits : int or None
        Of the digitizer.

    Returns
    -------
    Domain or None
        See :func:`discrimen.network.domain.learn_domain`.
    """
    if not has_domain(preparation):
        return None
    seen = np.sort(np.concatenate([part.pulse for part in parts]))
    samples = pulses.samples[seen[:: max(1, -(-len(seen) // MOST_PULSES))], 0]
    real = samples
    if feed.augmentation is not None:
        rng = np.random.default_rng([feed.seed, 5])
        drawn = rng.integers(0, len(parts[0]), min(MOST_DISTORTED, len(parts[0])))
        samples = np.concatenate([samples, feed.augmentation.distorted(drawn, rng=rng)])
    # Tails of piled-up records fluctuate by the second pulse, not by light.
    photons = None if feed.renewal is not None else _photons(pulses, seen, preparation, feed=feed)
    domain = learn_domain(samples, preparation, adc_bits=adc_bits, photons=photons)
    if domain is None or feed.extension is None:
        return domain
    return replace(domain, thinned_below_adc=float(np.quantile(measure(real, preparation).height_adc, LOW_QUANTILE)))


def _photons(pulses: Hits, seen: NDArray[np.int64], preparation: Preparation, *, feed: EpochFeed) -> Photons | None:
    """Learn the light of each channel from its pulses as digitised; a gain that is varied in training widens it."""
    place = np.zeros(len(seen), dtype=np.int64)
    for name in ("board", "channel"):
        column = getattr(pulses.info, name)
        if column is not None:
            place = place * (int(column.max()) + 1) + column[seen]
    channels = np.unique(place)
    most = max(MOST_OF_MANY, MOST_PHOTONS // len(channels))
    groups = [
        pulses.samples[rows[:: max(1, -(-len(rows) // most))], 0] for rows in (seen[place == one] for one in channels)
    ]
    varied = {} if feed.augmentation is None else feed.augmentation.largest
    return learn_photons(groups, preparation, gain_spread=varied.get("gain", 0.0))
