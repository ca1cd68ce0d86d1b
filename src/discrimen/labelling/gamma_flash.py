"""The gamma flash: the sharp peak of photons from the source in a spectrum of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module

FEWEST_PULSES = 500
WIDEST_SIGMA_NS = 5.0
"""A peak wider than organic scintillators resolve is that of the neutrons."""

_BIN_NS = 0.25
_LEAST_SIGNIFICANCE = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaFlash:
    """A Gaussian on a flat ground.

    Parameters
    ----------
    time_ns, time_error_ns : float
        Its centre in raw time.
    sigma_ns : float
        Its width: the time resolution.
    n_pulses : float
        In it, above the ground.
    """

    time_ns: float
    time_error_ns: float
    sigma_ns: float
    n_pulses: float

    def low_ns(self, n_sigmas: float) -> float:
        """Return the raw time some widths before the centre."""
        return self.time_ns - n_sigmas * self.sigma_ns

    def high_ns(self, n_sigmas: float) -> float:
        """Return the raw time some widths behind the centre."""
        return self.time_ns + n_sigmas * self.sigma_ns


def find_gamma_flash(tof_ns: NDArray[np.float64]) -> GammaFlash:
    """Find the sharpest peak and fit it.

    Widths are tried from a fraction of a ns to some ns; the flash is the place with the largest excess over its
    surroundings, in standard deviations.

    Parameters
    ----------
    tof_ns : ndarray of float64, shape (pulse,)
        Raw times, finite.

    Raises
    ------
    DataError
        If there are too few pulses, or no peak stands out.
    """
    if len(tof_ns) < FEWEST_PULSES:
        raise DataError(f"{len(tof_ns)} pulses with a time of flight, at least {FEWEST_PULSES} are needed")
    low, high = np.quantile(tof_ns, [0.0005, 0.9995])
    edges = np.arange(low, high + _BIN_NS, _BIN_NS)
    counts = np.histogram(tof_ns, edges)[0].astype(np.float64)
    best = (0.0, 0, 1)
    for half in (1, 2, 4, 8, 16):
        if len(counts) < 10 * half:
            break
        core, around = _sliding(counts, half), _sliding(counts, 4 * half)
        ratio = (2 * half + 1) / (8 * half + 1 - (2 * half + 1))
        ground = np.maximum((around - core) * ratio, 1.0)
        significance = (core - ground) / np.sqrt(ground)
        significance[: 4 * half] = significance[-4 * half :] = 0.0
        at = int(significance.argmax())
        if significance[at] > best[0]:
            best = (float(significance[at]), at, half)
    if best[0] < _LEAST_SIGNIFICANCE:
        raise DataError(
            f"no gamma flash: the sharpest peak stands out by {best[0]:.1f} standard deviations, "
            f"{_LEAST_SIGNIFICANCE:g} are needed"
        )
    centre = float(edges[best[1]] + _BIN_NS / 2)
    return _fit(tof_ns, centre=centre, half_width_ns=(best[2] + 0.5) * _BIN_NS)


def _sliding(counts: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    return np.convolve(counts, np.ones(2 * half + 1), mode="same")


def _fit(tof_ns: NDArray[np.float64], *, centre: float, half_width_ns: float) -> GammaFlash:
    """Fit a Gaussian on a flat ground by the likelihood of the times around the peak."""
    optimize = require_module("scipy.optimize", extra="analysis")
    special = require_module("scipy.special", extra="analysis")
    reach = 6 * half_width_ns
    near = tof_ns[np.abs(tof_ns - centre) < reach] - centre

    def minus_log_likelihood(parameters: NDArray[np.float64]) -> float:
        mean, log_sigma, logit = parameters
        sigma, share = np.exp(log_sigma), special.expit(logit)
        inside = special.ndtr((reach - mean) / sigma) - special.ndtr((-reach - mean) / sigma)
        peak = np.exp(-0.5 * ((near - mean) / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma * max(inside, 1e-9))
        return -float(np.log(share * peak + (1 - share) / (2 * reach)).sum())

    found = optimize.minimize(
        minus_log_likelihood, [0.0, np.log(half_width_ns / 1.5), 1.0], method="Nelder-Mead", options={"maxiter": 2000}
    )
    mean, sigma, share = float(found.x[0]), float(np.exp(found.x[1])), float(special.expit(found.x[2]))
    n_pulses = share * len(near)
    if not found.success or abs(mean) > reach / 2 or not 0 < sigma < min(reach, WIDEST_SIGMA_NS):
        raise DataError(
            f"no gamma flash: the peak near {centre:.1f} ns is no narrow Gaussian (centre {centre + mean:.1f} ns, "
            f"sigma {sigma:.2f} ns)"
        )
    return GammaFlash(
        time_ns=centre + mean, time_error_ns=sigma / float(np.sqrt(n_pulses)), sigma_ns=sigma, n_pulses=n_pulses
    )
