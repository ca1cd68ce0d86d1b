"""What known faults do to the statistics of a channel, learnt by planting them, and which one explains a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.reconstruction.quality.look import Looked
from discrimen.reconstruction.quality.profile import Profile
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.faults import plant

UNKNOWN = "unknown"
OTHER_SPECTRUM = "other_spectrum"
OTHER_MIXTURE = "other_mixture"
EXPLAINED = 0.5
"""A fault is named if it explains so much of a change."""
ALSO_LIKELY = 1.5, 9.0
"""Another is named too if what it leaves is at most so many times as much, and chance: chi-square of three sigmas."""

MATCHED = ("adc_gain", "sensor_gain", "delay", "slope", "noise")
"""Faults that have a statistic of their own: the combination of all others that tells it soonest."""

_TONES = (0.01, 0.018, 0.03, 0.08, 0.13, 0.2, 0.3, 0.4, 0.47)
_LEAST_EIGENVALUE = 1e-4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Signature:
    """What one fault of one size does.

    Parameters
    ----------
    fault : str
        Its name in :data:`~discrimen.simulation.faults.FAULTS`, or a change that is no fault of the channel.
    size : float
        In the unit of the fault.
    shift : ndarray of float64, shape (statistic,)
        Of the mean of each statistic.
    """

    fault: str
    size: float
    shift: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {"fault": self.fault, "size": self.size, "shift": self.shift.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Signature:
        """Build from what :meth:`as_dict` returned."""
        return cls(fault=values["fault"], size=float(values["size"]), shift=np.array(values["shift"], float))


def planted_faults(period_ns: float, noise_adc: float) -> Iterator[tuple[str, float, dict[str, float]]]:
    """Yield name, size and options of what is planted into the reference, small sizes first."""
    for share in (-0.05, 0.05, -0.25, 0.25):
        yield "adc_gain", share, {}
    # Less gain alone: more of it would take the noise of the electronics along, which a sensor does not.
    for share in (-0.1, -0.3):
        yield "sensor_gain", share, {}
    for periods in (-0.2, 0.2, -1.0, 1.0):
        yield "delay", periods * period_ns, {}
    for noises in (-1.5, 1.5, -6.0, 6.0):
        yield "slope", noises * noise_adc, {}
    for noises in (-2.0, 2.0, -10.0, 10.0):
        yield "baseline", noises * noise_adc, {}
    for noises in (3.0, 12.0):
        yield "wander", noises * noise_adc, {}
    for share in (0.3, 1.0):
        yield "noise", share, {}
    for share in (0.03, 0.2):
        yield "pile_up", share, {}
    for noises in (1.0, 3.0):
        for tone in _TONES:
            yield "oscillation", noises * noise_adc, {"per_sample": tone}


def learn_signatures(
    samples: NDArray[Any],
    look_at: Callable[[NDArray[Any]], Looked],
    profile: Profile,
    digitisation: Digitisation,
    *,
    rng: np.random.Generator,
) -> tuple[Signature, ...]:
    """Plant every fault into good pulses and measure what becomes of the statistics.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw, of one channel.
    look_at : callable
        Measures raw samples and leaves out what is not usable.
    profile : Profile
        Of the channel.
    digitisation : Digitisation
        Of the records.
    rng : numpy.random.Generator
        Of what is planted.
    """
    # As floating-point numbers, so that nothing is rounded a second time.
    plain = samples.astype(np.float32)
    looked = look_at(plain)
    before = profile.statistics(looked)[0]
    mean = before.mean(axis=0)
    found = []
    for name, size, options in planted_faults(digitisation.sample_period_ns, digitisation.noise_adc(plain)):
        changed = look_at(plant(plain, name, size, digitisation, rng=rng, **options))
        if len(changed) > len(samples) / 2:
            shift = profile.statistics(changed)[0].mean(axis=0) - mean
            found.append(Signature(fault=name, size=size, shift=shift))
            if name == "sensor_gain":
                found.append(Signature(fault=name, size=-size, shift=-shift))
    return (*found, *_other_radiation(looked, before))


def _other_radiation(looked: Looked, statistics: NDArray[np.float64]) -> Iterator[Signature]:
    """Yield what other heights, and another share of pulses with a long tail, do: no fault of the channel."""
    height = np.log(looked.height_adc)
    signal = looked.signal_adc
    peak = int(signal.mean(axis=0).argmax())
    late = signal[:, peak + 3 :].sum(axis=1) / np.maximum(signal.sum(axis=1), 1e-9)
    late = np.clip(late, *np.quantile(late, [0.01, 0.99]))
    # At given height, so that the two do not mix.
    late = late - np.polyval(np.polyfit(height, late, 2), height)
    for name, quantity in ((OTHER_SPECTRUM, height), (OTHER_MIXTURE, late)):
        standard = (quantity - quantity.mean()) / max(float(quantity.std()), 1e-9)
        for size in (-0.5, 0.5):
            weight = np.exp(size * standard)
            yield Signature(
                fault=name, size=size, shift=np.average(statistics, axis=0, weights=weight) - statistics.mean(axis=0)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The most likely fault behind a change.

    Parameters
    ----------
    fault : str
        ``"unknown"`` if none explains half of the change.
    size : float or None
        Of it, roughly, in its unit.
    explained : float
        Share of the change that it explains.
    also : tuple of str
        Others that explain nearly as much.
    """

    fault: str
    size: float | None
    explained: float
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """Makes statistics independent of each other with a spread of 1.

    Parameters
    ----------
    matrix : ndarray of float64, shape (statistic, statistic)
        To multiply from the right.
    """

    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, covariance: NDArray[np.float64]) -> Whitening:
        """Invert a covariance, keeping combinations that hardly ever vary from deciding alone."""
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, _LEAST_EIGENVALUE * values.max())
        return cls(vectors / np.sqrt(values))


