"""Simulated pulses with known truth, from the energy deposit to the digitizer's record.

energy deposit -> light -> scintillation decay -> photoelectrons -> charges -> front end -> sampling, noise, clipping.
"""

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.flight import Flight
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import (
    PileUp,
    SimulatedBlock,
    simulate,
    simulate_blocks,
    simulate_blocks_with_truth,
)
from discrimen.simulation.sources import SPECTRA

__all__ = [
    "DETECTORS",
    "DIGITIZERS",
    "SPECTRA",
    "Flight",
    "PileUp",
    "SimulatedBlock",
    "SimulationConfig",
    "detector_settings",
    "simulate",
    "simulate_blocks",
    "simulate_blocks_with_truth",
]
