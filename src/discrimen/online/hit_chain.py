"""The time budget of an array of segmented crystals: how long each step takes from its stream to positions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from discrimen.benchmark.timing import time_in_turns
from discrimen.errors import SettingsError
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.load import Model, load_model
from discrimen.inference.positions import ModelLocator
from discrimen.keras_jax import Device
from discrimen.network.frozen_file import read_frozen, require_frozen
from discrimen.network.located import Located
from discrimen.network.made_up import made_up_pulses
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.pulses import Pulses
from discrimen.pulses.hits import Hits
from discrimen.runs.gather_hits import gather_hits
from discrimen.runs.gather_options import CORE_CHANNEL, GatherOptions
from discrimen.runs.hits_file import HitsWriter, hits_chunks
from discrimen.scoring.locate import KEPT, position_rows
from discrimen.scoring.positions_file import open_position_writer

N_HITS = 2**13
"""Hits that are timed together."""

GATHERING = ("gather", "store")
"""Steps of `discrimen hits`: from the bytes of a run to hits, and these into their file."""

LOCATING = ("read", "locate", "write")
"""Steps of `discrimen locate`: hits from their file, their positions, and these into their file."""

HIT_STEPS = (*GATHERING, *LOCATING)
_MOST_CHANNELS = CORE_CHANNEL + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CrystalArray:
    """What an array of crystals records.

    Parameters
    ----------
    n_crystals : int
        Crystals.
    rate_hz : float
        Hits a second of each.
    run_s : float
        Length of a run in s.
    """

    n_crystals: int = 1
    rate_hz: float = 1000.0
    run_s: float = 3600.0

    def __post_init__(self) -> None:
        if self.n_crystals < 1 or not self.rate_hz > 0 or not self.run_s > 0:
            raise SettingsError(
                f"an array has crystals, a rate and a time above 0, got {self.n_crystals}, {self.rate_hz:g} Hz, "
                f"{self.run_s:g} s"
            )

    @property
    def hits_per_s(self) -> float:
        """Hits a second of all crystals."""
        return self.n_crystals * self.rate_hz

    @property
    def n_hits(self) -> float:
        """Hits of a run."""
        return self.hits_per_s * self.run_s


@dataclass(frozen=True, slots=True, kw_only=True)
class HitChain:
    """The chain of one model on one core.

    Parameters
    ----------
    model, backend : str
        Name of the file, and what computes.
    n_channels, n_samples : int
        Traces of a hit, and their samples.
    step_ns : mapping of str to float
        Of each of :data:`HIT_STEPS`, time of a core for a hit in ns, the median; disks are left out.
    hit_bytes : mapping of str to float
        Of a hit in a run (GEB mode 3), in a file of hits, and in one of positions: `run`, `hits`, `positions`.
    """

    model: str
    backend: str
    n_channels: int
    n_samples: int
    step_ns: Mapping[str, float]
    hit_bytes: Mapping[str, float]

    def total_ns(self, steps: Sequence[str] = HIT_STEPS) -> float:
        """Time of these steps for a hit in ns."""
        return sum(self.step_ns[step] for step in steps)

    def n_cores(self, array: CrystalArray, steps: Sequence[str] = HIT_STEPS) -> float:
        """How many cores do these steps as fast as the array records."""
        return self.total_ns(steps) * 1e-9 * array.hits_per_s

    def as_dict(self, array: CrystalArray) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "model": self.model,
            "backend": self.backend,
            "n_channels": self.n_channels,
            "n_samples": self.n_samples,
            "step_ns": dict(self.step_ns),
            "hits_per_s": 1e9 / self.total_ns(),
            "cores": {step: self.n_cores(array, [step]) for step in HIT_STEPS},
            "cores_from_run": self.n_cores(array),
            "cores_from_hits": self.n_cores(array, LOCATING),
            "bytes_per_hit": dict(self.hit_bytes),
            "bytes_of_a_run": {name: each * array.n_hits for name, each in self.hit_bytes.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HitChains:
    """The chains of several models for one array.

    Parameters
    ----------
    array : CrystalArray
        What it is for.
    models : tuple of HitChain
        What was measured.
    n_cores : int
        Of this machine.
    on_gpu : bool
        Whether one GPU locates, which all cores share.
    """

    array: CrystalArray
    models: tuple[HitChain, ...]
    n_cores: int
    on_gpu: bool = False

    def share(self, model: HitChain) -> float:
        """How much of the array's work this machine does; above 1: how many such arrays it serves."""
        by_cores = self.n_cores / model.n_cores(self.array)
        return min(by_cores, 1 / model.n_cores(self.array, ["locate"])) if self.on_gpu else by_cores

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "n_crystals": self.array.n_crystals,
            "rate_hz": self.array.rate_hz,
            "run_s": self.array.run_s,
            "n_hits": self.array.n_hits,
            "n_cores": self.n_cores,
            "on_gpu": self.on_gpu,
            "models": [each.as_dict(self.array) for each in self.models],
            "versions": software_versions(),
            "date_utc": utc_now(),
            "command_line": command_line(),
        }


def is_of_hits(path: Path) -> bool:
    """Return whether a frozen model takes hits, the traces of many channels.

    Raises
    ------
    FormatError
        If the file is no frozen model.
    """
    require_frozen(path)
    return read_frozen(path).description.preparation.n_channels > 1


