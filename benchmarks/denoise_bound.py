"""How much noise can be taken out of a record at most: the mean of all pulses that may be behind it.

No denoiser has a smaller mean square error than the mean of the clean record given the noisy one. It is computed for
some pulses such as `benchmarks/denoise.py` judges by, with everything that is not known drawn by Markov chains
(`record_chains.py`): photoelectrons, onset, light (its prior is the spectrum), baseline; the two classes count by the
likelihood ratio of the record. Two chains of each class tell the error without that of the chains, which would make the
bound too low in decibels: the product of their differences from the truth.

Usage: python benchmarks/denoise_bound.py [--pulses 300] [--sweeps 600] [--model X.discrimen]
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoise import MOST_KEVEE
from denoise_filters import by_height, fit_matrix_wiener
from discrimen.inference.native import NativePredictor
from discrimen.network.prepare import prepare
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.record_likelihood import record_log_ratio
from discrimen.simulation.record_model import RecordModel
from discrimen.simulation.simulate import simulate_blocks_with_truth
from record_chains import chain_clean_records

RANGES_KEVEE = (30, 50, 100)
N_TRAINING, TRAINING_SEED, JUDGED_SEED = 120_000, 99, 12
_BLOCK_PULSES = 10
_N_BOOTSTRAP = 400

Waveforms = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Records:
    """Simulated records with what they are without noise.

    Parameters
    ----------
    samples : ndarray of uint16, shape (pulse, sample)
        As digitised.
    clean : ndarray of float64, shape (pulse, sample)
        With baseline and polarity.
    light_kevee : ndarray of float64, shape (pulse,)
        Of each.
    """

    samples: NDArray[np.uint16]
    clean: Waveforms
    light_kevee: NDArray[np.float64]

    @classmethod
    def simulated(cls, n_pulses: int, seed: int) -> Records:
        """Simulate what `benchmarks/denoise.py` judges by."""
        config = configured(n_pulses, seed)
        blocks = list(simulate_blocks_with_truth(config))
        return cls(
            np.concatenate([each.pulses.samples for each in blocks]),
            np.concatenate([each.clean_adc for each in blocks]).astype(np.float64),
            np.concatenate([each.pulses.column("energy_kevee") for each in blocks]).astype(np.float64),
        )

    def __getitem__(self, at: NDArray[np.int64]) -> Records:
        return Records(self.samples[at], self.clean[at], self.light_kevee[at])


def configured(n_pulses: int, seed: int) -> SimulationConfig:
    """Return the configuration of `benchmarks/denoise.py`."""
    return SimulationConfig(n_pulses=n_pulses, energy_min_kevee=20, energy_max_kevee=MOST_KEVEE, seed=seed)


def means_of_chains(config: SimulationConfig, n_sweeps: int, numbered: tuple[int, NDArray[Any]]) -> Waveforms:
    """Return the mean clean record given each record of a block, by two chains; shape (chain, pulse, sample).

    Above the baseline that is configured, upwards, in ADC counts.
    """
    number, samples = numbered
    model = RecordModel.of(config)
    by_class = chain_clean_records(model, samples, n_sweeps=n_sweeps, seed=number)
    # As many neutrons as gammas.
    neutron = 1 / (1 + np.exp(-record_log_ratio(model, samples).log_ratio))[:, np.newaxis]
    late = (1 - neutron) * by_class[0] + neutron * by_class[1]
    # Before the light there is the baseline alone, as in the first of the samples that follow.
    whole = np.concatenate([np.repeat(late[:, :, :1], model.begin, axis=2), late], axis=2)
    digitizer = model.model.digitizer
    above = digitizer.sign * (samples[:, : model.begin].astype(np.float64) - digitizer.baseline_adc)
    return np.asarray(whole + model.baseline_share * above.sum(axis=1)[:, np.newaxis])


def by_network(model: Path, records: Records) -> Waveforms:
    """Return denoised records, with baseline and polarity."""
    predictor = NativePredictor(model, threads=1)
    preparation = predictor.description.preparation
    restoration = prepare(records.samples, preparation).restoration
    prepared = predictor.run(records.samples)[0].reshape(len(records.samples), -1)
    upright = prepared * restoration.divisor[:, np.newaxis]
    return np.asarray(restoration.baseline_adc + preparation.only.polarity * upright)


def fitted_filter(training: Records) -> Callable[[Records], Waveforms]:
    """Fit the matrix-Wiener filter by height, to records above the mean of their first ten samples."""

    def begin(records: Records) -> Waveforms:
        return np.asarray(records.samples[:, :10].mean(axis=1, keepdims=True))

    noisy = begin(training) - training.samples.astype(np.float64)
    fitted = by_height(fit_matrix_wiener, noisy, begin(training) - training.clean)
    return lambda records: begin(records) - fitted(begin(records) - records.samples.astype(np.float64))


def decibels(noise: NDArray[np.float64], left: NDArray[np.float64]) -> tuple[float, float]:
    """Return the gain and its standard error, from the squares of each pulse."""
    rng, n_pulses = np.random.default_rng(0), len(noise)
    drawn = rng.integers(n_pulses, size=(_N_BOOTSTRAP, n_pulses))
    several = 10 * np.log10(noise[drawn].mean(axis=1) / left[drawn].mean(axis=1))
    return float(10 * np.log10(noise.mean() / left.mean())), float(several.std())


def measured(n_pulses: int, n_sweeps: int, model: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the gains of all ways in each range of light, on the same pulses."""
    config, filtered = configured(1, 0), fitted_filter(Records.simulated(N_TRAINING, TRAINING_SEED))
    digitizer, every = RecordModel.of(config).model.digitizer, Records.simulated(200 * n_pulses // 10, JUDGED_SEED)
    for low, high in itertools.pairwise(RANGES_KEVEE):
        at = np.flatnonzero((every.light_kevee >= low) & (every.light_kevee < high))[:n_pulses]
        some, blocks = every[at], range(0, len(at), _BLOCK_PULSES)
        numbered = ((first, some.samples[first : first + _BLOCK_PULSES]) for first in blocks)
        means = np.concatenate([means_of_chains(config, n_sweeps, each) for each in numbered], axis=1)
        noise = np.square(some.samples - some.clean).mean(axis=1)
        one, other = digitizer.baseline_adc + digitizer.sign * means - some.clean
        left = {"bound": (one * other).mean(axis=1)}
        left["matrix-Wiener, by height"] = np.square(filtered(some) - some.clean).mean(axis=1)
        if model is not None:
            left["network"] = np.square(by_network(model, some) - some.clean).mean(axis=1)
        yield {
            "range_kevee": [low, high],
            "n_pulses": len(at),
            "gain_db": {name: decibels(noise, each) for name, each in left.items()},
            "bound_above_db": {name: decibels(each, left["bound"]) for name, each in left.items() if name != "bound"},
            "error_of_chains": float(np.square(one - other).mean() / 4 / left["bound"].mean()),
        }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pulses", type=int, default=300, help="in each range of light")
    parser.add_argument("--sweeps", type=int, default=600)
    parser.add_argument("--model", type=Path, help="a frozen denoiser, judged on the same pulses")
    options = parser.parse_args()
    for row in measured(options.pulses, options.sweeps, options.model):
        print(json.dumps(row, indent=2), flush=True)


if __name__ == "__main__":
    main()
