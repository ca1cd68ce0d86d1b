"""Simulate hits of a segmented germanium crystal in blocks, with their truth.

Two kinds: single interactions of one energy, even in the volume (the benchmark of position networks), or two in one
segment; and gamma rays of all energies with all that they do in the crystal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.pulses import PulseFlag
from discrimen.pulses.hits import Hits
from discrimen.simulation.germanium.cloud import clouds
from discrimen.simulation.germanium.crystal import CHANNELS, read_crystal
from discrimen.simulation.germanium.electronics import Electronics
from discrimen.simulation.germanium.interactions import follow
from discrimen.simulation.germanium.pairs import Pairs, places_inside, places_of_pairs
from discrimen.simulation.germanium.signals import Charges, Field, Window, build_field, induce

RECORD = Window(n_samples=74, onset_ns=200.0)
"""Of hits: 20 samples of baseline, and behind the onset as many as a basis has."""
BLOCK_HITS = 1024
"""Hits in a block; each block has its own random numbers."""

_GAMMAS_AT_ONCE = 2048
_MOST_TRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GermaniumConfig:
    """What to simulate.

    Parameters
    ----------
    detector : str
        Built-in crystal, or YAML file of one.
    n_hits : int
        How many.
    energy_kev : tuple of float or None
        Lowest and highest energy of single interactions, even in the logarithm; None for gamma rays.
    pairs : Pairs or None
        Two interactions in one segment, which share that energy, in hits or a part of them.
    energy_min_kev, energy_max_kev : float
        Of gamma rays, even in the logarithm; a hit leaves at least the former.
    electronics : Electronics
        Of all channels.
    cloud_parts : int
        Parts of the charge cloud of each interaction; 1 for a point.
    time_spread_ns : float
        Hits come up to this later than the onset, unknown to whoever analyses them.
    trigger_jitter_ns : float
        Standard deviation of the time beside that.
    rate_hz : float
        Hits per second, for their time stamps.
    field_spacing_mm : float
        Of the grid of potentials.
    window : Window
        How signals are sampled.
    seed : int
        The same seed gives the same hits.
    n_threads : int
        Threads to use.
    """

    detector: str = "greta-a"
    n_hits: int = 1000
    energy_kev: tuple[float, float] | None = None
    pairs: Pairs | None = None
    energy_min_kev: float = 50.0
    energy_max_kev: float = 3000.0
    electronics: Electronics = field(default_factory=Electronics)
    cloud_parts: int = 1
    time_spread_ns: float = 10.0
    trigger_jitter_ns: float = 0.0
    rate_hz: float = 1000.0
    field_spacing_mm: float = 1.0
    window: Window = RECORD
    seed: int = 0
    n_threads: int = 2

    def __post_init__(self) -> None:
        if self.n_hits < 1 or self.cloud_parts < 1:
            raise SettingsError(f"expected at least one hit of one part, got {self.n_hits} of {self.cloud_parts}")
        if self.energy_kev is not None and not 10 <= self.energy_kev[0] <= self.energy_kev[1] <= 3000:
            low, high = self.energy_kev
            raise SettingsError(f"energy_kev must be 10 to 3000, got {low:g} to {high:g}")
        if self.pairs is not None and self.energy_kev is None:
            raise SettingsError("pairs share an energy that is given (energy_kev); gamma rays have interactions anyway")
        if not 20 <= self.energy_min_kev < self.energy_max_kev <= 3000:
            raise SettingsError(
                f"energies must rise between 20 and 3000 keV, got {self.energy_min_kev:g} to {self.energy_max_kev:g}"
            )
        for name in ("time_spread_ns", "trigger_jitter_ns"):
            if not 0 <= getattr(self, name) < np.inf:
                raise SettingsError(f"{name} must not be negative, got {getattr(self, name):g}")
        if not 0 < self.rate_hz < np.inf or self.seed < 0:
            raise SettingsError(f"rate_hz must be positive and seed not negative, got {self.rate_hz:g}, {self.seed}")


FULL_PHYSICS = Electronics(
    time_constant_spread=0.05,
    linear_crosstalk=0.001,
    differential_crosstalk_ns=0.2,
    noise_corner_mhz=1.0,
)
"""Electronics of a real crystal in its order of magnitude: assumed, as each crystal has its own."""


@dataclass(frozen=True, slots=True, eq=False)
class _Deposits:
    """Interactions of the hits of a block: hit e holds first[e] to first[e + 1]."""

    points_mm: NDArray[np.float64]
    energy_kev: NDArray[np.float64]
    first: NDArray[np.int64]


def simulate_hits(config: GermaniumConfig, *, electric: Field | None = None) -> Iterator[Hits]:
    """Simulate hits in blocks of 1024, in constant memory.

    Parameters
    ----------
    config : GermaniumConfig
        What to simulate.
    electric : Field, optional
        Of the crystal, where it is there already.

    Yields
    ------
    Hits
        Samples int16 (hit, 37, sample) and their truth; see :class:`discrimen.pulses.Pulses` for the columns.
        `flags` marks hits cut at the end of the range.

    Raises
    ------
    SettingsError
        If the crystal cannot be, or is not depleted.
    """
    for hits, _ in _blocks(config, electric):
        yield hits


def simulate_clean_hits(config: GermaniumConfig, *, electric: Field | None = None) -> Iterator[tuple[Hits, Hits]]:
    """Simulate hits as :func:`simulate_hits` does, each block with the same hits clean.

    Clean hits have float32 samples in ADC counts: before noise, rounding and the ends of the digitizer's range.

    Yields
    ------
    hits, clean : Hits
        Of the same columns.
    """
    for hits, traces_kev in _blocks(config, electric):
        clean = config.electronics.noiseless(traces_kev, sample_period_ns=config.window.sample_period_ns)
        yield hits, hits.with_samples(clean)


def _blocks(config: GermaniumConfig, electric: Field | None) -> Iterator[tuple[Hits, NDArray[np.float32]]]:
    """Yield hits with the charge signals behind them, in keV."""
    crystal = read_crystal(config.detector)
    electric = electric or build_field(crystal, spacing_mm=config.field_spacing_mm, n_threads=config.n_threads)
    last_ps = 0
    for block, start in enumerate(range(0, config.n_hits, BLOCK_HITS)):
        rng = np.random.default_rng(np.random.SeedSequence([config.seed, block]))
        n = min(BLOCK_HITS, config.n_hits - start)
        hits, traces_kev = _block(config, electric, n, start=start, after_ps=last_ps, rng=rng)
        last_ps = int(hits.column("timestamp_ps")[-1])
        yield hits, traces_kev


def _block(
    config: GermaniumConfig, electric: Field, n: int, *, start: int, after_ps: int, rng: np.random.Generator
) -> tuple[Hits, NDArray[np.float32]]:
    deposits = (
        _chosen(config.energy_kev, config, electric, n, rng) if config.energy_kev else _full(config, electric, n, rng)
    )
    offsets = config.time_spread_ns * rng.random(n) + config.trigger_jitter_ns * rng.standard_normal(n)
    signals = induce(
        electric,
        _charges(config, electric, deposits, rng),
        window=config.window,
        time_constants_ns=config.electronics.time_constants_ns,
        time_offsets_ns=offsets,
        n_threads=config.n_threads,
    )
    period_ns = config.window.sample_period_ns
    samples, saturated = config.electronics.digitise(signals.traces, sample_period_ns=period_ns, rng=rng)
    gaps_ps = np.rint(rng.exponential(1e12 / config.rate_hz, size=n)).astype(np.int64)
    hits = Hits(
        samples=samples,
        sample_period_ns=period_ns,
        channels=CHANNELS,
        columns={
            "entry": np.arange(start, start + n),
            "timestamp_ps": after_ps + np.cumsum(gaps_ps),
            "flags": np.where(saturated, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32),
            "time_offset_ns": offsets,
            "segment": signals.segment,
            **_truth(deposits),
        },
    )
    return hits, signals.traces


def _chosen(
    energy_kev: tuple[float, float], config: GermaniumConfig, electric: Field, n: int, rng: np.random.Generator
) -> _Deposits:
    """Draw single interactions, even in the volume, and pairs where they are wanted."""
    places = places_inside(electric, n, rng)
    low, high = np.log(energy_kev)
    total_kev = np.exp(low + (high - low) * rng.random(n))
    if config.pairs is None:
        return _Deposits(places, total_kev, np.arange(n + 1, dtype=np.int64))
    is_pair = rng.random(n) < config.pairs.share_of_hits
    first = np.concatenate([[0], np.cumsum(1 + is_pair)]).astype(np.int64)
    points, energies = np.repeat(places, 1 + is_pair, axis=0), np.repeat(total_kev, 1 + is_pair)
    at = first[:-1][is_pair]
    longest_ns = config.window.n_samples * config.window.sample_period_ns - config.window.onset_ns
    both = places_of_pairs(electric, len(at), config.pairs, rng, longest_ns=longest_ns, n_threads=config.n_threads)
    low, high = config.pairs.second_share
    share = low + (high - low) * rng.random(len(at))
    points[at], points[at + 1] = both[:, 0], both[:, 1]
    energies[at + 1] *= share
    energies[at] *= 1 - share
    return _Deposits(points, energies, first)


def _full(config: GermaniumConfig, electric: Field, n: int, rng: np.random.Generator) -> _Deposits:
    """Draw gamma rays until so many have left enough energy."""
    points, energies, counts, found = [], [], [], 0
    low, high = np.log(config.energy_min_kev), np.log(config.energy_max_kev)
    for _ in range(_MOST_TRIES):
        drawn_kev = np.exp(low + (high - low) * rng.random(_GAMMAS_AT_ONCE))
        done = follow(electric, drawn_kev, rng=rng)
        left = np.bincount(done.gamma, weights=done.energy_kev, minlength=_GAMMAS_AT_ONCE)
        enough = left >= config.energy_min_kev
        kept = enough[done.gamma]
        points.append(done.points_mm[kept])
        energies.append(done.energy_kev[kept])
        counts.append(np.bincount(done.gamma, minlength=_GAMMAS_AT_ONCE)[enough])
        found += int(enough.sum())
        if found >= n:
            break
    else:
        raise SettingsError(f"only {found} of {n} hits after {_MOST_TRIES * _GAMMAS_AT_ONCE} gamma rays")
    first = np.concatenate([[0], np.cumsum(np.concatenate(counts))[:n]]).astype(np.int64)
    stop = int(first[-1])
    return _Deposits(np.concatenate(points)[:stop], np.concatenate(energies)[:stop], first)


def _charges(config: GermaniumConfig, electric: Field, deposits: _Deposits, rng: np.random.Generator) -> Charges:
    if config.cloud_parts > 1:
        return clouds(
            electric,
            deposits.points_mm,
            deposits.energy_kev,
            deposits.first,
            n_parts=config.cloud_parts,
            rng=rng,
        )
    charges = Charges.single(deposits.points_mm)
    none = np.full(len(deposits.first) - 1, -1, dtype=np.int64)
    return replace(charges, amounts=deposits.energy_kev.copy(), first_point=deposits.first, seeds=none)


def _truth(deposits: _Deposits) -> dict[str, NDArray[Any]]:
    """Return the columns of energies and places: those of the two strongest interactions."""
    first, energy, points = deposits.first, deposits.energy_kev, deposits.points_mm
    counts = np.diff(first)
    hit = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-energy, hit))
    strongest, second = order[first[:-1]], order[np.minimum(first[:-1] + 1, len(order) - 1)]
    alone = counts < 2
    columns: dict[str, NDArray[Any]] = {
        "energy_kev": np.bincount(hit, weights=energy, minlength=len(counts)).astype(np.float32),
        "n_interactions": np.minimum(counts, 127).astype(np.int8),
        "energy_2_kev": np.where(alone, np.nan, energy[second]).astype(np.float32),
    }
    for axis, name in enumerate("xyz"):
        columns[f"{name}_mm"] = points[strongest, axis].astype(np.float32)
        columns[f"{name}_2_mm"] = np.where(alone, np.nan, points[second, axis]).astype(np.float32)
    return columns