def most_likely(
    shift: NDArray[np.float64], n_pulses: int, signatures: Sequence[Signature], whitening: Whitening
) -> Named:
    """Return the fault that explains a shift of the means best: the largest share of its length, any size of it.

    Parameters
    ----------
    shift : ndarray of float64, shape (statistic,)
        Of the means of some pulses.
    n_pulses : int
        How many.
    signatures : sequence of Signature
        To choose among.
    whitening : Whitening
        Of the statistics.
    """
    change = shift @ whitening.matrix
    length = float(change @ change)
    best: dict[str, tuple[float, float]] = {}
    for signature in signatures:
        direction = signature.shift @ whitening.matrix
        along, own = float(change @ direction), float(direction @ direction)
        if along > 0 and own > 0 and length > 0:
            share, size = along**2 / own / length, signature.size * along / own
            if share > best.get(signature.fault, (0.0, 0.0))[0]:
                best[signature.fault] = (share, size)
    ranked = sorted(best, key=lambda name: -best[name][0])
    if not ranked or best[ranked[0]][0] < EXPLAINED:
        return Named(fault=UNKNOWN, size=None, explained=best[ranked[0]][0] if ranked else 0.0)
    share, size = best[ranked[0]]
    times, chance = ALSO_LIKELY
    most_left = times * (1 - share) + chance / (n_pulses * length)
    also = tuple(name for name in ranked[1:] if 1 - best[name][0] <= most_left)
    return Named(fault=ranked[0], size=size, explained=share, also=also)


def matched_weights(signatures: Sequence[Signature], whitening: Whitening) -> dict[str, NDArray[np.float64]]:
    """Return by fault the weights of the combination of statistics that tells it soonest, spread 1."""
    found: dict[str, NDArray[np.float64]] = {}
    for signature in signatures:
        if signature.fault in MATCHED and signature.fault not in found:
            direction = signature.shift @ whitening.matrix
            length = float(np.linalg.norm(direction))
            if length > 0:
                found[signature.fault] = whitening.matrix @ direction / length
    return found
