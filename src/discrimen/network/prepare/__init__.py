"""From raw samples to network input: pure array to array steps and the chain that composes them."""

from discrimen.network.prepare.chain import Prepared, prepare
from discrimen.network.prepare.choose import choose_preparation
from discrimen.network.prepare.steps import constant_fraction_crossing, gather_window, subtract_baseline

__all__ = [
    "Prepared",
    "choose_preparation",
    "constant_fraction_crossing",
    "gather_window",
    "prepare",
    "subtract_baseline",
]
