"""Traces of germanium hits denoised by networks and by filters, as docs/denoise.md states them.

python benchmarks/denoise_hits.py train.h5 train.clean.h5 test.h5 test.clean.h5 [MODEL.discrimen ...] \
    [--basis basis.h5] [--positions POSITIONS.discrimen]

The files are those of 'simulate --detector ... --energy-kev ... --clean'; models are frozen ones of 'train --task
reconstruction'. Beside them stand the best linear filters for white noise of known size, fitted to the clean training
hits: one for the whole traces of a hit by the segment that was hit (principal components of all channels together, each
with its variance, and an unknown baseline in each channel), and one for each trace by itself, whichever it is. With a
basis and a network of positions, these locate what was recorded and what came out of each method.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.traces import TraceReport, evaluate_traces
from discrimen.grid_search.locate import GridSearch
from discrimen.inference.base import Reconstructed
from discrimen.inference.clean_traces import clean_traces
from discrimen.inference.load import load_model
from discrimen.inference.positions import Locator, ModelLocator
from discrimen.pulses.hits import Hits
from discrimen.runs.hits_file import read_hits
from discrimen.simulation.germanium.basis import read_basis

N_COMPONENTS = 150
N_ENERGIES = 16
MOST_HITS = 1500
N_BEFORE, N_END, CORE = 14, 5, 36
ENERGIES_KEV = ((50, 75), (75, 150), (150, 400), (400, 1000), (1000, 2000))


@dataclass(eq=False)
class Filter:
    """A linear filter in the place of a model: the mean of the posterior of a normal ensemble of signals."""

    clean: NDArray[np.float32]
    noise_adc: float
    description: Any
    together: bool
    backend: str = "a filter"

    def __post_init__(self) -> None:
        self.segment, self.height = segment_and_height(self.clean)
        self.ensembles: dict[int, tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]] = {}

    def reconstruct(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> Reconstructed:
        above = samples - samples[:, :, :N_BEFORE].mean(axis=2, keepdims=True, dtype=np.float32)
        segment, height = segment_and_height(above)
        made = np.empty(samples.shape, np.float32)
        edges = np.geomspace(height.min() * 0.999, height.max() * 1.001, N_ENERGIES + 1)
        for number in np.unique(segment):
            for low, high in pairwise(edges):
                rows = np.flatnonzero((segment == number) & (height >= low) & (height < high))
                if len(rows):
                    made[rows] = self._filtered(above[rows], height[rows], int(number))
        return Reconstructed(made + (samples - above), None)

    def _filtered(self, above: NDArray[Any], height: NDArray[Any], segment: int) -> NDArray[Any]:
        mean, variance, components, overlaps = self._ensemble(segment if self.together else -1)
        traces = above.reshape(len(height), *((-1,) if self.together else above.shape[1:]))
        left = traces - mean * height.reshape(-1, *[1] * (traces.ndim - 1))
        square = np.square(np.median(height))
        prior = np.concatenate([variance * square, np.full(len(components) - len(variance), 1e6 * self.noise_adc**2)])
        inner = overlaps + np.diag(self.noise_adc**2 / prior)
        found = np.linalg.solve(inner, components @ left.reshape(-1, components.shape[1]).T).T @ components
        result: NDArray[Any] = mean * height.reshape(-1, *[1] * (traces.ndim - 1)) + found.reshape(traces.shape)
        return result.reshape(above.shape)

    def _ensemble(self, segment: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return mean, variances, components with constants behind them, and their products, of unit energy."""
        if segment not in self.ensembles:
            of = np.flatnonzero((self.segment == segment) | (segment < 0))[:MOST_HITS]
            unit = self.clean[of] / self.height[of][:, None, None].astype(np.float32)
            n_channels, n_samples = unit.shape[1:]
            rows = unit.reshape(len(unit), -1) if self.together else unit.reshape(-1, n_samples)
            mean = rows.mean(axis=0)
            values, vectors = np.linalg.eigh(np.cov((rows - mean).T) if not self.together else _gram(rows - mean))
            order = np.argsort(values)[::-1][:N_COMPONENTS]
            values = np.maximum(values[order], 1e-14)
            if self.together:
                components = ((rows - mean).T @ vectors[:, order] / np.sqrt(values * len(rows))).T
                constants = np.kron(np.eye(n_channels), np.ones((1, n_samples)))
            else:
                components, constants = vectors[:, order].T, np.ones((1, n_samples))
            both = np.vstack([components, constants]).astype(np.float32)
            self.ensembles[segment] = mean, values, both, (both @ both.T).astype(np.float64)
        return self.ensembles[segment]


