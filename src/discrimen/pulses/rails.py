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
        is left open.

    Returns
    -------
    ndarray of bool, shape (pulse,), or None
        None where neither end is known: of floating-point samples, and of signed ones of unknown bits.
    """
    if highest.dtype.kind == "f" or (adc_bits is None and highest.dtype.kind != "u"):
        return None
    found = lowest <= 0
    return np.asarray(found if adc_bits is None else found | (highest >= 2**adc_bits - 1))
