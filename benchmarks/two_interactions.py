"""What can be told of two interactions in one segment: the bound, grid search and network, as in docs/positions.md.

python benchmarks/two_interactions.py [--spacing-mm 1] [--seed 77] [--segments 9 15 ...] [--basis basis.h5]
    [--model MODEL.discrimen] [-n 3000]

Noise is 3 keV a sample, white; the time is unknown. Pairs are points of a basis whose distance is the wanted one within
0.5 mm. The chi-square is the square of the difference from the single interaction most like the pair, found between the
points of the same basis; what the interpolation itself leaves of noiseless single interactions is printed beside.

With a basis (the one of 'simulate --basis-mm 2') and a model, hits are simulated at the very distances, so many of each
kind in the whole crystal, and those of the segments are taken apart. 5 % of the single interactions of the same energy
are taken for two by each method; distances from the truth are medians, in the order of the two that fits better.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.grid_search.bound import PairBound, cramer_rao_pairs, parting_efficiency
from discrimen.grid_search.noise import white_noise
from discrimen.grid_search.pair_adaptive import search_pairs_adaptive
from discrimen.grid_search.search import search
from discrimen.grid_search.segment_library import SegmentLibrary, segment_library
from discrimen.inference.load import load_model
from discrimen.inference.positions import locate_hits
from discrimen.metrics.intervals import wilson_interval
from discrimen.pulses.hits import Hits, join_hits
from discrimen.simulation.germanium.basis import Basis, BasisWish, build_basis, read_basis
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.electronics import TIME_CONSTANT_NS, Electronics
from discrimen.simulation.germanium.pairs import Pairs, places_inside
from discrimen.simulation.germanium.signals import Charges, Field, Window, build_field, induce
from discrimen.simulation.germanium.simulate import GermaniumConfig, simulate_hits

NOISE_KEV, FALSE_SHARE = 3.0, 0.05
OFFSETS_NS = np.array([2.5, 5.0, 7.5])
SEARCHED_NS = np.arange(0, 10.1, 2.5)
SINGLES_OF_EACH = 4
"""So many times as many single interactions as pairs of a kind: they set the limit."""
SPLITS = (0.5, 0.8)
DISTANCES_MM = (2.0, 5.0, 10.0, 15.0, 20.0)
TOLERANCE_MM = 0.5
TRIED_POINTS, PAIRS_OF_SEGMENT, FLOOR_PLACES = 600, 150, 4000
GAIN = Electronics().gain_adc_per_kev

Bounds = dict[tuple[float, float, float], list[PairBound]]
Parted = tuple[NDArray[np.float64], NDArray[np.float64]]
"""What grows with the likelihood of two (hit,), and both places (hit, 2, 3)."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spacing-mm", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--detector", default="greta-a")
    parser.add_argument("--energies-kev", type=float, nargs="+", default=[300, 1000])
    parser.add_argument("--segments", type=int, nargs="+", default=[9, 15, 33])
    parser.add_argument("--basis", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-n", "--n-hits", type=int, default=3000)
    return parser.parse_args()


def library_of(field: Field, segment: int, spacing_mm: float) -> SegmentLibrary:
    """Return the library of a segment in ADC counts."""
    basis = build_basis(field.crystal, BasisWish(spacing_mm=spacing_mm, segment=segment), electric=field)
    noise = white_noise(NOISE_KEV * GAIN, n_channels=37, n_samples=basis.traces.shape[2])
    return segment_library(basis, segment, noise, channels=np.arange(37), offsets_ns=OFFSETS_NS, window=slice(None))


def pairs_at(library: SegmentLibrary, distance_mm: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return pairs of points so far apart, shape (pair, 2)."""
    first = rng.permutation(len(library))[:TRIED_POINTS]
    apart = np.linalg.norm(library.positions_mm[first, None] - library.positions_mm, axis=2)
    pairs = np.argwhere(np.abs(apart - distance_mm) <= TOLERANCE_MM)
    chosen = pairs[rng.permutation(len(pairs))[:PAIRS_OF_SEGMENT]]
    return np.stack([first[chosen[:, 0]], chosen[:, 1]], axis=1)


def left_of_singles(library: SegmentLibrary, field: Field, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the square that the interpolation leaves of noiseless single interactions of 1 MeV."""
    made = induce(
        field,
        Charges.single(places_inside(field, FLOOR_PLACES, rng)),
        window=Window(),
        time_constants_ns=TIME_CONSTANT_NS,
        time_offsets_ns=np.full(FLOOR_PLACES, OFFSETS_NS[len(OFFSETS_NS) // 2]),
    )
    noise = white_noise(NOISE_KEV, n_channels=37, n_samples=made.traces.shape[2])
    white = noise.whitened(1000 * made.traces[made.segment == library.segment], np.arange(37))
    return search(library, white, np.full(len(white), 1000 * GAIN)).chi_square


def add_bounds(bounds: Bounds, library: SegmentLibrary, energies_kev: list[float], rng: np.random.Generator) -> None:
    for distance in DISTANCES_MM:
        points = pairs_at(library, distance, rng)
        for energy in energies_kev if len(points) else ():
            for split in SPLITS:
                bound = cramer_rao_pairs(library, energy * GAIN, points, split)
                bounds.setdefault((energy, split, distance), []).append(bound)


def told(bounds: list[PairBound]) -> str:
    apart = np.concatenate([each.distances_mm(draws=50) for each in bounds])
    unlike = np.concatenate([each.unlike_one for each in bounds])
    share = np.median(np.concatenate([each.share for each in bounds]))
    taken = parting_efficiency(unlike, false_share=FALSE_SHARE).mean()
    first, second = np.median(apart[:, 0]), np.median(apart[:, 1])
    return f"{first:9.2f} {second:9.2f} {share:9.3f} {np.median(unlike):12.1f} {taken:10.1%}"


def hits_in(given: argparse.Namespace, field: Field, energy: float, n_hits: int, pairs: Pairs | None) -> Hits:
    """Simulate hits, and keep those of the segments."""
    seed = (
        given.seed + n_hits if pairs is None else given.seed + int(1000 * pairs.second_share[0] + pairs.distance_mm[0])
    )
    config = GermaniumConfig(
        detector=given.detector, n_hits=n_hits, energy_kev=(energy, energy), seed=seed, n_threads=2, pairs=pairs
    )
    kept = [each[np.isin(each.column("segment"), given.segments)] for each in simulate_hits(config, electric=field)]
    return join_hits(kept)


def searched(basis: Basis, segments: list[int]) -> Callable[[Hits], Parted]:
    """Return the search for one and for two interactions."""
    n_samples = basis.traces.shape[2]
    noise = white_noise(NOISE_KEV * GAIN, n_channels=37, n_samples=n_samples)
    libraries = {
        each: segment_library(basis, each, noise, channels=np.arange(37), offsets_ns=SEARCHED_NS, window=slice(None))
        for each in segments
    }

    def part(hits: Hits) -> Parted:
        better, places = np.empty(len(hits)), np.empty((len(hits), 2, 3))
        for segment in np.unique(hits.column("segment")):
            rows = np.flatnonzero(hits.column("segment") == segment)
            traces = hits.samples[rows][:, :, -n_samples:].astype(np.float32)
            white, height = noise.whitened(traces, np.arange(37)), traces[:, -1, -5:].mean(axis=1)
            two = search_pairs_adaptive(libraries[int(segment)], white, height)
            better[rows] = search(libraries[int(segment)], white, height).chi_square - two.chi_square
            places[rows] = two.positions_mm
        return better, places

    return part


def network(path: Path) -> Callable[[Hits], Parted]:
    predictor = load_model(path, threads=2).predictor

    def part(hits: Hits) -> Parted:
        found = locate_hits(predictor, hits)
        if found.second is None:
            raise SystemExit(f"{path} knows one interaction only: train it with --interactions 2")
        return found.second.probability, np.stack([found.position_mm, found.second.position_mm], axis=1)

    return part


def told_of(parted: Parted, limit: float, hits: Hits) -> str:
    """Return what share was taken for two with its interval, and how far both places are off."""
    likely, places = parted
    truth = np.stack(
        [np.stack([hits.column(f"{axis}{which}_mm") for axis in "xyz"], axis=1) for which in ("", "_2")], axis=1
    )
    straight, crossed = np.linalg.norm(places - truth, axis=2), np.linalg.norm(places[:, ::-1] - truth, axis=2)
    turned = np.square(crossed).sum(axis=1) < np.square(straight).sum(axis=1)
    first, second = np.nanmedian(np.where(turned[:, None], crossed, straight), axis=0)
    taken = wilson_interval(int((likely > limit).sum()), len(likely), confidence=0.95)
    return f"{taken.value:6.1%} ({taken.low:.1%}-{taken.high:.1%})  {first:.2f}, {second:.2f} mm"


def compare(given: argparse.Namespace, field: Field, methods: Mapping[str, Callable[[Hits], Parted]]) -> None:
    """Print what each method makes of the same hits."""
    for energy in given.energies_kev:
        singles = hits_in(given, field, energy, SINGLES_OF_EACH * given.n_hits, None)
        limits = {name: float(np.nanquantile(part(singles)[0], 1 - FALSE_SHARE)) for name, part in methods.items()}
        limits_told = ", ".join(f"{name} {limit:.3g}" for name, limit in limits.items())
        print(f"\n{energy:g} keV, {len(singles)} single interactions; limits: {limits_told}")
        for split in SPLITS:
            for distance in DISTANCES_MM:
                wish = Pairs(second_share=(1 - split, 1 - split), distance_mm=(distance, distance))
                hits = hits_in(given, field, energy, given.n_hits, wish)
                for name, part in methods.items():
                    words = told_of(part(hits), limits[name], hits)
                    print(f"{split:4.0%} {distance:4g} mm, {len(hits)} hits, {name}: {words}", flush=True)


def main() -> None:
    given = arguments()
    field = build_field(read_crystal(given.detector), n_threads=2)
    rng = np.random.default_rng(given.seed)
    bounds: Bounds = {}
    floor = []
    for segment in given.segments:
        library = library_of(field, segment, given.spacing_mm)
        floor.append(left_of_singles(library, field, rng))
        add_bounds(bounds, library, given.energies_kev, rng)
        print(f"segment {segment}: {len(library)} points", flush=True)
    quartiles = ", ".join(f"{each:.2f}" for each in np.quantile(np.concatenate(floor), [0.25, 0.5, 0.75]))
    print(f"chi-square of noiseless single interactions of 1 MeV between the points, quartiles: {quartiles}")
    print("keV    split  distance  first mm  second mm  share   chi-square  taken for two (mean)")
    for (energy, split, distance), each in sorted(bounds.items()):
        print(f"{energy:6g} {split:5.0%} {distance:8g} {told(each)}", flush=True)
    methods: dict[str, Callable[[Hits], Parted]] = {}
    if given.basis is not None:
        methods["grid search"] = searched(read_basis(given.basis), given.segments)
    if given.model is not None:
        methods["network"] = network(given.model)
    if methods:
        compare(given, field, methods)


if __name__ == "__main__":
    main()
