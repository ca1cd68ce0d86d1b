"""What was found about the waveforms of a model; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.report import NotComputed
from discrimen.metrics import EnergyBin, Leakage
from discrimen.metrics.latents import Latents, Plane
from discrimen.metrics.waveform_residuals import Estimate
from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformRange:
    """Figures of one range of light, or of all pulses.

    Parameters
    ----------
    energy : EnergyBin or None
        None for all pulses.
    n_pulses : int
        Those judged.
    figures : mapping of str to Estimate, or NotComputed
        By the names of :data:`discrimen.metrics.waveform_residuals.FIGURES`.
    leakage_before, leakage_after : Leakage or NotComputed
        Of charge comparison at 95 % neutron efficiency, on what went in and on what came out.
    """

    energy: EnergyBin | None
    n_pulses: int
    figures: Mapping[str, Estimate] | NotComputed
    leakage_before: Leakage | NotComputed
    leakage_after: Leakage | NotComputed

    @property
    def name(self) -> str:
        """Its light in words."""
        return "all" if self.energy is None else str(self.energy)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ResidualShape:
    """Waveform minus reference, sample by sample over all pulses judged, in ADC counts.

    Parameters
    ----------
    mean_adc, rms_adc : ndarray of float64, shape (sample,)
        Of the residual.
    """

    mean_adc: NDArray[np.float64]
    rms_adc: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShownPulse:
    """A pulse to show: recorded, given, and its clean record where there is one; ADC counts above the baseline."""

    position: int
    class_name: str
    light_kevee: float | None
    residual_rms_adc: float
    recorded_adc: NDArray[np.float64]
    given_adc: NDArray[np.float64]
    clean_adc: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShownPlane:
    """Some pulses in a plane of latents, all arrays of shape (pulse,) or (pulse, 2)."""

    plane: Plane
    label: NDArray[np.int8] | None
    size: NDArray[np.float64]
    size_name: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class WaveformReport(Summarised):
    """A model judged by its waveforms.

    Parameters
    ----------
    model : mapping
        Its description and what computed it.
    files : tuple of mapping
        Judged on.
    reference : {"recorded", "clean"}
        What the waveforms are compared with.
    confidence : float
        Of every interval.
    energy_source : str or NotComputed
        Where the light comes from.
    n_pulses, n_unprepared, n_outside : int
        All pulses; those without a pulse above the baseline; those unlike the training, both left out.
    ranges : tuple of WaveformRange
        All pulses first, then each range of light.
    residual_shape : ResidualShape
        Sample by sample.
    sample_period_ns : float
        Between two samples.
    latents : Latents or None
        Of an auto-encoder.
    plane : ShownPlane or None
        Of an auto-encoder with two latents or more.
    pulses, worst : tuple of ShownPulse
        A gamma and a neutron at two sizes; those with the largest residual beside others of their light.
    notes : tuple of str
        What a reader must know.
    created_utc : str
        When.
    software : mapping
        Versions.
    """

    model: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]
    reference: str
    confidence: float
    energy_source: str | NotComputed
    n_pulses: int
    n_unprepared: int
    n_outside: int
    ranges: tuple[WaveformRange, ...]
    residual_shape: ResidualShape
    sample_period_ns: float
    latents: Latents | None
    plane: ShownPlane | None
    pulses: tuple[ShownPulse, ...]
    worst: tuple[ShownPulse, ...]
    notes: tuple[str, ...]
    created_utc: str
    software: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; the plane of latents is left to the picture."""
        names = ("model", "files", "reference", "confidence", "energy_source", "n_pulses", "n_unprepared", "n_outside")
        later = ("residual_shape", "pulses", "worst", "notes", "created_utc", "software")
        return {
            **{name: getattr(self, name) for name in names},
            "ranges": [{"name": part.name, **_of_range(part)} for part in self.ranges],
            "latents": None if self.latents is None else self.latents.as_dict(),
            **{name: getattr(self, name) for name in later},
        }


def _of_range(part: WaveformRange) -> dict[str, Any]:
    return {name: getattr(part, name) for name in ("energy", "n_pulses", "figures", "leakage_before", "leakage_after")}
