"""Noise of the traces, and traces in which it is white and of unit size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

_LEAST_SHARE = 1e-3
"""Of the variance of a sample: no direction has less noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Noise of each channel; channels are taken to be independent.

    Parameters
    ----------
    covariance : ndarray of float64, shape (channel, sample, sample)
        Of the samples of a window, in the squared unit of the traces.

    Raises
    ------
    DataError
        If a matrix is no covariance.
    """

    covariance: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = self.covariance.shape
        if len(shape) != 3 or shape[1] != shape[2]:
            raise DataError(f"expected covariances of shape (channel, sample, sample), got {shape}")
        least = np.linalg.eigvalsh(self.covariance).min(axis=1)
        bad = np.flatnonzero(~(least > 0))
        if len(bad):
            raise DataError(f"channel {bad[0]}: its noise has an eigenvalue of {least[bad[0]]:g} , expected above 0")

    def window(self, start: int, stop: int) -> Noise:
        """Return the noise of some samples of the window."""
        return Noise(self.covariance[:, start:stop, start:stop])

    def whitened(self, traces: NDArray[np.floating], channels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Make the noise of traces white and of unit size.

        Parameters
        ----------
        traces : ndarray of float, shape (..., channel, sample)
            Only the channels named.
        channels : ndarray of int, shape (channel,)
            Which channels they are.

        Returns
        -------
        ndarray of float32, shape (..., channel * sample)
            Side by side.
        """
        roots = np.linalg.inv(np.linalg.cholesky(self.covariance[channels])).astype(np.float32)
        by_channel = np.moveaxis(traces.astype(np.float32), -2, 0).reshape(len(channels), -1, traces.shape[-1])
        white = np.matmul(by_channel, roots.transpose(0, 2, 1)).transpose(1, 0, 2)
        flat: NDArray[np.float32] = white.reshape(*traces.shape[:-2], -1)
        return flat


def white_noise(sigma: float | NDArray[np.floating], *, n_channels: int, n_samples: int) -> Noise:
    """Return noise of independent samples.

    Parameters
    ----------
    sigma : float or ndarray of float, shape (channel,)
        Standard deviation of a sample.
    n_channels, n_samples : int
        Of a window.
    """
    sigma = np.broadcast_to(np.asarray(sigma, dtype=np.float64), n_channels)
    return Noise(np.square(sigma)[:, None, None] * np.eye(n_samples))


def measured_noise(baselines: NDArray[np.floating], n_samples: int) -> Noise:
    """Measure the noise in stretches without a pulse, stationary in time.

    Parameters
    ----------
    baselines : ndarray of float, shape (hit, channel, sample)
        Stretches, longer than `n_samples` or as long.
    n_samples : int
        Of the windows that the noise is for; correlations over more samples than a stretch has count as none.

    Raises
    ------
    DataError
        If there are too few stretches, or a channel has no noise at all.
    """
    n_hits, n_channels, length = baselines.shape
    if n_hits * length < 20 * n_samples:
        raise DataError(f"{n_hits} stretches of {length} samples are too few for the noise of {n_samples}")
    centred = baselines - baselines.mean(axis=(0, 2), keepdims=True)
    n_lags = min(length, n_samples)
    lags = np.zeros((n_channels, n_samples))
    for lag in range(n_lags):
        lags[:, lag] = (centred[:, :, : length - lag] * centred[:, :, lag:]).mean(axis=(0, 2))
    silent = np.flatnonzero(~(lags[:, 0] > 0))
    if len(silent):
        raise DataError(f"channel {silent[0]} has no noise: is it dead?")
    apart = np.abs(np.subtract.outer(np.arange(n_samples), np.arange(n_samples)))
    values, vectors = np.linalg.eigh(lags[:, apart])
    # What was measured may be no covariance by a little.
    values = np.maximum(values, _LEAST_SHARE * lags[:, :1])
    return Noise(np.einsum("cij,cj,ckj->cik", vectors, values, vectors))
