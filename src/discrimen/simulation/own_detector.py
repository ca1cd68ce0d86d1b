"""A detector of one's own: what takes the place of the scintillators and digitizers that are known by name."""

from __future__ import annotations

from dataclasses import dataclass

from discrimen.simulation.digitizer import Digitizer
from discrimen.simulation.scintillator import Scintillator
from discrimen.simulation.sources import LightSpectrum


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDetector:
    """One channel as it is, fitted to its pulses or described in a file.

    Parameters
    ----------
    name : str
        What it is called.
    scintillator : Scintillator
        A known one, its tails perhaps scaled.
    digitizer : Digitizer
        Front end, record, noise and gain.
    light : LightSpectrum
        Light of its pulses; the same for both classes.
    """

    name: str
    scintillator: Scintillator
    digitizer: Digitizer
    light: LightSpectrum
