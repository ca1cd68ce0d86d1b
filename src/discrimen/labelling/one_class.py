"""Every pulse of a file is of one class: a gamma source alone, or a set selected beforehand."""

from __future__ import annotations

import numpy as np

from discrimen.pulses import Label, Pulses


def label_all(pulses: Pulses, *, label: Label) -> Pulses:
    """Give every pulse the same label.

    Parameters
    ----------
    pulses : Pulses
        Of a pure source.
    label : Label
        What they are.
    """
    return pulses.replace(label=np.full(len(pulses), label, np.int8))
