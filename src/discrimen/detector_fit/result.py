"""What a fit of a detector found, and what it could not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.front_end import ShapeFit, Target
from discrimen.detector_fit.noise import Noise
from discrimen.output.plain import plain
from discrimen.simulation.detector_file import DetectorFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number of a fit.

    Parameters
    ----------
    name, unit : str
        What it is; the unit is empty for a share.
    value : float
        What was found.
    error : float or None
        Its standard error; None where it has none to speak of (a number of bits), or none could be found.
    how : str
        From what, in a few words.
    """

    name: str
    value: float
    error: float | None
    unit: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """How well one known scintillator fits.

    Parameters
    ----------
    name, shape : str
        The scintillator and the kind of front end that goes with it best.
    chi2, n_degrees : float, int
        Of the mean pulses.
    rms_residual, misfit : float
        Share of the peak; the misfit is what the errors of the mean pulses do not explain.
    """

    name: str
    shape: str
    chi2: float
    n_degrees: int
    rms_residual: float
    misfit: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DetectorFit:
    """A detector as its run shows it.

    Parameters
    ----------
    file : DetectorFile
        For the simulator.
    sources : tuple of str
        The run files.
    n_pulses, n_clean : int
        Looked at, and used for the shape.
    quantities : tuple of Quantity
        What was fitted.
    candidates : tuple of Candidate
        The scintillators that were tried, the best first.
    warnings, not_fitted : tuple of str
        What is doubtful, and what this run cannot tell.
    target, shape : Target, ShapeFit
        Mean pulses and their fit, for pictures.
    noise : Noise
        With its spectrum.
    heights_adc, simulated_heights_adc : ndarray of float64, shape (pulse,)
        Of the run's clean pulses and of simulated ones.
    """

    file: DetectorFile
    sources: tuple[str, ...]
    n_pulses: int
    n_clean: int
    quantities: tuple[Quantity, ...]
    candidates: tuple[Candidate, ...]
    warnings: tuple[str, ...]
    not_fitted: tuple[str, ...]
    target: Target
    shape: ShapeFit
    noise: Noise
    heights_adc: NDArray[np.float64]
    simulated_heights_adc: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "sources": list(self.sources),
            "n_pulses": self.n_pulses,
            "n_clean": self.n_clean,
            "scintillator": self.file.simulation.scintillator,
            "front_end": self.shape.shape,
            "chi2": self.shape.chi2,
            "n_degrees": self.shape.n_degrees,
            "rms_residual": self.shape.rms_residual,
            "quantities": plain(self.quantities),
            "candidates": plain(self.candidates),
            "warnings": list(self.warnings),
            "not_fitted": list(self.not_fitted),
        }
