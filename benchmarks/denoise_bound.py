"""How much noise can be taken out of a record at most: the mean of all pulses that may be behind it.

No denoiser has a smaller mean square error than the mean of the clean record given the noisy one. It is computed for
some pulses of the run that `benchmarks/denoise.py` judged by, with everything that is not known drawn by Markov chains
(`record_chains.py`): photoelectrons, onset, light (its prior is the spectrum of that run), baseline; the two classes
count by the likelihood ratio of the record. Two chains of each class tell the error without that of the chains, which
would make the bound too low in decibels: the product of their differences from the truth.

Usage: python benchmarks/denoise.py -o FOLDER; python benchmarks/denoise_bound.py FOLDER [--pulses 300] [--sweeps 2000]
"""

from __future__ import annotations

import argparse
import itertools
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoise import MOST_KEVEE, Run
from denoise_filters import by_height, fit_matrix_wiener
from discrimen.formats.table import open_reader
from discrimen.inference.native import NativePredictor
from discrimen.network.prepare import prepare
from discrimen.pulses import concatenate
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.record_likelihood import record_log_ratio
from discrimen.simulation.record_model import RecordModel
from record_chains import chain_clean_records

RANGES_KEVEE = (30, 50, 100)
_BLOCK_PULSES = 10
_N_BOOTSTRAP = 400

Waveforms = NDArray[np.float64]


def read_run(folder: Path, name: str) -> Run:
    """Read what `benchmarks/denoise.py` simulated."""
    pulses, clean = (concatenate(open_reader(folder / f"{name}{kind}.lh5").chunks()) for kind in ("", ".clean"))
    return Run(folder / f"{name}.lh5", pulses, clean.samples.astype(np.float64))


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


def by_network(model: Path, run: Run, at: NDArray[np.int64]) -> Waveforms:
    """Return denoised records, as recorded: with baseline and polarity."""
    predictor = NativePredictor(model, threads=1)
    preparation, samples = predictor.description.preparation, run.pulses.samples[at]
    restoration = prepare(samples, preparation).restoration
    prepared = predictor.run(samples)[0].reshape(len(at), -1)
    upright = prepared * restoration.divisor[:, np.newaxis]
    return np.asarray(restoration.baseline_adc + preparation.only.polarity * upright)


def by_filter(training: Run, judged: Run, at: NDArray[np.int64]) -> Waveforms:
    """Return what the matrix-Wiener filter by height gives, which stands above the mean of the first ten samples."""

    def upright(run: Run, records: NDArray[Any]) -> Waveforms:
        baseline = run.pulses.samples[:, :10].mean(axis=1, keepdims=True)
        return baseline - records.astype(np.float64)

    fitted = by_height(fit_matrix_wiener, upright(training, training.pulses.samples), upright(training, training.clean))
    some = upright(judged, judged.pulses.samples)[at]
    return judged.pulses.samples[at, :10].mean(axis=1, keepdims=True) - fitted(some)


def decibels(noise: NDArray[np.float64], left: NDArray[np.float64]) -> tuple[float, float]:
    """Return the gain and its standard error, from the squares of each pulse."""
    rng, n_pulses = np.random.default_rng(0), len(noise)
    drawn = rng.integers(n_pulses, size=(_N_BOOTSTRAP, n_pulses))
    several = 10 * np.log10(noise[drawn].mean(axis=1) / left[drawn].mean(axis=1))
    return float(10 * np.log10(noise.mean() / left.mean())), float(several.std())


def measured(folder: Path, n_pulses: int, n_sweeps: int, n_processes: int) -> list[dict[str, Any]]:
    """Return the gains of all ways in each range of light, on the same pulses."""
    config = SimulationConfig(n_pulses=1, energy_min_kevee=20, energy_max_kevee=MOST_KEVEE)
    training, judged = read_run(folder, "training"), read_run(folder, "judged")
    light, rows = judged.pulses.column("energy_kevee"), []
    sign = RecordModel.of(config).model.digitizer.sign
    baseline_adc = RecordModel.of(config).model.digitizer.baseline_adc
    for low, high in itertools.pairwise(RANGES_KEVEE):
        at = np.flatnonzero((light >= low) & (light < high))[:n_pulses]
        blocks = [
            judged.pulses.samples[at[first : first + _BLOCK_PULSES]] for first in range(0, len(at), _BLOCK_PULSES)
        ]
        with ProcessPoolExecutor(n_processes) as pool:
            means = np.concatenate(
                list(pool.map(partial(means_of_chains, config, n_sweeps), enumerate(blocks))), axis=1
            )
        truth = judged.clean[at]
        noise = np.square(judged.pulses.samples[at] - truth).mean(axis=1)
        one, other = baseline_adc + sign * means - truth
        ways = {"matrix-Wiener, by height": by_filter(training, judged, at)}
        ways["network"] = by_network(folder / "clean.discrimen", judged, at)
        left = {name: np.square(records - truth).mean(axis=1) for name, records in ways.items()}
        left["bound"] = (one * other).mean(axis=1)
        gains = {name: decibels(noise, each) for name, each in left.items()}
        gains["bound above network"] = decibels(left["network"], left["bound"])
        gains["bound above filter"] = decibels(left["matrix-Wiener, by height"], left["bound"])
        chains = float(np.square(one - other).mean() / 4 / left["bound"].mean())
        rows.append({"range_kevee": [low, high], "n_pulses": len(at), "gain_db": gains, "of_chains": chains})
    return rows


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="what benchmarks/denoise.py wrote to")
    parser.add_argument("--pulses", type=int, default=300, help="in each range of light")
    parser.add_argument("--sweeps", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(measured(options.folder, options.pulses, options.sweeps, options.processes), indent=2))


if __name__ == "__main__":
    main()
