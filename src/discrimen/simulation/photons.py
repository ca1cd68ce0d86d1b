"""Photoelectrons: how many arrive in each time cell, and what they say of the particle.

Photoelectrons of a pulse form a Poisson process in time, so their numbers in disjoint time cells are independent
Poisson numbers: drawing these is exact and needs no list of times. The waveform is made from the cells' numbers alone
(charges, trigger, shaping and noise do not know the class), so by the data-processing inequality no classifier of the
waveform can beat their likelihood ratio: the coarse cells cost the bound nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.photosensor import arrival_probabilities
from discrimen.simulation.scintillator import Scintillator


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PhotonModel:
    """Arrival of photoelectrons in time cells.

    Parameters
    ----------
    scintillator : Scintillator
        Decay components, shares and yield.
    edges_ns : ndarray of float64, shape (cell + 1,)
        Time cells, in ns after the onset of light.
    gamma_cells, neutron_cells : ndarray of float64, shape (component, cell)
        Probability to arrive in each cell, for each component.
    """

    scintillator: Scintillator
    edges_ns: NDArray[np.float64]
    gamma_cells: NDArray[np.float64]
    neutron_cells: NDArray[np.float64]

    @classmethod
    def of(
        cls, scintillator: Scintillator, edges_ns: NDArray[np.float64], *, transit_time_spread_ns: float
    ) -> PhotonModel:
        """Tabulate the cells of a scintillator."""
        gamma, neutron = (
            arrival_probabilities(edges_ns, decay.times_ns, transit_time_spread_ns=transit_time_spread_ns)
            for decay in (scintillator.gamma, scintillator.neutron)
        )
        return cls(scintillator=scintillator, edges_ns=edges_ns, gamma_cells=gamma, neutron_cells=neutron)

    @property
    def n_cells(self) -> int:
        """Number of time cells."""
        return len(self.edges_ns) - 1

    def draw(
        self, light_kevee: NDArray[np.float64], is_neutron: NDArray[np.bool_], *, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Draw the photoelectrons of pulses and their log-likelihood ratio.

        Parameters
        ----------
        light_kevee : ndarray of float64, shape (pulse,)
            True light.
        is_neutron : ndarray of bool, shape (pulse,)
            Class.
        rng : numpy.random.Generator
            Source of the numbers.

        Returns
        -------
        counts : ndarray of int64, shape (pulse, cell)
            Photoelectrons in each cell.
        photon_llr : ndarray of float64, shape (pulse,)
            See :meth:`log_likelihood_ratio`.
        """
        neutron_density, gamma_density = self._neutron_density(light_kevee), self._gamma_density(light_kevee)
        expected = np.where(is_neutron[:, None], neutron_density, gamma_density)
        expected *= (self.scintillator.photoelectrons_per_kev * light_kevee)[:, None]
        counts = rng.poisson(expected)
        return counts, self._ratio(light_kevee, counts, neutron_density, gamma_density)

    def log_likelihood_ratio(self, light_kevee: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return log p(photoelectrons | neutron, light) - log p(photoelectrons | gamma, light).

        The photoelectrons are those that reach the anode within the record, at their arrival times: after the
        transit-time spread, which the waveform cannot undo, so this bound is tighter than one from emission times.
        Their number counts too: within a record of finite length a neutron shows a little less of its light. The true
        light of the pulse is given under both hypotheses; the ratio therefore says nothing of the two energy spectra,
        and is a bound where these are equal (flat, exponential) or within a narrow energy bin.

        Parameters
        ----------
        light_kevee : ndarray of float64, shape (pulse,)
            True light.
        counts : ndarray of int, shape (pulse, cell)
            Photoelectrons in each cell.

        Returns
        -------
        ndarray of float64, shape (pulse,)
            Natural logarithm.
        """
        return self._ratio(light_kevee, counts, self._neutron_density(light_kevee), self._gamma_density(light_kevee))

    def _gamma_density(self, light_kevee: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.scintillator.gamma_shares(light_kevee) @ self.gamma_cells)

    def _neutron_density(self, light_kevee: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.scintillator.neutron_shares(light_kevee) @ self.neutron_cells)

    def _ratio(
        self,
        light_kevee: NDArray[np.float64],
        counts: NDArray[np.int64],
        neutron_density: NDArray[np.float64],
        gamma_density: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        evidence = np.log(neutron_density.astype(np.float32)) - np.log(gamma_density).astype(np.float32)
        seen = np.einsum("pc,pc->p", counts.astype(np.float32), evidence)
        missing = neutron_density.sum(axis=1) - gamma_density.sum(axis=-1)
        ratio: NDArray[np.float64] = seen - self.scintillator.photoelectrons_per_kev * light_kevee * missing
        return ratio