def measure_hit_chains(
    models: Sequence[Path],
    array: CrystalArray,
    *,
    device: Device = "cpu",
    seconds: float = 10.0,
    on_step: Callable[[str], None] = lambda _: None,
) -> HitChains:
    """Time every step of the chain with made-up hits, on one core.

    Parameters
    ----------
    models : sequence of Path
        Frozen files of models that locate hits.
    array : CrystalArray
        What it is for.
    seconds : float
        Of timed calls for each model, about.
    on_step : callable
        Called with the name of each model.

    Raises
    ------
    FormatError
        If a file is no frozen model.
    SettingsError
        If a model gives no position, or has more channels than GEB knows of a crystal.
    """
    timed = []
    for path in models:
        require_frozen(path)
        on_step(path.name)
        model = load_model(path, device=device, threads=1)
        timed.append(time_hits(path.name, model, _made_up_hits(model), seconds=seconds))
    return HitChains(array=array, models=tuple(timed), n_cores=len(os.sched_getaffinity(0)), on_gpu=device != "cpu")


def time_hits(name: str, model: Model, hits: Hits, *, packed: bool = False, seconds: float = 10.0) -> HitChain:
    """Time every step of the chain of one model with hits, by the time of this process.

    Parameters
    ----------
    name : str
        Of the model.
    model : Model
        On one thread; it gives a position.
    hits : Hits
        Of whole-numbered samples, in the order of the model's channels.
    packed : bool
        Whether files of hits are packed.
    seconds : float
        Of timed calls, about.

    Raises
    ------
    SettingsError
        If the model gives no position, or has more channels than GEB knows of a crystal.
    """
    locator = ModelLocator(model.predictor)
    options = _gathering(hits.n_channels)
    with TemporaryDirectory() as folder:
        run, stored, written = (Path(folder) / each for each in ("run.geb", "hits.h5", "positions.h5"))
        _write_run(run, hits)
        gathered = [
            replace(piece, sample_period_ns=hits.sample_period_ns, channels=hits.channels)
            for piece in gather_hits(open_reader(run), options=options)
        ]
        _store(stored, gathered, packed=packed)
        pieces = list(hits_chunks(stored))
        located = [locator.locate(piece) for piece in pieces]
        calls: dict[str, Callable[[], object]] = {
            "gather": lambda: sum(len(each) for each in gather_hits(open_reader(run), options=options)),
            "store": lambda: _store(stored, gathered, packed=packed),
            "read": lambda: sum(len(each) for each in hits_chunks(stored)),
            "locate": lambda: [locator.locate(piece) for piece in pieces],
            "write": lambda: _write(written, pieces, located),
        }
        times = time_in_turns(calls, seconds=seconds, clock_ns=time.process_time_ns)
        files = {"run": run, "hits": stored, "positions": written}
        hit_bytes = {each: path.stat().st_size / len(hits) for each, path in files.items()}
    return HitChain(
        model=name,
        backend=model.predictor.backend,
        n_channels=hits.n_channels,
        n_samples=hits.n_samples,
        step_ns={step: float(np.median(times[step])) / len(hits) for step in HIT_STEPS},
        hit_bytes=hit_bytes,
    )


def _made_up_hits(model: Model) -> Hits:
    preparation = model.description.preparation
    samples = made_up_pulses(preparation, N_HITS).astype(np.int16)
    return Hits(samples=samples, sample_period_ns=preparation.sample_period_ns, channels=preparation.channel_names)


def _gathering(n_channels: int) -> GatherOptions:
    if n_channels > _MOST_CHANNELS:
        raise SettingsError(f"GEB knows {_MOST_CHANNELS} channels of a crystal, this model has {n_channels}")
    return GatherOptions(channels=tuple(range(n_channels)), core=CORE_CHANNEL if n_channels > CORE_CHANNEL else None)


def _write_run(path: Path, hits: Hits) -> None:
    """Write hits as packets of mode 3, of an even number of samples."""
    n_hits, n_channels, n_samples = hits.samples.shape
    traces = hits.samples.reshape(-1, n_samples)
    if n_samples % 2:
        traces = np.concatenate([traces, traces[:, -1:]], axis=1)
    with open_writer(path) as writer:
        writer.write(
            Pulses(
                samples=traces,
                sample_period_ns=hits.info.sample_period_ns,
                channel=np.tile(np.arange(n_channels, dtype=np.int32), n_hits),
                board=np.repeat(np.arange(n_hits, dtype=np.int32) % 120, n_channels),
                timestamp_ps=np.repeat(10**7 + 10**6 * np.arange(n_hits), n_channels),
                energy=np.full(len(traces), 300.0),
            )
        )


def _store(path: Path, hits: Sequence[Hits], *, packed: bool) -> None:
    with HitsWriter(path, packed=packed) as writer:
        for each in hits:
            writer.write(each)


def _write(path: Path, pieces: Sequence[Hits], located: Sequence[Located]) -> None:
    with open_position_writer(path, attributes={}) as writer:
        for hits, found in zip(pieces, located, strict=True):
            kept = [name for name in KEPT if name in hits.columns]
            writer.write(position_rows(hits, found, kept=kept, number=0, first=0))
