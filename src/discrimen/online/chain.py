"""The time budget of an acquisition card: how long each step of the chain takes for what the card records."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.benchmark.timing import time_in_turns
from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.load import Model, load_model
from discrimen.keras_jax import Device
from discrimen.network.frozen_file import require_frozen
from discrimen.network.made_up import made_up_pulses
from discrimen.network.thresholds import choose_threshold
from discrimen.online.message import Message, unpack
from discrimen.online.run_log import BLOCK_PULSES, message_of
from discrimen.online.scorer import Scorer
from discrimen.online.sockets import Inlet, Outlet, wait_for
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.scoring.score_rows import ScoreRows
from discrimen.scoring.scores import open_score_writer

N_BLOCKS = 20
"""Messages that are timed together."""

FROM_FILES = ("read", "infer", "write")
"""Steps of the chain from a run file to a file of scores."""

FROM_MESSAGES = ("receive", "infer", "send")
"""Steps of the chain from messages to messages."""

STEPS = ("read", "receive", "infer", "write", "send")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What an acquisition card records.

    Parameters
    ----------
    n_channels : int
        Channels.
    rate_hz : float
        Pulses a second of each channel.
    run_s : float
        Length of a run in s.
    """

    n_channels: int = 16
    rate_hz: float = 1000.0
    run_s: float = 3600.0

    def __post_init__(self) -> None:
        if self.n_channels < 1 or not self.rate_hz > 0 or not self.run_s > 0:
            raise SettingsError(
                f"a card has channels, a rate and a time above 0, got {self.n_channels}, {self.rate_hz:g} Hz, "
                f"{self.run_s:g} s"
            )

    @property
    def n_pulses(self) -> float:
        """Pulses of a run."""
        return self.n_channels * self.rate_hz * self.run_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChain:
    """The chain of one model on one core.

    Parameters
    ----------
    model : str
        Name of the file.
    backend : str
        What computes.
    n_samples : int
        Samples of a record.
    step_ns : mapping of str to float
        Of each of :data:`STEPS`, time for a pulse in ns, the median; writing only where a file of scores can hold what
        the model gives.
    """

    model: str
    backend: str
    n_samples: int
    step_ns: Mapping[str, float]

    def total_ns(self, steps: Sequence[str]) -> float:
        """Time of these steps for a pulse in ns."""
        return sum(self.step_ns.get(step, 0.0) for step in steps)

    def headroom(self, card: Card, steps: Sequence[str]) -> float:
        """How many times longer the acquisition takes than these steps, on one core."""
        return 1e9 / (self.total_ns(steps) * card.n_channels * card.rate_hz)

    def as_dict(self, card: Card) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        chains = {"from_files": FROM_FILES, "from_messages": FROM_MESSAGES}
        return {
            "model": self.model,
            "backend": self.backend,
            "n_samples": self.n_samples,
            "step_ns": dict(self.step_ns),
            "step_s_of_a_run": {step: value * 1e-9 * card.n_pulses for step, value in self.step_ns.items()},
            **{f"headroom_{name}": self.headroom(card, steps) for name, steps in chains.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The chains of several models for one card.

    Parameters
    ----------
    card : Card
        What it is for.
    models : tuple of ModelChain
        What was measured.
    n_cores : int
        Of this machine.
    on_gpu : bool
        Whether one GPU infers, which all cores share.
    """

    card: Card
    models: tuple[ModelChain, ...]
    n_cores: int
    on_gpu: bool = False

    def n_cards(self, model: ModelChain) -> float:
        """How many cards this machine serves, whichever of the two ways is slower; below 1: not even one."""
        by_cores = self.n_cores * min(model.headroom(self.card, steps) for steps in (FROM_FILES, FROM_MESSAGES))
        return min(by_cores, model.headroom(self.card, ("infer",))) if self.on_gpu else by_cores

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "n_channels": self.card.n_channels,
            "rate_hz": self.card.rate_hz,
            "run_s": self.card.run_s,
            "n_pulses": self.card.n_pulses,
            "n_cores": self.n_cores,
            "on_gpu": self.on_gpu,
            "models": [{**each.as_dict(self.card), "n_cards": self.n_cards(each)} for each in self.models],
            "versions": software_versions(),
            "date_utc": utc_now(),
            "command_line": command_line(),
        }


def measure_chain(
    models: Sequence[Path],
    card: Card,
    *,
    device: Device = "cpu",
    seconds: float = 10.0,
    on_step: Callable[[str], None] = lambda _: None,
) -> Chain:
    """Time every step of the chain with made-up pulses, on one core.

    Parameters
    ----------
    models : sequence of Path
        Frozen files of models of one channel.
    card : Card
        What it is for.
    device : str
        What infers; the other steps are the CPU's.
    seconds : float
        Of timed calls for each model, about.
    on_step : callable
        Called with the name of each model.

    Raises
    ------
    FormatError
        If a file is no frozen model.
    SettingsError
        If a model has several channels.
    DeviceError
        If the device is not there.
    """
    timed = []
    for path in models:
        require_frozen(path)
        on_step(path.name)
        timed.append(_of_model(path, load_model(path, device=device, threads=1), seconds))
    return Chain(card=card, models=tuple(timed), n_cores=len(os.sched_getaffinity(0)), on_gpu=device != "cpu")


def _of_model(path: Path, model: Model, seconds: float) -> ModelChain:
    description = model.description
    pulses = _pulses(model)
    has_classes = [each.kind for each in description.outputs] == ["classes"]
    stored = description.thresholds if has_classes else {}
    scorer = Scorer(model.predictor, model.sha256, choose_threshold(stored, 0.5) if has_classes else None)
    bounds = range(0, len(pulses) + 1, BLOCK_PULSES)
    blocks = [
        message_of(pulses[start:stop], source=1, sequence=number, begin_ps=None)
        for number, (start, stop) in enumerate(pairwise(bounds))
    ]
    results = [scorer(block) for block in blocks]
    with TemporaryDirectory() as folder, _through_sockets(Path(folder)) as through:
        run = Path(folder) / "run.BIN"
        settings = DetectorSettings(sample_period_ns=pulses.sample_period_ns, polarity="negative")
        with open_writer(run, settings) as writer:
            writer.write(pulses)
        calls: dict[str, Callable[[], object]] = {
            "read": lambda: sum(len(each) for each in open_reader(run, ReadOptions(settings=settings)).chunks()),
            "receive": lambda: through(blocks),
            "infer": lambda: [scorer(block) for block in blocks],
            "send": lambda: through(results),
        }
        if has_classes:
            calls["write"] = lambda: _write(Path(folder) / "scores.h5", description.classes, results)
        times = time_in_turns(calls, seconds=seconds)
    step_ns = {step: float(np.median(times[step])) / len(pulses) for step in STEPS if step in times}
    return ModelChain(model=path.name, backend=model.predictor.backend, n_samples=pulses.n_samples, step_ns=step_ns)


def _pulses(model: Model) -> Pulses:
    preparation = model.description.preparation
    n_pulses = N_BLOCKS * BLOCK_PULSES
    samples: NDArray[Any] = made_up_pulses(preparation, n_pulses)
    if preparation.n_channels != 1:
        raise SettingsError(f"chain knows models of one channel, this one has {preparation.n_channels}")
    return Pulses(
        samples=np.clip(samples[:, 0], 0, 2**14 - 1).astype(np.uint16),
        sample_period_ns=preparation.sample_period_ns,
        timestamp_ps=np.arange(n_pulses) * 10**6,
        board=np.zeros(n_pulses, np.int32),
        channel=np.arange(n_pulses, dtype=np.int32) % 16,
        flags=np.zeros(n_pulses, np.uint32),
    )


def _write(path: Path, classes: Sequence[str], results: Sequence[Message]) -> None:
    with open_score_writer(path, classes=classes, attributes={}, n_entries=None) as writer:
        for message in results:
            columns = message.columns
            writer.write(
                ScoreRows(
                    entry=columns["entry"].astype(np.int64), score=message.values, timestamp_ps=columns["timestamp_ps"]
                )
            )


@contextmanager
def _through_sockets(folder: Path) -> Iterator[Callable[[Sequence[Message]], None]]:
    """Give what sends messages through a pair of sockets of this machine and takes them at the other end."""
    address = f"ipc://{folder}/chain"
    with Inlet(address) as inlet, Outlet(address) as outlet:

        def through(messages: Sequence[Message]) -> None:
            for message in messages:
                while not outlet.try_to_send(message):
                    wait_for(timeout_s=0.001)
                wait_for(inlet.messages, timeout_s=1.0)
                for frames in inlet.come():
                    unpack(frames)

        yield through
