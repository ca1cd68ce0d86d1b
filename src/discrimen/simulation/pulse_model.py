"""The tables that turn photoelectrons into waveforms, made once for a configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import CROSSING_FRACTION, Digitizer
from discrimen.simulation.photons import PhotonModel
from discrimen.simulation.photosensor import Photosensor, arrival_cell_edges
from discrimen.simulation.response import Response
from discrimen.simulation.scintillator import Scintillator

N_PHASES = 32
"""The onset of light takes one of so many places within a sampling period."""

_MARGIN_NS = 20.0
_LATEST_CROSSING_NS = 40.0
_FINE_NS = 0.02
_TRIGGER_FROM_NS, _TRIGGER_TO_NS, _TRIGGER_STEP_NS = -10.0, 25.0, 0.5
_LEADING_EDGE_GREATEST_FRACTION = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PulseModel:
    """From photoelectrons to waveforms.

    Parameters
    ----------
    scintillator, sensor, digitizer
        The parts of the chain.
    photons : PhotonModel
        Arrival of photoelectrons.
    adc_per_photoelectron : float
        Area of the mean single-electron pulse in ADC counts x ns.
    kernels : ndarray of float32, shape (phase, cell, extended sample)
        Waveform in ADC counts of one photoelectron in each cell, for each phase of the onset.
    onset_sample : int
        Where the onset lies in the kernels, at phase 0.
    trigger_times_ns : ndarray of float64, shape (point,)
        Where the trigger looks at the leading part of a pulse, in ns after the onset.
    trigger_kernel : ndarray of float32, shape (early cell, point)
        Waveform there in ADC counts of one photoelectron in each of the first cells.
    """

    scintillator: Scintillator
    sensor: Photosensor
    digitizer: Digitizer
    photons: PhotonModel
    adc_per_photoelectron: float
    kernels: NDArray[np.float32]
    onset_sample: int
    trigger_times_ns: NDArray[np.float64]
    trigger_kernel: NDArray[np.float32]

    @property
    def phase_step_ns(self) -> float:
        """Distance of two phases in ns."""
        return self.digitizer.sample_period_ns / N_PHASES

    def crossing_ns(self, charges: NDArray[np.float32], gains: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return when the trigger fires on each pulse, in ns after the onset of light.

        The trigger sees the pulse as it is, before noise, and not its class: a time that followed the mean pulse of
        each class would tell a network what the photons do not.

        Parameters
        ----------
        charges : ndarray of float32, shape (pulse, cell)
            Charge in each cell, in units of the mean single-electron charge.
        gains : ndarray of float32, shape (pulse,)
            Relative gain, which a leading edge follows.

        Returns
        -------
        ndarray of float64, shape (pulse,)
        """
        leading = charges[:, : len(self.trigger_kernel)] @ self.trigger_kernel
        peaks = leading.max(axis=1)
        thresholds = CROSSING_FRACTION * peaks
        if self.digitizer.trigger == "leading_edge":
            own_adc = self.digitizer.threshold_adc / np.maximum(gains, np.float32(1e-6))
            thresholds = np.minimum(own_adc, _LEADING_EDGE_GREATEST_FRACTION * peaks)
        after = (leading >= thresholds[:, None]).argmax(axis=1)
        rows, before = np.arange(len(charges)), np.maximum(after - 1, 0)
        low, high = leading[rows, before], leading[rows, after]
        share = (thresholds - low) / np.where(after > 0, high - low, np.float32(1))
        return np.asarray(self.trigger_times_ns[before] + _TRIGGER_STEP_NS * np.where(after > 0, share, 0))

    def waves_adc(self, charges: NDArray[np.float32], onset_steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the noise-free waveforms.

        Parameters
        ----------
        charges : ndarray of float32, shape (pulse, cell)
            Charge in each cell, in units of the mean single-electron charge.
        onset_steps : ndarray of int64, shape (pulse,)
            Onset of light after the first sample, in steps of :attr:`phase_step_ns`.

        Returns
        -------
        ndarray of float32, shape (pulse, sample)
            Above the baseline, in ADC counts, positive.
        """
        shifts, phases = np.divmod(onset_steps, N_PHASES)
        extended = np.empty((len(charges), self.kernels.shape[2]), dtype=np.float32)
        for phase in np.unique(phases):
            members = np.flatnonzero(phases == phase)
            extended[members] = charges[members] @ self.kernels[phase]
        return _shifted(extended, shifts - self.onset_sample, self.digitizer.n_samples)


def build_pulse_model(config: SimulationConfig) -> PulseModel:
    """Make the tables of a configuration."""
    scintillator, sensor, digitizer = config.scintillator, config.photosensor, config.digitizer_as_run
    period = digitizer.sample_period_ns
    onset_sample = math.ceil((digitizer.pretrigger_ns + _MARGIN_NS) / period)
    early_ns = _MARGIN_NS + _LATEST_CROSSING_NS + 6 * config.trigger_jitter_ns
    n_extended = digitizer.n_samples + math.ceil(early_ns / period) + 2
    edges = arrival_cell_edges(
        stop_ns=(n_extended - onset_sample) * period,
        transit_time_spread_ns=sensor.transit_time_spread_ns,
        coarsest_cell_ns=max(2.0, period / 2, digitizer.record_ns / 500),
    )
    response = digitizer.front_end.response(extra_sigma_ns=sensor.single_electron_sigma_ns)
    shape = MeanPulseShape.of(scintillator, sensor, digitizer)
    peak_per_ns = float(shape.gamma().max())
    area = digitizer.gain_adc_per_kevee / (scintillator.photoelectrons_per_kev * peak_per_ns)
    trigger_times_ns = np.arange(_TRIGGER_FROM_NS, _TRIGGER_TO_NS, _TRIGGER_STEP_NS)
    early_edges = edges[: np.searchsorted(edges, _TRIGGER_TO_NS) + 1]
    return PulseModel(
        scintillator=scintillator,
        sensor=sensor,
        digitizer=digitizer,
        photons=PhotonModel.of(scintillator, edges, transit_time_spread_ns=sensor.transit_time_spread_ns),
        adc_per_photoelectron=area,
        kernels=(area * _kernels(response, edges, onset_sample, n_extended, period)).astype(np.float32),
        onset_sample=onset_sample,
        trigger_times_ns=trigger_times_ns,
        trigger_kernel=(area * _cell_responses(response, early_edges, trigger_times_ns)).astype(np.float32),
    )


@dataclass(frozen=True, slots=True, eq=False)
class MeanPulseShape:
    """Mean pulses of unit area on a fine grid of time after the onset of light.

    Parameters
    ----------
    scintillator : Scintillator
        Shares of the components.
    time_ns : ndarray of float64, shape (point,)
        After the onset.
    gamma_components, neutron_components : ndarray of float64, shape (component, point)
        Mean pulse of each component, in 1/ns.
    """

    scintillator: Scintillator
    time_ns: NDArray[np.float64]
    gamma_components: NDArray[np.float64]
    neutron_components: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        scintillator: Scintillator,
        sensor: Photosensor,
        digitizer: Digitizer,
        time_ns: NDArray[np.float64] | None = None,
    ) -> MeanPulseShape:
        """Compute them, by default on the leading part of the pulse."""
        time = np.arange(-15.0, _LATEST_CROSSING_NS, _FINE_NS) if time_ns is None else time_ns
        smear = float(np.hypot(sensor.single_electron_sigma_ns, sensor.transit_time_spread_ns))
        response = digitizer.front_end.response(extra_sigma_ns=smear)
        gamma, neutron = (
            np.stack([response.then_low_pass(tau).at(time) for tau in decay.times_ns])
            for decay in (scintillator.gamma, scintillator.neutron)
        )
        return cls(scintillator, time, gamma, neutron)

    def gamma(self) -> NDArray[np.float64]:
        """Return the mean gamma pulse in 1/ns; shape (point,)."""
        return np.asarray(self.scintillator.gamma_shares() @ self.gamma_components)

    def neutron(self, light_kevee: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean neutron pulse of each light in 1/ns; shape (pulse, point)."""
        return np.asarray(self.scintillator.neutron_shares(light_kevee) @ self.neutron_components)


def _kernels(
    response: Response, edges_ns: NDArray[np.float64], onset_sample: int, n_extended: int, period_ns: float
) -> NDArray[np.float64]:
    """Average the response over each arrival cell, at every sample and phase; shape (phase, cell, sample)."""
    latest = (n_extended - onset_sample) * period_ns - edges_ns[0]
    fine = np.arange(-_MARGIN_NS, latest + 1, _FINE_NS)
    step_response = response.integrated().at(fine)
    phases_ns = np.arange(N_PHASES) * period_ns / N_PHASES
    samples_ns = (np.arange(n_extended) - onset_sample) * period_ns
    kernels = np.empty((N_PHASES, len(edges_ns) - 1, n_extended))
    for kernel, phase_ns in zip(kernels, phases_ns, strict=True):
        since_edge = samples_ns - phase_ns - edges_ns[:, None]
        risen = np.interp(since_edge, fine, step_response, left=0.0)
        kernel[:] = -np.diff(risen, axis=0) / np.diff(edges_ns)[:, None]
    return kernels


def _cell_responses(
    response: Response, edges_ns: NDArray[np.float64], times_ns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the response over each arrival cell at some times after the onset; shape (cell, time)."""
    risen = response.integrated().at(times_ns - edges_ns[:, None])
    return np.asarray(-np.diff(risen, axis=0) / np.diff(edges_ns)[:, None])


def _shifted(extended: NDArray[np.float32], shifts: NDArray[np.int64], n_samples: int) -> NDArray[np.float32]:
    """Move each row later by its shift in samples; nothing comes in from before the first sample."""
    wanted = np.arange(n_samples) - shifts[:, None]
    inside = (wanted >= 0) & (wanted < extended.shape[1])
    moved = np.take_along_axis(extended, np.clip(wanted, 0, extended.shape[1] - 1), axis=1)
    return np.where(inside, moved, np.float32(0))
