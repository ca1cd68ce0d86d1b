"""The front end on chip: baseline, trigger and window of a stream of ADC samples, in whole numbers.

One sample comes with each clock. This is the description that training, the test benches and the hardware share: the
hardware must give these windows bit for bit. With s[t] the sample, turned where pulses fall, N = 2**n_mean_log2 and
m[t] = floor((s[t - N + 1] + ... + s[t]) / N):

1. d[t] = s[t] - m[t - gap] is the height above the baseline of a little earlier.
2. The trigger *arms* at the first t with d[t - 1] < threshold_adc <= d[t]. The baseline b = m[t - gap] is kept from
   then on for the whole window.
3. The peak P is the highest s - b of the `peak_samples` samples from the one that armed.
4. The trigger sample t0 is the first of these with 16 (s - b) >= fraction_16 P: a constant fraction, which does not
   walk with the height of the pulse as a threshold does.
5. The window is s - b of the samples t0 - before ... t0 - before + length - 1. Until the last of them nothing arms
   again: this is the dead time.

Before the first sample the stream is taken to have been equal to it, and nothing arms within the first `settling`
samples. A window that the stream's end cuts off is not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.pulses.detector import PolarityName

_FRACTION_STEPS = 16


class Windows(NamedTuple):
    """What the front end hands to the network.

    Parameters
    ----------
    values : ndarray of int32, shape (window, sample)
        Counts above the baseline.
    trigger : ndarray of int64, shape (window,)
        The trigger sample t0 of each, counted from the beginning of the stream.
    baseline : ndarray of int32, shape (window,)
        What was subtracted, in counts of the turned samples.
    """

    values: NDArray[np.int32]
    trigger: NDArray[np.int64]
    baseline: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """Settings of the front end; the module says what each does.

    Parameters
    ----------
    adc_bits : int
        Width of a sample, 6 to 16.
    polarity : {"positive", "negative"}
        Falling pulses are turned: s = 2**adc_bits - 1 - x.
    n_mean_log2 : int
        The baseline is the mean of 2**n_mean_log2 samples.
    gap : int
        So many samples lie between the one that arms and the last of the mean; more than the leading edge takes.
    threshold_adc : int
        In counts above the baseline.
    fraction_16 : int
        Of the peak, in sixteenths.
    peak_samples : int
        The peak is sought in so many samples.
    before, length : int
        Samples of the window before t0, and in all.
    """

    adc_bits: int = 14
    polarity: PolarityName = "negative"
    n_mean_log2: int = 3
    gap: int = 16
    threshold_adc: int = 40
    fraction_16: int = 5
    peak_samples: int = 8
    before: int = 15
    length: int = 75

    def __post_init__(self) -> None:
        for name, low, high in (
            ("adc_bits", 6, 16),
            ("n_mean_log2", 0, 8),
            ("gap", 1, 1024),
            ("threshold_adc", 1, 2**self.adc_bits - 1),
            ("fraction_16", 1, _FRACTION_STEPS),
            ("peak_samples", 1, 64),
            ("before", 0, 1024),
            ("length", 1, 4096),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise SettingsError(
                    f"{name} of the front end must be a whole number from {low} to {high}, got {value!r}"
                )
        if self.polarity not in ("positive", "negative"):
            raise SettingsError(f"polarity must be positive or negative, got {self.polarity!r}")
        if self.length < self.before + self.peak_samples:
            raise SettingsError(
                f"a window of {self.length} samples ends before the peak is known: expected at least before + "
                f"peak_samples = {self.before + self.peak_samples}"
            )

    @property
    def n_mean(self) -> int:
        """Samples of the mean."""
        return 1 << self.n_mean_log2

    @property
    def highest_adc(self) -> int:
        """The upper rail."""
        return (1 << self.adc_bits) - 1

    @property
    def settling(self) -> int:
        """Samples from the stream's beginning during which nothing arms: mean, gap and window have no history yet."""
        return self.gap + self.n_mean + self.before

    @property
    def value_range(self) -> tuple[int, int]:
        """Lowest and highest value that a window can hold; adc_bits + 1 bits, signed."""
        return -self.highest_adc, self.highest_adc

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> FrontEnd:
        """Return the front end of :meth:`as_dict`.

        Raises
        ------
        SettingsError
            If a setting is missing, unknown or out of its range.
        """
        names = {field.name for field in fields(cls)}
        if set(described) != names:
            wrong = ", ".join(sorted(set(described) ^ names))
            raise SettingsError(f"the front end's description lacks or does not know: {wrong}")
        return cls(**described)

    def upright(self, stream: NDArray[Any]) -> NDArray[np.int32]:
        """Return the samples s, turned where pulses fall, shape (sample,).

        Raises
        ------
        DataError
            If the stream is no row of whole numbers, or one does not fit the ADC.
        """
        if stream.ndim != 1 or stream.dtype.kind not in "iu":
            raise DataError(
                f"expected a stream of whole numbers, shape (sample,), got {stream.dtype} of {stream.shape}"
            )
        if len(stream) and not (stream.min() >= 0 and stream.max() <= self.highest_adc):
            first = int(np.argmax((stream < 0) | (stream > self.highest_adc)))
            raise DataError(
                f"sample {first} of the stream is {stream[first]}, expected 0 to {self.highest_adc} "
                f"({self.adc_bits} bits)"
            )
        samples = stream.astype(np.int32)
        return np.subtract(self.highest_adc, samples, dtype=np.int32) if self.polarity == "negative" else samples

    def windows(self, stream: NDArray[Any], *, gate: NDArray[np.bool_] | None = None) -> Windows:
        """Compute the windows of a stream as the chip gives them.

        Parameters
        ----------
        stream : ndarray of int, shape (sample,)
            As digitised, one sample a clock.
        gate : ndarray of bool, shape (sample,), optional
            Where the trigger may arm, for streams put together of records; by default everywhere.

        Raises
        ------
        DataError
            If the stream is no row of whole numbers, or one does not fit the ADC.
        """
        samples = self.upright(stream)
        baseline = self._baselines(samples)
        armed = self._crossings(samples - baseline)
        armed = armed if gate is None else armed[gate[armed]]
        armed = armed[armed + self.peak_samples <= len(samples)]
        trigger = self._triggers(samples, baseline, armed)
        taken = self._taken(armed, trigger, n_samples=len(samples))
        armed, trigger = armed[taken], trigger[taken]
        places = trigger[:, None] - self.before + np.arange(self.length)
        values = samples[places] - baseline[armed][:, None]
        return Windows(values=values.astype(np.int32), trigger=trigger, baseline=baseline[armed])

    def _baselines(self, samples: NDArray[np.int32]) -> NDArray[np.int32]:
        """m[t - gap] of each sample; the mean of n samples before the first equals it."""
        if not len(samples):
            return samples
        sums = np.cumsum(np.concatenate([np.full(self.n_mean + self.gap, samples[0]), samples]), dtype=np.int64)
        means = (sums[self.n_mean :] - sums[: -self.n_mean]) >> self.n_mean_log2
        return means[: len(samples)].astype(np.int32)

    def _crossings(self, height: NDArray[np.int32]) -> NDArray[np.int64]:
        above = height >= self.threshold_adc
        crossing = np.flatnonzero(above[1:] & ~above[:-1]).astype(np.int64) + 1
        return crossing[crossing >= self.settling]

    def _triggers(
        self, samples: NDArray[np.int32], baseline: NDArray[np.int32], armed: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        height = samples[armed[:, None] + np.arange(self.peak_samples)] - baseline[armed][:, None]
        reached = _FRACTION_STEPS * height >= self.fraction_16 * height.max(axis=1, initial=0, keepdims=True)
        first: NDArray[np.int64] = reached.argmax(axis=1)
        return armed + first

    def _taken(self, armed: NDArray[np.int64], trigger: NDArray[np.int64], *, n_samples: int) -> list[int]:
        """Which crossings arm: those outside of the dead time of those before, with a whole window."""
        last = trigger - self.before + self.length - 1
        taken, free_from = [], 0
        for number, (arms, ends) in enumerate(zip(armed.tolist(), last.tolist(), strict=True)):
            if arms >= free_from and ends < n_samples:
                taken.append(number)
                free_from = ends + 1
        return taken
