"""Scintillators: light output of protons, decay components and their dependence on particle and energy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from discrimen.errors import SettingsError

_PROTON_ENERGY_MEV = np.geomspace(0.02, 60.0, 4000)

WELDON_PROTON_ENERGY_MEV = (0.57, 1.33, 2.0, 4.5, 6.65, 10.0)
WELDON_TAIL_FRACTION = (0.371, 0.418, 0.402, 0.355, 0.330, 0.304)
"""Mean tail fraction of neutrons in stilbene against proton energy (Weldon et al.)."""

REFERENCE_PROTON_ENERGY_MEV = 2.0
"""The neutron intensities of each material are those at this proton energy."""

REFERENCE_ELECTRON_KEVEE = 300.0
"""The gamma intensities of each material are those of electrons of at least this light."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LightOutput:
    """Light of a stopping proton: L = a E - b (1 - exp(-c E**d)), L in MeVee, E in MeV."""

    a: float
    b: float
    c: float
    d: float

    def light_kevee(self, proton_energy_mev: ArrayLike) -> NDArray[np.float64]:
        """Return the light in keVee for proton energies in MeV; same shape."""
        energy = np.asarray(proton_energy_mev, dtype=np.float64)
        light: NDArray[np.float64] = 1000 * (self.a * energy + self.b * np.expm1(-self.c * energy**self.d))
        return light

    def proton_energy_mev(self, light_kevee: ArrayLike) -> NDArray[np.float64]:
        """Return the proton energy in MeV that gives this light in keVee; same shape.

        Raises
        ------
        SettingsError
            If the light lies outside what protons up to 60 MeV give where the function rises.
        """
        energy, light = self._rising_branch()
        wanted = np.asarray(light_kevee, dtype=np.float64)
        if wanted.size and (wanted.min() < light[0] or wanted.max() > light[-1]):
            raise SettingsError(
                f"proton light must lie within {light[0]:.3g}..{light[-1]:.4g} keVee, "
                f"got {wanted.min():.3g}..{wanted.max():.4g}; change energy_min_kevee or energy_max_kevee"
            )
        return np.asarray(np.interp(wanted, light, energy))

    def _rising_branch(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        light = self.light_kevee(_PROTON_ENERGY_MEV)
        # Below about 0.1 MeV the parametrisations turn over or go negative; they were not fitted there.
        bad = np.flatnonzero((np.diff(light) <= 0) | (light[1:] <= 0))
        first = int(bad[-1]) + 2 if len(bad) else 0
        return _PROTON_ENERGY_MEV[first:], light[first:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """Decay components of scintillation light, the prompt one first.

    Parameters
    ----------
    times_ns : tuple of float
        Decay constants in ns.
    shares : tuple of float
        Share of the light in each component; scaled to sum to one.
    """

    times_ns: tuple[float, ...]
    shares: tuple[float, ...]

    def normalised_shares(self) -> NDArray[np.float64]:
        """Return the shares, summing to one; shape (component,)."""
        values: NDArray[np.float64] = np.array(self.shares, dtype=np.float64)
        values /= values.sum()
        return values

    def with_tail(self, factor: float) -> Decay:
        """Return this decay with the share of its delayed components times a factor."""
        return _with_delayed_share(self, factor * _delayed_share(self), prompt_ns=self.times_ns[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scintillator:
    """One organic scintillator.

    Parameters
    ----------
    name : str
        What it is called.
    gamma : Decay
        Of electrons, at all energies but for `gamma_tail_rise`.
    neutron : Decay
        Of protons of 2 MeV.
    photoelectrons_per_kev : float
        Mean number per keVee of light.
    light_output : LightOutput
        Of protons.
    gamma_tail_rise : float
        See :meth:`gamma_shares`.
    """

    name: str
    gamma: Decay
    neutron: Decay
    photoelectrons_per_kev: float
    light_output: LightOutput
    gamma_tail_rise: float = 0.0

    def with_tails(self, gamma: float, neutron: float) -> Scintillator:
        """Return this scintillator with the delayed share of each class times a factor."""
        return replace(self, gamma=self.gamma.with_tail(gamma), neutron=self.neutron.with_tail(neutron))

    def gamma_shares(self, light_kevee: ArrayLike = REFERENCE_ELECTRON_KEVEE) -> NDArray[np.float64]:
        """Return the share of a gamma's light in each component.

        A slow electron ionises more densely than a fast one, so that more of its light is delayed (Voltz and
        Laustriat, J. Physique 29 (1968) 159): the delayed components grow by `gamma_tail_rise` for every factor e that
        the light lies below 300 keVee, and the prompt one takes the rest. The logarithm is chosen, no measurement of
        electrons was found.

        Parameters
        ----------
        light_kevee : array, shape (pulse,)
            Light of each pulse in keVee.

        Returns
        -------
        ndarray of float64, shape (component,) where all energies have the same, else (pulse, component)
            Rows sum to one.
        """
        shares = self.gamma.normalised_shares()
        if not self.gamma_tail_rise:
            return shares
        below = np.maximum(np.log(REFERENCE_ELECTRON_KEVEE / np.asarray(light_kevee, np.float64)), 0)
        rising: NDArray[np.float64] = (1 + self.gamma_tail_rise * below)[..., None] * shares
        rising[..., 0] = 1 - rising[..., 1:].sum(axis=-1)
        return rising

    def neutron_shares(self, light_kevee: ArrayLike) -> NDArray[np.float64]:
        """Return the share of a neutron's light in each component.

        The delayed components are scaled together by :func:`relative_tail` at the proton energy of this light; the
        prompt one takes the rest.

        Parameters
        ----------
        light_kevee : array, shape (pulse,)
            Light of each pulse in keVee.

        Returns
        -------
        ndarray of float64, shape (pulse, component)
            Rows sum to one.
        """
        tail = relative_tail(self.light_output.proton_energy_mev(light_kevee))
        shares: NDArray[np.float64] = tail[:, None] * self.neutron.normalised_shares()
        shares[:, 0] = 1 - shares[:, 1:].sum(axis=1)
        return shares


def relative_tail(proton_energy_mev: ArrayLike) -> NDArray[np.float64]:
    """Return the delayed share of a neutron's light at a proton energy, relative to that at 2 MeV.

    Measured for stilbene (Weldon et al., 0.57-10 MeV; interpolated in log energy, held constant outside). The
    liquids and the plastic take the same relative dependence: their delayed light has the same origin, the meeting of
    triplet states, whose number follows the density of ionisation along the proton's track, which at a given energy is
    nearly the same in all of them. This is an assumption, not a measurement of those materials.
    """
    tail = np.array(WELDON_TAIL_FRACTION)
    reference = tail[WELDON_PROTON_ENERGY_MEV.index(REFERENCE_PROTON_ENERGY_MEV)]
    energy = np.asarray(proton_energy_mev, dtype=np.float64)
    return np.asarray(np.interp(np.log(energy), np.log(WELDON_PROTON_ENERGY_MEV), tail / reference))


BC501A_GAMMA = Decay(times_ns=(3.16, 32.3, 270.0), shares=(0.8759, 0.0455, 0.0786))
BC501A_NEUTRON = Decay(times_ns=(3.16, 32.3, 270.0), shares=(0.6034, 0.2094, 0.1873))
"""Decay constants of EJ-301; shares fitted to the digitised mean pulses by `benchmarks/fit_bc501a_front_end.py`."""

_NE213_LIGHT = LightOutput(a=0.83, b=2.82, c=0.25, d=0.93)
_EJ309_LIGHT = LightOutput(a=0.7465, b=1.561, c=0.418, d=0.966)
_STILBENE_LIGHT = LightOutput(a=0.669, b=1.891, c=0.289, d=1.008)


def _with_delayed_share(decay: Decay, delayed: float, *, prompt_ns: float) -> Decay:
    """Keep the ratio of the delayed components, set their sum and the prompt decay constant."""
    tail = decay.normalised_shares()[1:]
    shares = (1 - delayed, *(float(share) for share in delayed * tail / tail.sum()))
    return Decay(times_ns=(prompt_ns, *decay.times_ns[1:]), shares=shares)


def _delayed_share(decay: Decay) -> float:
    return float(decay.normalised_shares()[1:].sum())


_BC501A = Scintillator(
    name="BC501A",
    gamma=BC501A_GAMMA,
    neutron=BC501A_NEUTRON,
    photoelectrons_per_kev=1.7,
    light_output=_NE213_LIGHT,
)
_EJ309 = Scintillator(
    name="EJ-309",
    gamma=_with_delayed_share(BC501A_GAMMA, _delayed_share(BC501A_GAMMA), prompt_ns=3.5),
    neutron=_with_delayed_share(BC501A_NEUTRON, _delayed_share(BC501A_NEUTRON), prompt_ns=3.5),
    photoelectrons_per_kev=1.7,
    light_output=_EJ309_LIGHT,
)
_EJ276 = Scintillator(
    name="EJ-276",
    gamma=Decay(times_ns=(4.3, 18.0, 140.0), shares=(0.74, 0.14, 0.12)),
    neutron=Decay(times_ns=(4.5, 20.0, 170.0), shares=(0.58, 0.18, 0.24)),
    photoelectrons_per_kev=1.2,
    light_output=_EJ309_LIGHT,
)
_STILBENE_DELAYED = WELDON_TAIL_FRACTION[WELDON_PROTON_ENERGY_MEV.index(REFERENCE_PROTON_ENERGY_MEV)]
_STILBENE = Scintillator(
    name="stilbene",
    gamma=_with_delayed_share(
        BC501A_GAMMA,
        _STILBENE_DELAYED * _delayed_share(BC501A_GAMMA) / _delayed_share(BC501A_NEUTRON),
        prompt_ns=4.5,
    ),
    neutron=_with_delayed_share(BC501A_NEUTRON, _STILBENE_DELAYED, prompt_ns=4.5),
    photoelectrons_per_kev=2.0,
    light_output=_STILBENE_LIGHT,
)

DETECTORS: dict[str, Scintillator] = {
    "BC501A": _BC501A,
    "EJ-301": _BC501A,
    "EJ-309": _EJ309,
    "EJ-276": _EJ276,
    "stilbene": _STILBENE,
}
"""The scintillators by name; EJ-301 is another name of BC501A (and of NE213).

Sourced
    BC501A: decay constants and 1.7 photoelectrons/keV (Eljen, EJ-301 data sheet), light output (Cecil 1979), shares
    from the fit. EJ-309: light output (fit to Laplace et al., 0.2-19.5 MeV). EJ-276: decay constants and shares
    (MULTIPASS). Stilbene: light output and delayed share of neutrons against energy (Weldon et al.).

Stand-ins, for want of a source
    EJ-309: 3.5 ns prompt decay; delayed constants and all shares as BC501A. EJ-276: light output as EJ-309. Stilbene:
    4.5 ns prompt decay; delayed constants and the split between them as BC501A; the published tail fraction taken for
    the whole delayed share; the gamma's delayed share in proportion to the neutron's as in BC501A; 2
    photoelectrons/keV.

Photoelectrons are those of one photomultiplier, so that materials compare: that of the 1.7 of BC501A. EJ-309 gives
nearly the same light (12,300 photons per MeV to 12,000), EJ-276 8600. EJ-309 on another photomultiplier gave 2.6
(Sibczynski et al.), as EJ-301 would there: taken beside the 1.7 it would part neutrons from gammas better than stilbene
and EJ-301 do, against all comparisons in one set-up (Zaitseva et al., NIM A 789 (2015) 8; Bourne et al., NIM A 806
(2016) 348; Stevanato et al., NIM A 690 (2012) 96).
"""
