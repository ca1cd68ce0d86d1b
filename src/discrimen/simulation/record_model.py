"""Tables for the likelihood of a record: coarser time cells, short responses, the prior of the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.light import configured_light
from discrimen.simulation.pulse_model import PulseModel, build_pulse_model
from discrimen.simulation.sources import LightSpectrum

_FINEST_CELL_NS, _CELL_GROWTH = 0.9, 0.04
_NEGLIGIBLE = 1e-4
_EARLIEST_LIGHT_NS = 45.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecordModel:
    """What the likelihood of a record is made of, tabulated once for a configuration.

    Parameters
    ----------
    model : PulseModel
        From photoelectrons to waveforms.
    spectra : tuple of LightSpectrum
        Prior of the light of gammas and neutrons.
    cells : ndarray of float64, shape (class, component, cell)
        Probability that a photoelectron of each component arrives in each time cell; the cells are coarser than the
        simulation's and finer than the response.
    starts : ndarray of int64, shape (phase, cell)
        First sample, in the kernels' count, that a photoelectron of the cell reaches.
    responses : ndarray of float64, shape (phase, cell, sample)
        What it adds to this sample and the next, in ADC counts.
    trigger_kernel : ndarray of float64, shape (early cell, point)
        Leading pulse of a photoelectron, on the trigger's grid of times.
    begin : int
        First sample that light can reach; those before it tell of the baseline alone.
    """

    model: PulseModel
    spectra: tuple[LightSpectrum, LightSpectrum]
    cells: NDArray[np.float64]
    starts: NDArray[np.int64]
    responses: NDArray[np.float64]
    trigger_kernel: NDArray[np.float64]
    begin: int

    @classmethod
    def of(cls, config: SimulationConfig) -> RecordModel:
        """Tabulate a configuration.

        Raises
        ------
        SettingsError
            If the configuration has what the likelihood does not know: pile-up, several channels or runs, a spread of
            the gain, a jitter, a leading edge, coloured noise, no neutrons.
        """
        _require_known(config)
        model = build_pulse_model(config)
        photons, n_early = model.photons, len(model.trigger_kernel)
        probabilities = np.stack([photons.gamma_cells, photons.neutron_cells])
        groups = _groups(photons.edges_ns, n_early)
        weights = probabilities.mean(axis=(0, 1))
        weights /= np.repeat(np.add.reduceat(weights, groups), np.diff([*groups, len(weights)]))
        starts, responses = short_responses(np.add.reduceat(model.kernels * weights[:, np.newaxis], groups, axis=1))
        leading = model.trigger_kernel * weights[:n_early, np.newaxis]
        return cls(
            model=model,
            spectra=(configured_light(config, neutron=False), configured_light(config, neutron=True)),
            cells=np.add.reduceat(probabilities, groups, axis=2),
            starts=starts,
            responses=responses,
            trigger_kernel=np.add.reduceat(leading, groups[groups < n_early], axis=0),
            begin=max(0, int((model.digitizer.pretrigger_ns - _EARLIEST_LIGHT_NS) / model.digitizer.sample_period_ns)),
        )

    @property
    def sample_variance(self) -> float:
        """Variance of a sample around the pulse, its rounding included, in squared ADC counts."""
        digitizer = self.model.digitizer
        return digitizer.noise_adc**2 + digitizer.adc_step**2 / 12

    @property
    def baseline_share(self) -> float:
        """What each sample before the light counts for the baseline; the rest is the expected baseline."""
        prior = self.model.digitizer.baseline_spread_adc**2
        return prior / (self.begin * prior + self.sample_variance)

    @property
    def baseline_variance(self) -> float:
        """Variance of the baseline once the samples before the light are known, in squared ADC counts."""
        return self.baseline_share * self.sample_variance

    def rates(self, light_kevee: NDArray[np.float64], *, neutron: bool) -> NDArray[np.float64]:
        """Return the expected photoelectrons in each cell; shape (..., cell) for light of shape (...)."""
        scintillator = self.model.scintillator
        shares_of = scintillator.neutron_shares if neutron else scintillator.gamma_shares
        light = light_kevee.ravel()
        shares = np.broadcast_to(shares_of(light), (len(light), self.cells.shape[1])).reshape(*light_kevee.shape, -1)
        photons = scintillator.photoelectrons_per_kev * light_kevee
        return np.asarray(photons[..., np.newaxis] * (shares @ self.cells[int(neutron)]))

    def mean_gamma_waves(self) -> NDArray[np.float64]:
        """Return mean gamma pulses of 1 keVee in ADC counts; shape (phase, extended sample)."""
        photons = self.model.photons
        rates = self.model.scintillator.photoelectrons_per_kev * self.model.scintillator.gamma_shares()
        return np.asarray(np.einsum("c,pcs->ps", rates @ photons.gamma_cells, self.model.kernels.astype(np.float64)))


def _require_known(config: SimulationConfig) -> None:
    digitizer = config.digitizer_as_run
    unknown = {
        "pile-up": config.pileup_fraction is None or config.pileup_fraction > 0,
        "several channels": config.n_channels > 1,
        "several runs": config.n_runs > 1,
        "gain_spread": config.gain_spread > 0,
        "trigger_jitter_ns": config.trigger_jitter_ns > 0,
        "coloured noise": bool(digitizer.noise_power),
        "a leading edge": digitizer.trigger != "constant_fraction",
        "no neutrons": not config.has_neutrons,
    }
    found = [name for name, there in unknown.items() if there]
    if found:
        raise SettingsError(f"the likelihood of a record is not known with {', '.join(found)}: leave it out")


def _groups(edges_ns: NDArray[np.float64], n_early: int) -> NDArray[np.int64]:
    """Return the first of the fine cells of each coarse one."""
    starts = [0]
    for cell in range(1, len(edges_ns) - 1):
        widest = max(_FINEST_CELL_NS, _CELL_GROWTH * edges_ns[starts[-1]])
        if cell == n_early or edges_ns[cell + 1] - edges_ns[starts[-1]] > widest:
            starts.append(cell)
    return np.array(starts)


def short_responses(kernels: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cut what is negligible from kernels of shape (phase, cell, sample)."""
    size = np.abs(kernels)
    lit = size > _NEGLIGIBLE * size.max()
    n_samples = kernels.shape[2]
    starts = np.where(lit.any(axis=2), lit.argmax(axis=2), n_samples)
    stops = np.where(lit.any(axis=2), n_samples - lit[:, :, ::-1].argmax(axis=2), n_samples)
    width = int((stops - starts).max())
    places = starts[..., np.newaxis] + np.arange(width)
    padded = np.pad(kernels, ((0, 0), (0, 0), (0, width)))
    responses = np.take_along_axis(padded, places, axis=2) * (places < stops[..., np.newaxis])
    return starts.astype(np.int64), np.ascontiguousarray(responses)
