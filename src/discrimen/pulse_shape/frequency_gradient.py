"""Frequency gradient analysis of G. Liu, M. J. Joyce et al., IEEE Trans. Nucl. Sci. 57 (2010) 1682.

The fall of the amplitude spectrum from frequency 0 to the first frequency of the discrete Fourier transform, of the
pulse over its height. Slow light is almost all at frequency 0, so a neutron's spectrum falls more. The length of the
transform, which sets the first frequency, is tuned, and so is whether the height is the peak or the area.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.pulse_shape.base import Merit, Waveforms, best_of, over, steps_up_to

Height = Literal["peak", "area"]
_FEWEST_SAMPLES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyGradient:
    """The tuned method.

    Parameters
    ----------
    length_samples : int
        Of the transform, from the start of the aligned waveform.
    height : {"peak", "area"}
        What the pulse is divided by.
    sample_period_ns : float
        Time between samples in ns.
    """

    length_samples: int
    height: Height
    sample_period_ns: float

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was tuned."""
        length_ns = self.length_samples * self.sample_period_ns
        return {"length_ns": length_ns, "first_frequency_mhz": 1e3 / length_ns, "height": self.height}

    def score(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Score aligned waveforms; see :class:`discrimen.pulse_shape.base.Method`."""
        return spectrum_fall(waveforms, length=self.length_samples)[self.height]


def tune_frequency_gradient(waveforms: Waveforms, *, sample_period_ns: float, merit: Merit) -> FrequencyGradient:
    """Choose length and height with the highest merit.

    Parameters
    ----------
    waveforms, sample_period_ns, merit
        As in :func:`~discrimen.pulse_shape.gatti.tune_gatti`.

    Raises
    ------
    DataError
        If the records have fewer than four samples.
    """

    def tried() -> Iterator[tuple[FrequencyGradient, NDArray[np.float64]]]:
        for length in steps_up_to(waveforms.shape[1], first=_FEWEST_SAMPLES):
            for height, fall in spectrum_fall(waveforms, length=length).items():
                yield FrequencyGradient(length_samples=length, height=height, sample_period_ns=sample_period_ns), fall

    return best_of(tried(), merit)


def spectrum_fall(waveforms: Waveforms, *, length: int) -> dict[Height, NDArray[np.float64]]:
    """Return |X(0)| - |X(1)| of the first `length` samples, over their peak and over their area.

    NaN where the pulse has no positive height.
    """
    part = waveforms[:, :length]
    angle = 2 * np.pi * np.arange(length) / length
    waves = np.stack([np.ones(length), np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    area, real, imaginary = (part @ waves).T.astype(np.float64)
    fall = np.abs(area) - np.hypot(real, imaginary)
    return {"peak": over(fall, part.max(axis=1)), "area": over(fall, area)}
