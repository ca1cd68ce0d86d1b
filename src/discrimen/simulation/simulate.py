"""Simulate pulses in blocks: from the energy deposit to the digitizer's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.pulses import Label, PulseFlag, Pulses, concatenate
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import Digitizer
from discrimen.simulation.flight import Flight, FlightModel
from discrimen.simulation.gate_energies import HIGHEST_ENERGY, gate_energies
from discrimen.simulation.light import configured_light
from discrimen.simulation.pulse_model import PulseModel, build_pulse_model
from discrimen.simulation.record_likelihood import record_log_ratio
from discrimen.simulation.record_model import RecordModel
from discrimen.simulation.setup import Setup
from discrimen.simulation.sources import LightSpectrum

BLOCK_PULSES = 4096
"""Pulses in a block; each block has its own random numbers, so that a run is the same however it is iterated."""

_SLICE_PULSES = 512


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
        and `photon_llr` are the truth, in pile-up that of the first pulse alone; `record_llr` is what the samples say.
    pile_up : PileUp
        The truth of pile-up.
    flight : Flight or None
        The truth of the flight, where there is a flight path.
    clean_adc : ndarray of float32, shape (pulse, sample)
        The records before the noise of the electronics, rounding and rails: true baseline and pulses, with the
        fluctuations of photons and sensor, which belong to the pulse.
    baseline_adc : ndarray of float32, shape (pulse,)
        The true baselines.
    sign : int
        Which way the pulses go in the records, -1 or 1.
    """

    pulses: Pulses
    pile_up: PileUp
    flight: Flight | None
    clean_adc: NDArray[np.float32]
    baseline_adc: NDArray[np.float32]
    sign: int

    @property
    def clean(self) -> Pulses:
        """The pulses with clean records."""
        return self.pulses.replace(samples=self.clean_adc)


def simulate(config: SimulationConfig, *, model: PulseModel | None = None) -> Pulses:
    """Simulate all pulses of a configuration into memory; see :func:`simulate_blocks_with_truth`."""
    return concatenate(block.pulses for block in simulate_blocks_with_truth(config, model=model))


def simulate_blocks(config: SimulationConfig) -> Iterator[Pulses]:
    """Simulate pulses in blocks of 4096, in constant memory.

    Yields
    ------
    Pulses
        With all columns, `record_llr` only where asked for, `tof_ns` only if there is a flight path, `run` only for
        several runs or a numbered one; see :class:`SimulatedBlock` for what they mean.
    """
    for block in simulate_blocks_with_truth(config):
        yield block.pulses


def simulate_blocks_with_truth(
    config: SimulationConfig, *, model: PulseModel | None = None
) -> Iterator[SimulatedBlock]:
    """Simulate pulses in blocks of 4096, with the truth of pile-up.

    Parameters
    ----------
    config : SimulationConfig
        What to simulate.
    model : PulseModel, optional
        Takes the place of the configuration's own, for physics of light or sensor that no option has.

    Yields
    ------
    SimulatedBlock

    Raises
    ------
    SettingsError
        If the likelihood ratio of records is asked for and not known.
    """
    if model is not None and config.record_llr:
        raise SettingsError("record_llr belongs to the configuration's own model: leave it out, or the other model")
    run = _Run.of(config)
    if model is not None:
        run = replace(run, model=model)
    last_ps = 0
    for number, first in enumerate(range(0, config.n_pulses, BLOCK_PULSES)):
        entry = np.arange(first, min(first + BLOCK_PULSES, config.n_pulses))
        block = run.block(entry, after_ps=last_ps, streams=_Streams.of(config.seed, number))
        last_ps = int(block.pulses.column("timestamp_ps")[-1])
        yield block


@dataclass(frozen=True, slots=True, eq=False)
class _Particles:
    """What hits the detector: light and class of each pulse."""

    light_kevee: NDArray[np.float64]
    is_neutron: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Streams:
    """Random numbers of one block; what a channel or the flight draws leaves the pulses as they are."""

    pulses: np.random.Generator
    channels: np.random.Generator
    flight: np.random.Generator

    @classmethod
    def of(cls, seed: int, block: int) -> _Streams:
        def stream(*key: int) -> np.random.Generator:
            return np.random.default_rng(np.random.SeedSequence([seed, block], spawn_key=key))

        return cls(stream(), stream(1), stream(2))


