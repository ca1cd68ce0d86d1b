"""Noise with a spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def coloured(white: NDArray[np.float32], power: tuple[float, ...]) -> NDArray[np.float32]:
    """Give white noise a spectrum, its variance kept: each frequency is scaled by the root of its power.

    Parameters
    ----------
    white : ndarray of float32, shape (pulse, sample)
        Independent normal numbers.
    power : tuple of float
        Relative power at evenly spaced frequencies from 0 to half the sampling rate, linear in between; empty: white.

    Returns
    -------
    ndarray of float32, shape (pulse, sample)
    """
    if not power:
        return white
    n_samples = white.shape[1]
    frequencies = np.fft.rfftfreq(n_samples)
    shape = np.interp(frequencies, np.linspace(0, 0.5, len(power)), power)
    # Every frequency but the first and, in even lengths, the last stands for two of the whole spectrum.
    twice = np.where((frequencies == 0) | (frequencies == 0.5), 1, 2)
    shape /= (twice * shape).sum() / n_samples
    shaped = np.fft.rfft(white, axis=1) * np.sqrt(shape)
    return np.asarray(np.fft.irfft(shaped, n=n_samples, axis=1), dtype=np.float32)


def one_over_f(corner_mhz: float, *, sample_period_ns: float, n_samples: int) -> tuple[float, ...]:
    """Return the power of white noise with a 1/f part that is as strong as it at one frequency: 1 + corner/f.

    Below one period a record, which cannot tell it from its baseline, the power is level. White noise and 1/f noise are
    the parts of every amplifier's (Radeka, Ann. Rev. Nucl. Part. Sci. 38 (1988) 217).

    Parameters
    ----------
    corner_mhz : float
        Where the two are equal, in MHz.
    sample_period_ns : float
        Of the record, in ns.
    n_samples : int
        Of the record.

    Returns
    -------
    tuple of float
        As :func:`coloured` takes it.
    """
    frequencies_mhz = np.linspace(0, 500 / sample_period_ns, n_samples // 2 + 1)
    power = 1 + corner_mhz / np.maximum(frequencies_mhz, 1000 / (n_samples * sample_period_ns))
    return tuple(float(value) for value in power)
