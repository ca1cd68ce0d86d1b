"""From raw samples to network input: pure array to array steps and the chain that composes them."""

from discrimen.network.prepare.arrangement import Arrangement, arranged, arrangement_for
from discrimen.network.prepare.chain import Prepared, Restoration, prepare, require_present, with_channels
from discrimen.network.prepare.choose import choose_preparation
from discrimen.network.prepare.height import heights_of
from discrimen.network.prepare.steps import constant_fraction_crossing, gather_window, subtract_baseline

__all__ = [
    "Arrangement",
    "Prepared",
    "Restoration",
    "arranged",
    "arrangement_for",
    "choose_preparation",
    "constant_fraction_crossing",
    "gather_window",
    "heights_of",
    "prepare",
    "require_present",
    "subtract_baseline",
    "with_channels",
]
