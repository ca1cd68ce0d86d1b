"""The ends of an ADC's range: pulses that reach one are cut off there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def at_rail(highest: NDArray[Any], lowest: NDArray[Any], *, adc_bits: int | None) -> NDArray[np.bool_] | None:
    """Say which pulses reach an end of the ADC's range.

    Parameters
    ----------
    highest, lowest : ndarray, shape (pulse,)
        Largest and smallest sample of each pulse, as digitised.
    adc_bits : int or None
        Bits of the ADC. If they are unknown, the lower end of unsigned samples is 0 all the same, and the upper end
        is left open. Where a sample is negative, the range lies around 0.

    Returns
    -------
    ndarray of bool, shape (pulse,), or None
        None where neither end is known: of floating-point samples, and of signed ones of unknown bits.
    """
    if highest.dtype.kind == "f" or (adc_bits is None and highest.dtype.kind != "u"):
        return None
    if adc_bits is None:
        return np.asarray(lowest <= 0)
    below_zero = 2 ** (adc_bits - 1) if (lowest < 0).any() else 0
    return np.asarray((lowest <= -below_zero) | (highest >= 2**adc_bits - 1 - below_zero))
