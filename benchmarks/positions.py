"""Positions of simulated single hits: networks beside the grid search and the bounds, as docs/positions.md states them.

python benchmarks/positions.py basis.h5 [MODEL.discrimen ...] [-n 3000] [--seed 901] [--cloud-parts 8]
    [--electronics ideal|cross-talk|responses|coloured|full] [--time]

The basis must be one of the detector with the response of its hits ('simulate --basis-mm 2'). Hits have 3 keV of white
noise and an unknown time within 10 ns; each energy has its own. Charge clouds and what real electronics do come by
option; neither the searches nor the bound know of them. The mean of the posterior is computed up to 150 keV. The
Cramér-Rao bound is that of white noise with the baseline known, at the points of the basis. With --time everything is
timed on one core, taken in turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.benchmark.timing import time_in_turns
from discrimen.grid_search.bound import cramer_rao
from discrimen.grid_search.locate import GridSearch
from discrimen.grid_search.noise import white_noise
from discrimen.grid_search.search import SearchOptions, search
from discrimen.grid_search.segment_library import SegmentLibrary, segment_library
from discrimen.inference.load import load_model
from discrimen.inference.positions import ModelLocator
from discrimen.metrics.position import quantile_estimate
from discrimen.network.located import Located
from discrimen.pulses.hits import Hits, join_hits
from discrimen.simulation.germanium.basis import Basis, read_basis
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.electronics import Electronics
from discrimen.simulation.germanium.signals import build_field
from discrimen.simulation.germanium.simulate import FULL_PHYSICS, GermaniumConfig, simulate_hits

NOISE_KEV = 3.0
OFFSETS_NS = np.arange(0, 10.1, 2.5)
CONFIDENCE = 0.95
SEARCHES = {
    "grid search, its points alone": SearchOptions(interpolate=False),
    "grid search": SearchOptions(),
    "grid search, adaptive": SearchOptions(adaptive=True),
}
POSTERIOR = "mean of the posterior"
POSTERIOR_KEV = 150.0
FULL = FULL_PHYSICS
ELECTRONICS = {
    "ideal": Electronics(),
    "cross-talk": Electronics(
        linear_crosstalk=FULL.linear_crosstalk, differential_crosstalk_ns=FULL.differential_crosstalk_ns
    ),
    "responses": Electronics(time_constant_spread=FULL.time_constant_spread),
    "coloured": Electronics(noise_corner_mhz=FULL.noise_corner_mhz),
    "full": FULL,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("basis", type=Path)
    parser.add_argument("models", type=Path, nargs="*")
    parser.add_argument("-n", "--n-hits", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--detector", default="greta-a")
    parser.add_argument("--energies-kev", type=float, nargs="+", default=[50, 100, 300, 1000])
    parser.add_argument("--cloud-parts", type=int, default=1, help="of the charge cloud of each hit; 1: a point")
    parser.add_argument("--electronics", choices=ELECTRONICS, default="ideal")
    parser.add_argument("--setup-seed", type=int, default=0, help="of what channels differ in")
    parser.add_argument("--time", action="store_true")
    return parser.parse_args()


def told(found: Located, hits: Hits) -> str:
    truth = np.stack([hits.column(f"{axis}_mm") for axis in "xyz"], axis=1)
    apart = np.linalg.norm(found.position_mm - truth, axis=1)
    apart = apart[np.isfinite(apart)]
    median = quantile_estimate(apart, 0.5, confidence=CONFIDENCE)
    wide = quantile_estimate(apart, 0.95, confidence=CONFIDENCE)
    rms = np.sqrt(np.square(apart).mean())
    return (
        f"median {median.value:.2f} [{median.low:.2f}, {median.high:.2f}], rms {rms:.2f}, 95 % within "
        f"{wide.value:.1f} mm; {len(apart)} of {len(truth)} located{errors_told(found, truth)}"
    )


def errors_told(found: Located, truth: NDArray[np.float64]) -> str:
    """Say how many residuals lie within their predicted errors: 68.3 % where these hold."""
    if found.deviation_mm is None:
        return ""
    pull = np.abs(found.position_mm - truth) / found.deviation_mm
    shares = 100 * (pull[np.isfinite(pull).all(axis=1)] <= 1).mean(axis=0)
    return f"; within the error: x {shares[0]:.0f}, y {shares[1]:.0f}, z {shares[2]:.0f} %"


def libraries_of(basis: Basis) -> dict[int, SegmentLibrary]:
    """Return the library of each segment, in ADC counts."""
    sigma = NOISE_KEV * Electronics().gain_adc_per_kev
    noise = white_noise(sigma, n_channels=37, n_samples=basis.traces.shape[2])
    return {
        int(segment): segment_library(
            basis, int(segment), noise, channels=np.arange(37), offsets_ns=OFFSETS_NS, window=slice(None)
        )
        for segment in np.unique(basis.segment[basis.segment >= 0])
    }


def bound_mm(libraries: dict[int, SegmentLibrary], energies_kev: list[float]) -> dict[float, float]:
    """Return the median distance of the Cramér-Rao bound over the points of the whole crystal."""
    gain = Electronics().gain_adc_per_kev
    return {
        energy: float(
            np.median(
                np.concatenate(
                    [cramer_rao(each, energy * gain).distances_mm(draws=50).ravel() for each in libraries.values()]
                )
            )
        )
        for energy in energies_kev
    }


def simulated(given: argparse.Namespace, energy_kev: float, seed: int, n_hits: int) -> Hits:
    config = GermaniumConfig(
        detector=given.detector,
        n_hits=n_hits,
        energy_kev=(energy_kev, energy_kev),
        cloud_parts=given.cloud_parts,
        electronics=replace(ELECTRONICS[given.electronics], setup_seed=given.setup_seed),
        seed=seed,
        n_threads=2,
    )
    return join_hits(simulate_hits(config, electric=given.field))


def timed(given: argparse.Namespace, basis: Basis, hits: Hits) -> None:
    """Tell the time of a hit of one segment by every method, one core each."""
    segment, counts = np.unique(hits.column("segment"), return_counts=True)
    chosen = int(segment[counts.argmax()])
    some = hits[hits.column("segment") == chosen]
    noise = white_noise(NOISE_KEV * Electronics().gain_adc_per_kev, n_channels=37, n_samples=basis.traces.shape[2])
    traces = some.samples.astype(np.float32)[:, :, -basis.traces.shape[2] :]
    white, height = noise.whitened(traces, np.arange(37)), traces[:, -1, -5:].mean(axis=1)
    calls: dict[str, Callable[[], object]] = {}
    for name, compress, adaptive in (
        ("grid search, full, every sample of 37 channels", False, False),
        ("grid search, full, components", True, False),
        ("grid search, adaptive, components", True, True),
    ):
        library = segment_library(
            basis, chosen, noise, channels=np.arange(37), offsets_ns=OFFSETS_NS, window=slice(None), compress=compress
        )
        how = SearchOptions(adaptive=adaptive)
        calls[name] = lambda library=library, how=how: search(library, white, height, options=how)  # type: ignore[misc]
    for path in given.models:
        for backend in ("native", "onnxruntime"):
            model = path if backend == "native" else path.with_suffix(".onnx")
            if not model.exists():
                continue
            predictor = load_model(model, threads=1).predictor
            calls[f"{model.name}"] = lambda predictor=predictor: predictor.run(some.samples)  # type: ignore[misc]
    print(f"\nsegment {chosen}, {len(some)} hits at a time, {int((basis.segment == chosen).sum())} points of the basis")
    for name, times in time_in_turns(calls, seconds=60).items():
        print(f"{name}: {np.median(times) / len(some) / 1000:.2f} us a hit")


def main() -> None:
    given = arguments()
    basis = read_basis(given.basis)
    given.field = build_field(read_crystal(given.detector), n_threads=2)
    libraries = libraries_of(basis)
    bounds = bound_mm(libraries, given.energies_kev)
    noise_adc = NOISE_KEV * Electronics().gain_adc_per_kev
    methods = {
        name: GridSearch(basis=basis, options=options, noise_adc=noise_adc, libraries=libraries)
        for name, options in SEARCHES.items()
    }
    methods[POSTERIOR] = GridSearch(basis=basis, noise_adc=noise_adc, libraries=libraries, posterior=True)
    locators = methods | {path.name: ModelLocator(load_model(path, threads=2).predictor) for path in given.models}
    for number, energy in enumerate(given.energies_kev):
        hits = simulated(given, energy, given.seed + number, given.n_hits)
        print(f"\n{energy:g} keV: Cramér-Rao, median {bounds[energy]:.2f} mm")
        for name, locator in locators.items():
            if name == POSTERIOR and energy > POSTERIOR_KEV:
                continue
            print(f"  {name}: {told(locator.locate(hits), hits)}", flush=True)
    if given.time:
        timed(given, basis, simulated(given, 500, given.seed + 50, 8000))


if __name__ == "__main__":
    main()
