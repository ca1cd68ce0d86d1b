"""What was found: for every model and distortion a curve of points; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from discrimen.evaluation import NotComputed
from discrimen.metrics import Auc, Leakage, Share
from discrimen.output.summary import Summarised
from discrimen.simulation.distortion import DISTORTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessPoint:
    """One model, one distortion, one size.

    Parameters
    ----------
    size : float
        In the unit of the distortion.
    leakage, efficiency : Share
        Shares of the gammas and of the neutrons that pass the threshold fixed on the undistorted pulses, with their
        score intervals: what happens if nobody notices.
    retuned : Leakage or NotComputed
        Leakage at the threshold chosen again on the distorted pulses: what calibrating again would leave.
    auc : Auc
        Area under the curve of the distorted pulses.
    n_unclassified : int
        Pulses without a score.
    """

    size: float
    leakage: Share
    efficiency: Share
    retuned: Leakage | NotComputed
    auc: Auc
    n_unclassified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessCurve:
    """One model against one distortion, sizes ascending, the undistorted pulses among them at size 0."""

    model: str
    distortion: str
    points: tuple[RobustnessPoint, ...]

    @property
    def undistorted(self) -> RobustnessPoint:
        """The point at size 0."""
        return next(point for point in self.points if point.size == 0)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Robustness(Summarised):
    """Curves of one or several models on the same distorted pulses.

    Parameters
    ----------
    models : mapping of str to mapping
        Name to backend, architecture and hash of each model.
    thresholds : mapping of str to float
        Name to the threshold that keeps the wished neutrons of the undistorted pulses.
    curves : tuple of RobustnessCurve
        Distortion by distortion, in each all models in their order.
    efficiency, confidence : float
        Wished share of the neutrons; of every interval.
    n_gamma, n_neutron : int
        Pulses judged.
    energy_kevee : str or None
        Range of light, None for all pulses.
    noise_adc : float
        Rms of the samples before the undistorted pulses.
    adc_range : str
        Where distorted samples were clipped.
    seed : int
        Of choice, noise and jitter.
    notes : tuple of str
        What a reader must know.
    created_utc : str
        When.
    software : mapping
        Versions.
    """

    models: Mapping[str, Mapping[str, Any]]
    thresholds: Mapping[str, float]
    curves: tuple[RobustnessCurve, ...]
    efficiency: float
    confidence: float
    n_gamma: int
    n_neutron: int
    energy_kevee: str | None
    noise_adc: float
    adc_range: str
    seed: int
    notes: tuple[str, ...]
    created_utc: str
    software: Mapping[str, str]

    @property
    def distortions(self) -> tuple[str, ...]:
        """Names of the distortions, in the order of the curves."""
        return tuple(dict.fromkeys(curve.distortion for curve in self.curves))

    def curve(self, model: str, distortion: str) -> RobustnessCurve:
        """Return one curve; KeyError where there is none."""
        for curve in self.curves:
            if (curve.model, curve.distortion) == (model, distortion):
                return curve
        raise KeyError((model, distortion))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        whole = asdict(self)
        whole["unit"] = {name: DISTORTIONS[name].unit or "share" for name in self.distortions}
        return whole
