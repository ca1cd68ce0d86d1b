"""Simulate pulses in blocks: from the energy deposit to the digitizer's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses import Label, PulseFlag, Pulses, concatenate
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import Digitizer
from discrimen.simulation.pulse_model import PulseModel, build_pulse_model
from discrimen.simulation.settings import gates_ns
from discrimen.simulation.sources import LightSpectrum, light_spectrum

BLOCK_PULSES = 4096
"""Pulses in a block; each block has its own random numbers, so that a run is the same however it is iterated."""

_SLICE_PULSES = 512
_HIGHEST_ENERGY = 65535


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PileUp:
    """The truth of the pulses that came on top of others in one block.

    Parameters
    ----------
    pulse : ndarray of int64, shape (second,)
        Which pulse of the block each lies on; a pulse may carry several.
    delay_ns : ndarray of float64, shape (second,)
        From the onset of the first light to that of the second, in ns.
    energy_kevee : ndarray of float32, shape (second,)
        Light of the second.
    label : ndarray of int8, shape (second,)
        Class of the second.
    first_adc, second_adc : ndarray of float32, shape (second, sample)
        The two pulses apart: above the baseline, in ADC counts, positive, before noise.
    """

    pulse: NDArray[np.int64]
    delay_ns: NDArray[np.float64]
    energy_kevee: NDArray[np.float32]
    label: NDArray[np.int8]
    first_adc: NDArray[np.float32]
    second_adc: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SimulatedBlock:
    """Pulses as a digitizer gives them, and the truth that has no column of its own.

    Parameters
    ----------
    pulses : Pulses
        `flags` is what a digitizer would say: it marks pile-up only where it can resolve it. `energy_kevee`, `label`
        and `photon_llr` are the truth, in pile-up that of the first pulse alone.
    pile_up : PileUp
        The truth of pile-up.
    """

    pulses: Pulses
    pile_up: PileUp


def simulate(config: SimulationConfig) -> Pulses:
    """Simulate all pulses of a configuration into memory; see :func:`simulate_blocks`."""
    return concatenate(simulate_blocks(config))


def simulate_blocks(config: SimulationConfig) -> Iterator[Pulses]:
    """Simulate pulses in blocks of 4096, in constant memory.

    Yields
    ------
    Pulses
        With all columns but `tof_ns` and `run`; see :class:`SimulatedBlock` for what they mean.
    """
    for block in simulate_blocks_with_truth(config):
        yield block.pulses


def simulate_blocks_with_truth(config: SimulationConfig) -> Iterator[SimulatedBlock]:
    """Simulate pulses in blocks of 4096, with the truth of pile-up.

    Yields
    ------
    SimulatedBlock
    """
    run = _Run.of(config)
    last_ps = 0
    for number, first in enumerate(range(0, config.n_pulses, BLOCK_PULSES)):
        rng = np.random.default_rng([config.seed, number])
        block = run.block(min(BLOCK_PULSES, config.n_pulses - first), first_entry=first, after_ps=last_ps, rng=rng)
        last_ps = int(block.pulses.column("timestamp_ps")[-1])
        yield block


@dataclass(frozen=True, slots=True, eq=False)
class _Particles:
    """What hits the detector: light and class of each pulse."""

    light_kevee: NDArray[np.float64]
    is_neutron: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    config: SimulationConfig
    model: PulseModel
    gamma_light: LightSpectrum
    neutron_light: LightSpectrum | None

    @classmethod
    def of(cls, config: SimulationConfig) -> _Run:
        def spectrum(*, neutron: bool) -> LightSpectrum:
            return light_spectrum(
                config.spectrum,
                neutron=neutron,
                range_kevee=(config.energy_min_kevee, config.energy_max_kevee),
                slope_kevee=config.exponential_slope_kevee,
                light_output=config.scintillator.light_output,
            )

        neutron_light = spectrum(neutron=True) if config.share_of_neutrons > 0 else None
        return cls(config, build_pulse_model(config), spectrum(neutron=False), neutron_light)

    def block(self, n_pulses: int, *, first_entry: int, after_ps: int, rng: np.random.Generator) -> SimulatedBlock:
        digitizer = self.model.digitizer
        particles = self.particles(n_pulses, rng=rng)
        charges, photon_llr = self.charges(particles, rng=rng)
        gains = np.maximum(1 + self.config.gain_spread * rng.standard_normal(n_pulses), 0).astype(np.float32)
        onsets = self.onset_steps(charges, gains, rng=rng)
        waves = self.model.waves_adc(charges, onsets) * gains[:, None]
        pile_up = self.pile_up(waves, onsets, gains, rng=rng)
        np.add.at(waves, pile_up.pulse, pile_up.second_adc)
        samples, saturated = digitizer.digitise(waves, rng=rng)
        energy, energy_short = gate_energies(samples, digitizer)
        pulses = Pulses(
            samples=samples,
            sample_period_ns=digitizer.sample_period_ns,
            entry=np.arange(first_entry, first_entry + n_pulses),
            timestamp_ps=after_ps + self.timestamps_ps(n_pulses, rng=rng),
            board=np.zeros(n_pulses, dtype=np.int32),
            channel=rng.integers(self.config.n_channels, size=n_pulses).astype(np.int32),
            flags=_flags(saturated, energy, pile_up, digitizer),
            energy=energy,
            energy_short=energy_short,
            energy_kevee=particles.light_kevee.astype(np.float32),
            label=_labels(particles.is_neutron),
            photon_llr=photon_llr,
        )
        return SimulatedBlock(pulses=pulses, pile_up=pile_up)

    def particles(self, n_pulses: int, *, rng: np.random.Generator) -> _Particles:
        is_neutron = rng.random(n_pulses) < self.config.share_of_neutrons
        light = self.gamma_light.draw(n_pulses, rng=rng)
        if self.neutron_light is not None:
            light = np.where(is_neutron, self.neutron_light.draw(n_pulses, rng=rng), light)
        return _Particles(light, is_neutron)

    def onset_steps(
        self, charges: NDArray[np.float32], gains: NDArray[np.float32], *, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw where the light starts in the record, in phase steps after the first sample."""
        digitizer, n_pulses = self.model.digitizer, len(charges)
        trigger_ns = digitizer.pretrigger_ns + digitizer.sample_period_ns * rng.random(n_pulses)
        trigger_ns += self.config.trigger_jitter_ns * rng.standard_normal(n_pulses)
        onset_ns = trigger_ns - self.model.crossing_ns(charges, gains)
        return np.rint(onset_ns / self.model.phase_step_ns).astype(np.int64)

    def charges(
        self, particles: _Particles, *, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Draw photoelectrons; return the charges of their cells and the log-likelihood ratios."""
        n_pulses = len(particles.light_kevee)
        charges = np.empty((n_pulses, self.model.photons.n_cells), dtype=np.float32)
        photon_llr = np.empty(n_pulses, dtype=np.float32)
        for start in range(0, n_pulses, _SLICE_PULSES):
            part = slice(start, start + _SLICE_PULSES)
            counts, photon_llr[part] = self.model.photons.draw(
                particles.light_kevee[part], particles.is_neutron[part], rng=rng
            )
            charges[part] = self.model.sensor.charges(counts, rng=rng)
        return charges, photon_llr

    def pile_up(
        self,
        waves: NDArray[np.float32],
        onset_steps: NDArray[np.int64],
        gains: NDArray[np.float32],
        *,
        rng: np.random.Generator,
    ) -> PileUp:
        """Draw what arrives in the rest of each record."""
        digitizer, config = self.model.digitizer, self.config
        rest_ns = digitizer.record_ns - digitizer.pretrigger_ns
        if config.pileup_fraction is None:
            how_many = rng.poisson(config.rate_hz * rest_ns * 1e-9, size=len(waves))
        else:
            how_many = (rng.random(len(waves)) < config.pileup_fraction).astype(np.int64)
        pulse = np.repeat(np.arange(len(waves)), how_many)
        steps = np.floor(rng.random(len(pulse)) * rest_ns / self.model.phase_step_ns).astype(np.int64)
        seconds = self.particles(len(pulse), rng=rng)
        charges, _ = self.charges(seconds, rng=rng)
        second_adc = self.model.waves_adc(charges, onset_steps[pulse] + steps)
        return PileUp(
            pulse=pulse,
            delay_ns=np.asarray(steps * self.model.phase_step_ns, dtype=np.float64),
            energy_kevee=seconds.light_kevee.astype(np.float32),
            label=_labels(seconds.is_neutron),
            first_adc=waves[pulse],
            second_adc=second_adc * gains[pulse, None],
        )

    def timestamps_ps(self, n_pulses: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw trigger times of a Poisson process seen by a digitizer that is dead during each record."""
        gaps_ps = 1000 * self.model.digitizer.record_ns + rng.exponential(1e12 / self.config.rate_hz, size=n_pulses)
        return np.cumsum(np.rint(gaps_ps).astype(np.int64))


def gate_energies(samples: NDArray[np.uint16], digitizer: Digitizer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a digitizer's own long and short gates give.

    Gates lie at fixed samples relative to the nominal trigger; the baseline is the mean of what comes before them, or
    the first sample where nothing does. Whole numbers of ADC counts x samples / `charge_divisor`, in 0 .. 65535.

    Returns
    -------
    energy, energy_short : ndarray of float64, shape (pulse,)
    """
    gates, period = gates_ns(digitizer), digitizer.sample_period_ns
    ends = (gates.gate_start_ns, gates.long_gate_end_ns, gates.short_gate_end_ns)
    start, long_end, short_end = (max(round((digitizer.pretrigger_ns + end) / period), 0) for end in ends)
    pulses = digitizer.sign * samples.astype(np.float32)
    baseline = pulses[:, : max(start, 1)].mean(axis=1, dtype=np.float64)
    energies = []
    for end in (long_end, short_end):
        charge = pulses[:, start:end].sum(axis=1, dtype=np.float64) - (end - start) * baseline
        energies.append(np.clip(np.floor(charge / digitizer.charge_divisor), 0, _HIGHEST_ENERGY))
    return energies[0], energies[1]


def _labels(is_neutron: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(is_neutron, Label.NEUTRON, Label.GAMMA).astype(np.int8)


def _flags(
    saturated: NDArray[np.bool_], energy: NDArray[np.float64], pile_up: PileUp, digitizer: Digitizer
) -> NDArray[np.uint32]:
    flags = np.where(saturated, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32)
    flags[energy >= _HIGHEST_ENERGY] |= np.uint32(PulseFlag.SATURATED_GATE)
    resolved = pile_up.pulse[pile_up.delay_ns >= digitizer.pile_up_resolving_ns]
    flags[resolved] |= np.uint32(PulseFlag.PILE_UP)
    return flags