@dataclass(frozen=True, slots=True, eq=False)
class _Origin:
    """Where each pulse was taken, and how the set-up treats it there."""

    run: NDArray[np.int32]
    channel: NDArray[np.int32]
    gain: NDArray[np.float32]
    baseline_shift_adc: NDArray[np.float64]
    relative_noise: NDArray[np.float32]
    delay_ns: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    config: SimulationConfig
    model: PulseModel
    gamma_light: LightSpectrum
    neutron_light: LightSpectrum | None
    setup: Setup
    flight: FlightModel | None
    record: RecordModel | None

    @classmethod
    def of(cls, config: SimulationConfig) -> _Run:
        return cls(
            config=config,
            model=build_pulse_model(config),
            gamma_light=configured_light(config, neutron=False),
            neutron_light=configured_light(config, neutron=True) if config.has_neutrons else None,
            setup=Setup.of(config),
            flight=None if config.flight_path_m is None else FlightModel.of(config),
            record=RecordModel.of(config) if config.record_llr else None,
        )

    def block(self, entry: NDArray[np.int64], *, after_ps: int, streams: _Streams) -> SimulatedBlock:
        digitizer, rng, n_pulses = self.model.digitizer, streams.pulses, len(entry)
        origin = self.origin(entry, rng=streams.channels)
        particles, flight = self.arrivals(origin, streams)
        charges, photon_llr = self.charges(particles, rng=rng)
        gains = np.maximum(1 + self.config.gain_spread * rng.standard_normal(n_pulses), 0).astype(np.float32)
        gains *= origin.gain
        onsets = self.onset_steps(charges, gains, rng=rng)
        waves = self.model.waves_adc(charges, onsets) * gains[:, None]
        pile_up = self.pile_up(waves, onsets, gains, rng=rng)
        np.add.at(waves, pile_up.pulse, pile_up.second_adc)
        samples, saturated, baseline_adc = digitizer.digitise(
            waves, baseline_shift_adc=origin.baseline_shift_adc, relative_noise=origin.relative_noise, rng=rng
        )
        energy, energy_short = gate_energies(samples, digitizer)
        numbered = self.config.n_runs > 1 or self.config.first_run is not None
        pulses = Pulses(
            samples=samples,
            sample_period_ns=digitizer.sample_period_ns,
            entry=entry,
            timestamp_ps=after_ps + self.timestamps_ps(n_pulses, rng=rng),
            board=np.zeros(n_pulses, dtype=np.int32),
            channel=origin.channel,
            flags=_flags(saturated, energy, pile_up, digitizer),
            energy=energy,
            energy_short=energy_short,
            energy_kevee=particles.light_kevee.astype(np.float32),
            label=_labels(particles.is_neutron),
            photon_llr=photon_llr,
            record_llr=None if self.record is None else _record_llr(self.record, samples),
            tof_ns=None if flight is None else flight.tof_ns,
            run=origin.run if numbered else None,
        )
        clean_adc = baseline_adc[:, np.newaxis] + np.float32(digitizer.sign) * waves
        return SimulatedBlock(
            pulses=pulses,
            pile_up=pile_up,
            flight=flight,
            clean_adc=clean_adc,
            baseline_adc=baseline_adc,
            sign=digitizer.sign,
        )

    def origin(self, entry: NDArray[np.int64], *, rng: np.random.Generator) -> _Origin:
        """Deal the pulses to channels; runs follow each other in the order of entries."""
        config, setup = self.config, self.setup
        run = entry * config.n_runs // config.n_pulses
        channel = rng.integers(config.n_channels, size=len(entry))
        return _Origin(
            run=(config.run_numbers.start + run).astype(np.int32),
            channel=channel.astype(np.int32),
            gain=setup.gain[run, channel],
            baseline_shift_adc=setup.baseline_shift_adc[run, channel],
            relative_noise=setup.noise[run, channel],
            delay_ns=setup.delay_ns[channel],
        )

    def arrivals(self, origin: _Origin, streams: _Streams) -> tuple[_Particles, Flight | None]:
        """Draw what hits the detector and, with a flight path, when."""
        n_pulses, share = len(origin.run), self.config.share_of_neutrons
        if self.flight is None:
            return self.particles(np.full(n_pulses, share), rng=streams.pulses), None
        accidental = self.flight.accidentals(n_pulses, rng=streams.flight)
        other = self.config.accidental_neutron_fraction
        shares = np.where(accidental, share if other is None else other, share)
        hit = self.particles(shares, rng=streams.pulses)
        return hit, self.flight.draw(hit.light_kevee, hit.is_neutron, accidental, origin.delay_ns, rng=streams.flight)

    def particles(self, neutron_share: NDArray[np.float64], *, rng: np.random.Generator) -> _Particles:
        """Draw class and light of as many pulses as there are shares."""
        n_pulses = len(neutron_share)
        is_neutron = rng.random(n_pulses) < neutron_share
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
        longest_ns = rest_ns if config.pileup_delay_max_ns is None else min(rest_ns, config.pileup_delay_max_ns)
        steps = np.floor(rng.random(len(pulse)) * longest_ns / self.model.phase_step_ns).astype(np.int64)
        seconds = self.particles(np.full(len(pulse), config.share_of_neutrons), rng=rng)
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


def _record_llr(model: RecordModel, samples: NDArray[np.uint16]) -> NDArray[np.float32]:
    return record_log_ratio(model, samples).log_ratio.astype(np.float32)


def _labels(is_neutron: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(is_neutron, Label.NEUTRON, Label.GAMMA).astype(np.int8)


def _flags(
    saturated: NDArray[np.bool_], energy: NDArray[np.float64], pile_up: PileUp, digitizer: Digitizer
) -> NDArray[np.uint32]:
    flags = np.where(saturated, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32)
    flags[energy >= HIGHEST_ENERGY] |= np.uint32(PulseFlag.SATURATED_GATE)
    resolved = pile_up.pulse[pile_up.delay_ns >= digitizer.pile_up_resolving_ns]
    flags[resolved] |= np.uint32(PulseFlag.PILE_UP)
    return flags
