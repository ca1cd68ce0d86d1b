"""A run without neutrons as a control: what it shows in the upper band too, no neutron made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

LEAST_SIGNIFICANCE = 5.0
LEAST_EXCESS = 0.5
"""Of the pulses in the upper band that the run without neutrons does not explain: with less, most are gammas."""

FEWEST_PULSES = 200
_BETWEEN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BandControl:
    """The upper band of a mixed run beside that of a run without neutrons, at the energies of the evidence.

    Parameters
    ----------
    n_gamma_run, n_gamma_run_above : int
        Pulses of the control, and those of them nearer to the upper band.
    n_mixed, n_mixed_above : int
        The same of the mixed run.
    excess : float
        Share of the pulses above that the control does not explain.
    significance : float
        Of the excess, in standard deviations.
    """

    n_gamma_run: int
    n_gamma_run_above: int
    n_mixed: int
    n_mixed_above: int
    excess: float
    significance: float


def compare_with_control(mixed_place: NDArray[np.float64], gamma_place: NDArray[np.float64]) -> BandControl:
    """Compare how many pulses lie in the upper band.

    Parameters
    ----------
    mixed_place, gamma_place : ndarray of float64, shape (pulse,)
        Places between the bands, 0 at the lower and 1 at the upper one, of pulses at energies where both show.

    Raises
    ------
    DataError
        If the control has too few pulses there, or the upper band as well.
    """
    if len(gamma_place) < FEWEST_PULSES:
        raise DataError(
            f"the gamma run has {len(gamma_place)} pulses at the energies where two bands show, at least "
            f"{FEWEST_PULSES} are needed to compare: take a longer one, or a source of higher energy"
        )
    above, control = int((mixed_place > _BETWEEN).sum()), int((gamma_place > _BETWEEN).sum())
    below, control_below = len(mixed_place) - above, max(1, len(gamma_place) - control)
    ratio = control / control_below
    expected = below * ratio
    of_control = expected**2 * (1 / max(control, 1) + 1 / control_below) + (below / control_below) ** 2
    error = float(np.sqrt(above + of_control))
    found = BandControl(
        n_gamma_run=len(gamma_place),
        n_gamma_run_above=control,
        n_mixed=len(mixed_place),
        n_mixed_above=above,
        excess=1 - expected / max(above, 1),
        significance=(above - expected) / error,
    )
    if found.excess < LEAST_EXCESS or found.significance < LEAST_SIGNIFICANCE:
        raise DataError(
            f"the run without neutrons shows the upper band as well: {control} of its {len(gamma_place)} pulses lie "
            f"there, {above} of {len(mixed_place)} in the mixed run, an excess of {max(0.0, found.excess):.0%} of them "
            f"by {found.significance:.1f} standard deviations ({LEAST_EXCESS:.0%} and {LEAST_SIGNIFICANCE:g} are "
            "needed): this band is not made of neutrons"
        )
    return found
