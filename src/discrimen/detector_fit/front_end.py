"""Fit the front end of a known scintillator to mean pulses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.mean_pulse import MeanPulse, as_measured, wrong_by_phase
from discrimen.errors import require_module
from discrimen.simulation.digitizer import FrontEnd, Ringing
from discrimen.simulation.photosensor import PHOTOMULTIPLIER
from discrimen.simulation.scintillator import Decay, Scintillator

_BEFORE_NS = 60.0
_GOOD_ENOUGH = 0.5
"""Chi-square by degrees of freedom: the rest is less than what the model is trusted with."""
_PHASE_NS = 0.7
_CROSSING_PHASES = 32
_MOST_STEPS = 40
_LEAST_GAIN_PER_PARAMETER = 6.0
_WORST_ERROR = 0.002
"""The model is no better than this share of the peak, whatever the statistics."""

_MARGIN = 0.01
_BOUNDS = {
    "time_constant_ns": (0.3, 30.0),
    "sigma_ns": (0.1, 12.0),
    "ratio": (0.03, 0.97),
    "cosine": (-1.5, 1.5),
    "sine": (-1.5, 1.5),
    "decay_ns": (3.0, 80.0),
    "period_ns": (6.0, 60.0),
    "shift_ns": (-3.0, 3.0),
    "neutron_share": (0.0, 1.0),
    "gamma_tail": (0.3, 2.5),
    "neutron_tail": (0.3, 2.5),
}
_STARTS: dict[str, tuple[float, ...]] = {
    "time_constant_ns": (3.1,),
    "sigma_ns": (1.3,),
    "ratio": (0.4,),
    "cosine": (-0.4,),
    "sine": (-0.2,),
    "decay_ns": (20.0,),
    "period_ns": (13.0, 22.0, 40.0),
    "shift_ns": (0.0,),
    "neutron_share": (0.4,),
    "gamma_tail": (1.0,),
    "neutron_tail": (1.0,),
}
_RING = ("cosine", "sine", "decay_ns", "period_ns")
SHAPES: dict[str, tuple[str, ...]] = {
    "one pole": ("time_constant_ns", "sigma_ns"),
    "two poles": ("time_constant_ns", "sigma_ns", "ratio"),
    "one pole and ringing": ("time_constant_ns", "sigma_ns", *_RING),
    "two poles and ringing": ("time_constant_ns", "sigma_ns", "ratio", *_RING),
}
"""What a front end can be, the simple first: a Gaussian, one or two poles, and perhaps a damped oscillation."""

_KEPT = {"two poles and ringing": _RING}
"""What a kind of front end begins with, where a simpler one has it already."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Target:
    """What is fitted: mean pulses, and which classes are in them.

    Parameters
    ----------
    pulses : tuple of MeanPulse
        One of both classes together, or that of the gammas and that of the neutrons.
    light_kevee : float
        Typical light, which a neutron's tail depends on.
    """

    pulses: tuple[MeanPulse, ...]
    light_kevee: float

    @property
    def parted(self) -> bool:
        """Whether the classes are apart."""
        return len(self.pulses) == 2

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters beside those of the front end."""
        own = ("gamma_tail", "neutron_tail") if self.parted else ("neutron_share",)
        return (*(f"shift_ns {number}" for number in range(len(self.pulses))), *own)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShapeFit:
    """A front end fitted with one scintillator.

    Parameters
    ----------
    scintillator : Scintillator
        As it is known, without the fitted tails.
    shape : str
        A name in :data:`SHAPES`.
    values : dict of str to float
        The parameters.
    fitted : tuple of ndarray
        The model where each mean pulse is.
    chi2, n_degrees : float, int
        Against the errors of the mean pulses and 0.2 % of the peak.
    rms_residual : float
        Share of the peak.
    misfit : float
        What of it the errors of the mean pulses do not explain.
    """

    scintillator: Scintillator
    shape: str
    values: dict[str, float]
    fitted: tuple[NDArray[np.float64], ...]
    chi2: float
    n_degrees: int
    rms_residual: float
    misfit: float

    @property
    def chi2_per_degree(self) -> float:
        """Chi-square by its degrees of freedom."""
        return self.chi2 / self.n_degrees

    @property
    def at_limits(self) -> tuple[str, ...]:
        """Parameters of the ringing, or the slow end of the poles, where the fit ran into what is allowed."""
        found = []
        for name in (*_RING, "time_constant_ns", "sigma_ns"):
            low, high = _of(_BOUNDS, name)
            margin, value = _MARGIN * (high - low), self.values.get(name)
            fast = name not in _RING
            if value is not None and (value > high - margin or (value < low + margin and not fast)):
                found.append(name)
        return tuple(found)

    @property
    def front_end(self) -> FrontEnd:
        """What was fitted, for the simulator."""
        return front_end(self.values)

    @property
    def tails(self) -> tuple[float, float]:
        """Delayed share of gammas and neutrons, relative to what is known."""
        return self.values.get("gamma_tail", 1.0), self.values.get("neutron_tail", 1.0)


def front_end(values: dict[str, float]) -> FrontEnd:
    """Return the front end of some parameters; a ringing is relative to its period, a second pole to the first."""
    first, ring = values["time_constant_ns"], None
    if "period_ns" in values:
        scale = 1 / values["period_ns"]
        ring = Ringing(
            cosine_per_ns=values["cosine"] * scale,
            sine_per_ns=values["sine"] * scale,
            decay_ns=values["decay_ns"],
            period_ns=values["period_ns"],
        )
    second = first * values["ratio"] if "ratio" in values else None
    return FrontEnd(time_constant_ns=first, sigma_ns=values["sigma_ns"], ringing=ring, second_time_constant_ns=second)


def fit_shape(
    target: Target, scintillator: Scintillator, shape: str, *, start: dict[str, float] | None = None
) -> ShapeFit:
    """Fit one kind of front end with one scintillator.

    Parameters
    ----------
    target : Target
        What to fit.
    scintillator : Scintillator
        Its decay times and shares hold, its tails only where the classes are apart.
    shape : str
        A name in :data:`SHAPES`.
    start : dict of str to float, optional
        Where to begin, instead of the usual places.
    """
    names = (*SHAPES[shape], *target.names)
    places = [[start[name]] if start and name in start else list(_of(_STARTS, name)) for name in names]
    starts = [tuple(each[min(number, len(each) - 1)] for each in places) for number in range(max(map(len, places)))]
    model = _Model(target, scintillator, names)
    best = min((model.minimise(each) for each in starts), key=lambda result: float(result.cost))
    values = dict(zip(names, map(float, best.x), strict=True))
    fitted = model.fitted(best.x)
    residual = np.concatenate([have - pulse.value for have, pulse in zip(fitted, target.pulses, strict=True)])
    error = np.concatenate([pulse.error for pulse in target.pulses])
    return ShapeFit(
        scintillator=scintillator,
        shape=shape,
        values=values,
        fitted=fitted,
        chi2=2 * float(best.cost),
        n_degrees=max(len(residual) - len(names) - len(target.pulses), 1),
        rms_residual=float(np.sqrt((residual**2).mean())),
        misfit=float(np.sqrt(max((residual**2 - error**2).mean(), 0.0))),
    )


def best_shape(target: Target, scintillator: Scintillator) -> ShapeFit:
    """Fit every kind of front end; a less simple one must be better by more than its parameters alone would be."""
    best = fit_shape(target, scintillator, "one pole")
    for shape in list(SHAPES)[1:]:
        if best.chi2_per_degree < _GOOD_ENOUGH:
            break
        known = {name: value for name, value in best.values.items() if name in (*target.names, *_KEPT.get(shape, ()))}
        other = fit_shape(target, scintillator, shape, start=known)
        more = len(SHAPES[shape]) - len(SHAPES[best.shape])
        gain = _LEAST_GAIN_PER_PARAMETER * max(more, 1) * max(1.0, other.chi2_per_degree)
        if other.chi2 < best.chi2 - gain and not other.at_limits:
            best = other
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    target: Target
    scintillator: Scintillator
    names: tuple[str, ...]

    def minimise(self, start: Sequence[float]) -> Any:
        optimize = require_module("scipy.optimize", extra="simulation")
        low, high = (np.array([_of(_BOUNDS, name)[side] for name in self.names]) for side in (0, 1))
        inside = np.clip(start, low + 1e-3 * (high - low), high - 1e-3 * (high - low))
        return optimize.least_squares(
            self.residuals,
            inside,
            bounds=(low, high),
            x_scale=np.maximum(np.abs(inside), 0.2),
            max_nfev=_MOST_STEPS,
            ftol=1e-5,
            diff_step=2e-3,
        )

    def residuals(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = [
            (have - pulse.value) / _error(pulse)
            for have, pulse in zip(self.fitted(parameters), self.target.pulses, strict=True)
        ]
        return np.concatenate(parts)

    def fitted(self, parameters: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        values = dict(zip(self.names, map(float, parameters), strict=True))
        scintillator = self.scintillator.with_tails(values.get("gamma_tail", 1.0), values.get("neutron_tail", 1.0))
        filters, found = front_end(values), []
        for number, pulse in enumerate(self.target.pulses):
            moved = replace(pulse, places_ns=pulse.places_ns - values[f"shift_ns {number}"])
            shape = np.zeros(len(pulse.value))
            for decay_name, share in _classes(values, number):
                shares = _shares(scintillator, decay_name, self.target.light_kevee)
                shape += share * expected(filters, getattr(scintillator, decay_name), shares, like=moved)
            weight = 1 / _error(pulse) ** 2
            found.append(shape * float((weight * shape * pulse.value).sum() / (weight * shape**2).sum()))
        return tuple(found)


def expected(filters: FrontEnd, decay: Decay, shares: NDArray[np.float64], *, like: MeanPulse) -> NDArray[np.float64]:
    """Return what a mean pulse should be, relative to its prompt charge; shape (point,)."""
    phases = max(2, math.ceil(like.sample_period_ns / _PHASE_NS))
    stop_ns = float(like.places_ns.max()) + _BEFORE_NS
    return as_measured(_shape(filters, decay, shares, like.sample_period_ns / phases, stop_ns=stop_ns), phases, like)


def late_crossings(fit: ShapeFit, *, period_ns: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function from the phase of a crossing to what is wrong with it, both in samples, for a gamma pulse."""
    scintillator = fit.scintillator.with_tails(*fit.tails)
    step_ns = period_ns / _CROSSING_PHASES
    shape = _shape(fit.front_end, scintillator.gamma, scintillator.gamma_shares(), step_ns, stop_ns=_BEFORE_NS)
    found, late = wrong_by_phase(shape, _CROSSING_PHASES)
    return lambda phase: np.interp(phase, found, late, period=1.0)


