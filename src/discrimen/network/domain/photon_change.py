"""How much light the pulses of a training had for their height, and whether those of a run have as much.

No single pulse tells a gain or a light yield apart from another energy. But the variance by photoelectrons over the
signal (see :mod:`discrimen.network.domain.light_noise`) is gain over photoelectrons, whatever the spectrum of the
source: thousands of pulses tell it to a few percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.domain.light_noise import measure_light_noise
from discrimen.network.domain.photons import Photons, Tails
from discrimen.network.preparation import Preparation

TOLERATED = 1.3
"""The variance may be so many times larger or smaller: what the spectrum, pile-up and 30 % of gain do to it."""

SURE_SIGMAS = 4.0
"""Beyond that it must be by so many of its errors."""

_DECIMALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotonChange:
    """The variance by photoelectrons of a run beside that of the training.

    Parameters
    ----------
    variance_adc, error_adc : float
        Of the run, in ADC counts.
    ratio : float
        To the middle of what the training has seen.
    n_pulses : int
        Looked at.
    is_outside : bool
        Whether it is surely beyond what is tolerated.
    """

    variance_adc: float
    error_adc: float
    ratio: float
    n_pulses: int
    is_outside: bool

    def told(self) -> str:
        """Say in one line what differs and what to do."""
        return (
            f"the tails of {self.n_pulses} pulses fluctuate by photoelectrons {self.ratio:.3g} times as much for their "
            "height as those of the training: so many times larger is the gain (high voltage, amplifier), or so many "
            "times less light arrives for a height; set the gain back, adapt the model to this detector, or train on it"
        )


def learn_photons(
    groups: Sequence[NDArray[Any]], preparation: Preparation, *, gain_spread: float = 0.0
) -> Photons | None:
    """Learn how much light pulses have for their height.

    Parameters
    ----------
    groups : sequence of ndarray, shape (pulse, sample) or (pulse, 1, sample)
        Raw pulses of each channel.
    preparation : Preparation
        Of the model.
    gain_spread : float
        By what share the gain is varied in training.

    Returns
    -------
    Photons or None
        None where it cannot be told, see :func:`~discrimen.network.domain.light_noise.measure_light_noise`.
    """
    try:
        tails = measure_light_noise(np.concatenate(groups), preparation).tails
    except DataError:
        return None
    tails = Tails(start=tails.start, curves=np.round(tails.curves, _DECIMALS))
    found = []
    for samples in groups:
        try:
            found.append(measure_light_noise(samples, preparation, tails=tails).variance_adc)
        except DataError:  # too few pulses of this channel
            continue
    if not found:
        return None
    low, high = min(found) / TOLERATED * (1 - gain_spread), max(found) * TOLERATED * (1 + gain_spread)
    return Photons(
        variance_adc=(float(np.float32(low)), float(np.float32(high))),
        tail_start=tails.start,
        curves=tuple(tuple(map(float, curve)) for curve in tails.curves),
    )


def photon_change(samples: NDArray[Any], preparation: Preparation, photons: Photons) -> PhotonChange | None:
    """Compare a run with the training.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        Raw pulses of a run that are like those of the training one by one.
    preparation : Preparation
        Of the model.
    photons : Photons
        Of the training.

    Returns
    -------
    PhotonChange or None
        None where it cannot be told, for example for fewer than 500 pulses.
    """
    try:
        found = measure_light_noise(samples, preparation, tails=photons.tails)
    except DataError:
        return None
    (low, high), unsure = photons.variance_adc, SURE_SIGMAS * found.error_adc
    return PhotonChange(
        variance_adc=found.variance_adc,
        error_adc=found.error_adc,
        ratio=found.variance_adc / float(np.sqrt(low * high)),
        n_pulses=found.n_pulses,
        is_outside=not low - unsure <= found.variance_adc <= high + unsure,
    )