def _gram(rows: NDArray[Any]) -> NDArray[Any]:
    return rows @ rows.T / len(rows)


def segment_and_height(above: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ends = above[:, :, -N_END:].mean(axis=2, dtype=np.float64)
    return ends[:, :CORE].argmax(axis=1), ends[:, CORE]


@dataclass(eq=False)
class Method:
    """What denoises, under its name."""

    name: str
    predictor: Any
    hits: Hits
    clean: Hits

    @cached_property
    def report(self) -> TraceReport:
        return evaluate_traces(self.predictor, self.hits, self.clean.samples)

    @cached_property
    def denoised(self) -> Hits:
        return self.hits.with_samples(clean_traces(self.predictor, self.hits).traces_adc)

    def tell(self) -> None:
        print(f"\n{self.name}: {self.report.n_judged} of {self.report.n_hits} hits")
        for kind, ranges in {**self.report.kinds, "transients over noise": self.report.transients}.items():
            for each in ranges:
                if each.figures:
                    figures = {name: f"{found.value:.2f}" for name, found in each.figures.items()}
                    print(f"  {kind}, {each.name}: {figures}", flush=True)


def located(name: str, locator: Locator, method: str, hits: Hits) -> None:
    found = locator.locate(hits)
    truth = np.stack([hits.column(f"{axis}_mm") for axis in "xyz"], axis=1)
    apart = np.linalg.norm(found.position_mm - truth, axis=1)
    energy = hits.column("energy_kev")
    told = []
    for low, high in ENERGIES_KEV:
        inside = (energy >= low) & (energy < high) & np.isfinite(apart)
        told.append(f"{low}-{high} keV {np.median(apart[inside]):.2f} mm ({inside.sum()})")
    print(f"{name}, {method}: median {', '.join(told)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("train", "train_clean", "test", "test_clean"):
        parser.add_argument(name, type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--basis", type=Path)
    parser.add_argument("--positions", type=Path)
    parser.add_argument("--hits", type=int, default=8000, help="of the test")
    parser.add_argument("--segments", type=int, nargs="+", help="of the test, by default all")
    parser.add_argument("--noise-kev", type=float, default=3.0)
    given = parser.parse_args()
    hits, clean = (read_hits(path)[: given.hits] for path in (given.test, given.test_clean))
    if given.segments:
        chosen = np.isin(hits.column("segment"), given.segments)
        hits, clean = hits[chosen], clean[chosen]
    noise_adc = given.noise_kev * 2.4
    networks = {path.name: load_model(path, threads=2).predictor for path in given.models}
    description = next(iter(networks.values())).description
    taught = read_hits(given.train_clean)
    predictors = networks | {
        name: Filter(taught.samples, noise_adc, description, together)
        for name, together in (("Wiener by segment, all traces", True), ("Wiener, each trace", False))
    }
    methods = [Method(name, predictor, hits, clean) for name, predictor in predictors.items()]
    for method in methods:
        method.tell()
    locators: dict[str, Locator] = {}
    if given.basis:
        locators["grid search"] = GridSearch(basis=read_basis(given.basis), noise_adc=noise_adc)
    if given.positions:
        locators["network of positions"] = ModelLocator(load_model(given.positions, threads=2).predictor)
    for name, locator in locators.items():
        located(name, locator, "recorded", hits)
        located(name, locator, "clean", hits.with_samples(clean.samples))
        for method in methods:
            located(name, locator, method.name, method.denoised)


if __name__ == "__main__":
    main()