def _shape(
    filters: FrontEnd, decay: Decay, shares: NDArray[np.float64], step_ns: float, *, stop_ns: float
) -> NDArray[np.float64]:
    """Return the mean pulse of a class on a fine grid; shape (point,)."""
    time = np.arange(-_BEFORE_NS, stop_ns, step_ns)
    sensor = PHOTOMULTIPLIER
    smear = float(np.hypot(sensor.single_electron_sigma_ns, sensor.transit_time_spread_ns))
    response = filters.response(extra_sigma_ns=smear)
    parts = [share * response.then_low_pass(tau).at(time) for tau, share in zip(decay.times_ns, shares, strict=True)]
    return np.asarray(np.sum(parts, axis=0))


def _classes(values: dict[str, float], number: int) -> tuple[tuple[str, float], ...]:
    if "neutron_share" in values:
        return (("gamma", 1 - values["neutron_share"]), ("neutron", values["neutron_share"]))
    return (("gamma", 1.0),) if number == 0 else (("neutron", 1.0),)


def _shares(scintillator: Scintillator, decay_name: str, light_kevee: float) -> NDArray[np.float64]:
    if decay_name == "gamma":
        return scintillator.gamma_shares()
    return np.asarray(scintillator.neutron_shares([light_kevee])[0])


def _error(pulse: MeanPulse) -> NDArray[np.float64]:
    return np.hypot(pulse.error, _WORST_ERROR)


def _of(table: Mapping[str, tuple[float, ...]], name: str) -> tuple[float, ...]:
    return table[name.split(" ")[0]]
