"""The set-up of a run: what makes its channels and its runs differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.config import SimulationConfig

_CHANNELS, _RUNS = 1, 2
"""Streams of random numbers; a channel keeps its values however many channels and runs there are."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Setup:
    """Gain, baseline, noise and delay of every channel in every run.

    Parameters
    ----------
    gain : ndarray of float32, shape (run, channel)
        Relative to the digitizer's.
    baseline_shift_adc : ndarray of float64, shape (run, channel)
        Added to the digitizer's.
    noise : ndarray of float32, shape (run, channel)
        Relative to the digitizer's.
    delay_ns : ndarray of float64, shape (channel,)
        Added to the time of flight: cables.
    """

    gain: NDArray[np.float32]
    baseline_shift_adc: NDArray[np.float64]
    noise: NDArray[np.float32]
    delay_ns: NDArray[np.float64]

    @classmethod
    def of(cls, config: SimulationConfig) -> Setup:
        """Draw the set-up of a configuration.

        Channels differ by the spreads `channel_*`; from run to run each channel drifts by the spreads `run_*`, on its
        own. Gains and noise are factors exp(spread x normal), so that none is negative.
        """
        seed = config.seed if config.setup_seed is None else config.setup_seed
        channels = _normal((seed,), _CHANNELS, (config.n_channels, 4))
        runs = np.stack(
            [_normal((seed, run), _RUNS, (config.n_channels, 3)) for run in config.run_numbers], axis=0
        )  # fmt: skip
        gain = config.channel_gain_spread * channels[:, 0] + config.run_gain_spread * runs[:, :, 0]
        noise = config.channel_noise_spread * channels[:, 2] + config.run_noise_spread * runs[:, :, 2]
        return cls(
            gain=np.exp(gain).astype(np.float32),
            baseline_shift_adc=config.channel_baseline_spread_adc * channels[:, 1]
            + config.run_baseline_spread_adc * runs[:, :, 1],
            noise=np.exp(noise).astype(np.float32),
            delay_ns=config.channel_delay_spread_ns * channels[:, 3],
        )


def _normal(entropy: tuple[int, ...], stream: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(stream,))).standard_normal(shape)
