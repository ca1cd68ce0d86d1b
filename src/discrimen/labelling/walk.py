"""Walk: small pulses cross a threshold later; the gamma flash, which has one true time, shows by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.labelling.band_fit import Curve, fit_curve
from discrimen.labelling.gamma_flash import GammaFlash, find_gamma_flash

_FEWEST_IN_SLICE, _MOST_SLICES = 100, 24
_REACH_SIGMAS = (4.0, 3.0, 3.0)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Walk:
    """How late pulses of each charge are.

    Parameters
    ----------
    curve : Curve
        Time of the flash in ns against the charge.
    charge_low, charge_high : float
        Where it was measured; beyond, its value at the edge holds.
    reference_ns : float
        Time of the flash without regard to charge: corrected times keep it.
    sigma_before_ns, sigma_after_ns : float
        Width of the flash.
    """

    curve: Curve
    charge_low: float
    charge_high: float
    reference_ns: float
    sigma_before_ns: float
    sigma_after_ns: float

    def corrected(self, tof_ns: NDArray[np.float64], charge: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return times as if all pulses were of one size; NaN where there is no charge."""
        inside = np.clip(charge, self.charge_low, self.charge_high)
        corrected: NDArray[np.float64] = tof_ns - self.curve(inside) + self.reference_ns
        return corrected


def find_walk(tof_ns: NDArray[np.float64], charge: NDArray[np.float64]) -> Walk | None:
    """Follow the gamma flash through slices of charge; None where that does not make it narrower.

    Parameters
    ----------
    tof_ns : ndarray of float64, shape (pulse,)
        Raw times of one channel; NaN is left out.
    charge : ndarray of float64, shape (pulse,)
        Or the height of the pulse; not positive ones are left out.

    Raises
    ------
    DataError
        If there is no flash.
    """
    known = np.isfinite(tof_ns) & (charge > 0)
    times, charges = tof_ns[known], charge[known]
    flash = find_gamma_flash(np.sort(times))
    reach_ns = [sigmas * flash.sigma_ns for sigmas in _REACH_SIGMAS]
    centre = np.full(len(times), flash.time_ns)
    found = None
    for reach in reach_ns:
        near = np.abs(times - centre) < reach
        found = _followed(times[near], charges[near])
        if found is None:
            return None
        curve, low, high = found
        centre = curve(np.clip(charges, low, high))
    assert found is not None
    curve, low, high = found
    after = find_gamma_flash(np.sort(times - centre + flash.time_ns))
    return _improved(flash, after, curve, low, high)


def _followed(times: NDArray[np.float64], charges: NDArray[np.float64]) -> tuple[Curve, float, float] | None:
    n_slices = min(_MOST_SLICES, len(times) // _FEWEST_IN_SLICE)
    if n_slices < 2:
        return None
    parts = np.array_split(np.argsort(charges), n_slices)
    at = np.array([np.exp(np.log(charges[part]).mean()) for part in parts])
    middle = np.array([np.median(times[part]) for part in parts])
    # The median of a Gaussian scatters by sqrt(pi / 2) more than its mean.
    error = np.array([1.2533 * times[part].std() / np.sqrt(len(part)) for part in parts])
    return fit_curve(at, middle, error), float(at[0]), float(at[-1])


def _improved(before: GammaFlash, after: GammaFlash, curve: Curve, low: float, high: float) -> Walk | None:
    if not after.sigma_ns < before.sigma_ns:
        return None
    return Walk(
        curve=curve,
        charge_low=low,
        charge_high=high,
        reference_ns=before.time_ns,
        sigma_before_ns=before.sigma_ns,
        sigma_after_ns=after.sigma_ns,
    )
