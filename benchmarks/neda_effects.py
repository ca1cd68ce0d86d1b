"""Physics of neutron detectors that the simulator leaves out, for `neda.py` to say what each does to the tables.

Every effect takes the place of one part of the pulse model; what it is stands beside it, docs/neda.md says whence its
numbers come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.photons import PhotonModel
from discrimen.simulation.photosensor import Photosensor, arrival_probabilities
from discrimen.simulation.pulse_model import PulseModel, build_pulse_model
from discrimen.simulation.scintillator import relative_tail
from neda_neutrons import Recoils

DELAYS_NS = np.arange(0.0, 21.0, 1.0)
"""Recoils of one neutron start at one of these times after its first; later ones at the last."""

Tail = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Proton energy in MeV -> delayed share of a neutron's light relative to that at 2 MeV."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What to add.

    Parameters
    ----------
    neutron_tail : callable
        In the place of the simulator's :func:`relative_tail`.
    recoils : Recoils or None
        Neutrons that scatter several times, on carbon too.
    gamma_with_neutron : float
        Share of neutrons with a gamma in the same cell, of a random share of the light.
    afterpulses : float
        Mean number for each photoelectron, evenly between 50 and 600 ns after the pulse.
    saturation_pe_per_ns : float
        Current of photoelectrons at which the photomultiplier gives half; infinite: linear.
    """

    neutron_tail: Tail = relative_tail
    recoils: Recoils | None = None
    gamma_with_neutron: float = 0.0
    afterpulses: float = 0.0
    saturation_pe_per_ns: float = np.inf


def model_with(config: SimulationConfig, effects: Effects) -> PulseModel:
    """Return the pulse model of a configuration with some effects in it."""
    model = build_pulse_model(config)
    photons = Photons(**{field.name: getattr(model.photons, field.name) for field in fields(PhotonModel)})
    photons.prepare(effects, model.sensor.transit_time_spread_ns, rng=np.random.default_rng(config.seed + 1_000_000))
    sensor: Photosensor = model.sensor
    if np.isfinite(effects.saturation_pe_per_ns):
        values = {field.name: getattr(sensor, field.name) for field in fields(Photosensor)}
        sensor = Saturated(**values)
        sensor.prepare(effects.saturation_pe_per_ns * np.diff(photons.edges_ns))
    return replace(model, photons=photons, sensor=sensor)


class Saturated(Photosensor):
    """A photomultiplier whose anode current I becomes I / (1 + I / I0), cell by cell."""

    def prepare(self, half_at: NDArray[np.float64]) -> None:
        object.__setattr__(self, "_half_at", half_at.astype(np.float32))

    def charges(self, counts: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.float32]:
        charges = Photosensor.charges(self, counts, rng=rng)
        return np.asarray(charges / (1 + charges / self._half_at), dtype=np.float32)


class Photons(PhotonModel):
    """Photoelectrons with effects; the log-likelihood ratio is left as it is without them."""

    def prepare(self, effects: Effects, transit_time_spread_ns: float, *, rng: np.random.Generator) -> None:
        set_ = object.__setattr__
        set_(self, "_effects", effects)
        set_(self, "_rng", rng)
        times = self.scintillator.neutron.times_ns
        late = [
            arrival_probabilities(self.edges_ns - delay, times, transit_time_spread_ns=transit_time_spread_ns)
            for delay in DELAYS_NS
        ]
        set_(self, "_late_cells", np.stack(late))
        inside = np.clip(np.minimum(self.edges_ns[1:], 600) - np.maximum(self.edges_ns[:-1], 50), 0, None)
        set_(self, "_afterpulse_shares", inside / 550.0)

    def draw(
        self, light_kevee: NDArray[np.float64], is_neutron: NDArray[np.bool_], *, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        effects, own = self._effects, self._rng
        gammas = self._gamma_density(light_kevee)
        neutrons = self._neutrons(light_kevee, own)
        if effects.gamma_with_neutron:
            with_gamma = own.random(len(light_kevee)) < effects.gamma_with_neutron
            share = np.where(with_gamma, own.random(len(light_kevee)), 0.0)[:, None]
            neutrons = (1 - share) * neutrons + share * gammas
        expected = np.where(is_neutron[:, None], neutrons, gammas)
        expected *= (self.scintillator.photoelectrons_per_kev * light_kevee)[:, None]
        counts = rng.poisson(expected)
        ratio = self.log_likelihood_ratio(light_kevee, counts)
        if effects.afterpulses:
            mean = effects.afterpulses * counts.sum(axis=1, keepdims=True) * self._afterpulse_shares
            counts = counts + own.poisson(mean)
        return counts, ratio

    def _neutrons(self, light_kevee: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        if self._effects.recoils is None:
            energy = self.scintillator.light_output.proton_energy_mev(light_kevee)
            return np.asarray(self._shares(energy) @ self.neutron_cells)
        found = self._effects.recoils.like(light_kevee, rng=rng)
        total = np.zeros((len(light_kevee), self.n_cells))
        for at in range(found.share.shape[1]):
            some = np.flatnonzero(found.share[:, at] > 0)
            if not len(some):
                break
            late = np.clip(np.rint(found.time_ns[some, at]), 0, DELAYS_NS[-1]).astype(np.int64)
            shares = self._shares(found.energy_mev[some, at]) * found.share[some, at, None]
            total[some] += np.einsum("pk,pkc->pc", shares, self._late_cells[late])
        return total

    def _shares(self, energy_mev: NDArray[np.float64]) -> NDArray[np.float64]:
        shares = self._effects.neutron_tail(energy_mev)[:, None] * self.scintillator.neutron.normalised_shares()
        shares[:, 0] = 1 - shares[:, 1:].sum(axis=1)
        return shares
