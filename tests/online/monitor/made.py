"""Streams in small: a clock that is set by hand, messages of toy pulses, and what a tap makes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.scoring.small_model import small_predictor
from tests.training.toy_pulses import toy_pulses

from discrimen.network.thresholds import ChosenThreshold
from discrimen.online.message import CAN_SEND_AGAIN, Message
from discrimen.online.monitor.bulletin import Bulletin, Examples, Told
from discrimen.online.monitor.side import tap_of
from discrimen.online.monitor.tap import PERIOD_S, Tap
from discrimen.online.monitor.watch import Watch
from discrimen.online.run_log import message_of
from discrimen.online.scorer import Scorer
from discrimen.pulses import Pulses
from discrimen.pulses.detector import GatesNs

GATES = GatesNs(gate_start_ns=-20, short_gate_end_ns=60, long_gate_end_ns=400)


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def pulses_of(n_pulses: int, *, n_channels: int = 4, seed: int = 1, flags: NDArray[Any] | None = None) -> Pulses:
    """Return toy pulses of both classes in turn, dealt to channels, 16 of them to a board."""
    pulses = toy_pulses(n_pulses, seed=seed)[np.arange(2 * n_pulses).reshape(2, -1).T.ravel()[:n_pulses]]
    number = np.random.default_rng(seed).integers(0, n_channels, n_pulses)
    return pulses.replace(
        label=None,
        entry=np.arange(n_pulses),
        timestamp_ps=np.arange(n_pulses) * 10**6,
        board=(number // 16).astype(np.int32),
        channel=(number % 16).astype(np.int32),
        flags=np.zeros(n_pulses, np.uint32) if flags is None else flags,
    )


def message(pulses: Pulses, *, sequence: int = 0, begin_ps: int | None = None, again: bool = True) -> Message:
    """Return pulses as a message of source 1."""
    made = message_of(pulses, source=1, sequence=sequence, begin_ps=begin_ps)
    return Message(replace(made.head, flags=CAN_SEND_AGAIN if again else 0), made.parts)


def small_scorer(folder: Path) -> Scorer:
    """Return a model that takes about half of the toy pulses for neutrons."""
    predictor = small_predictor(folder)
    middle = float(np.median(predictor.predict(toy_pulses(100).samples)[:, 1]))
    return Scorer(predictor, "0" * 64, ChosenThreshold(middle))


def small_tap(folder: Path) -> tuple[Scorer, Tap, Clock]:
    """Return a scorer with a tap whose clock is set by hand."""
    scorer, clock = small_scorer(folder), Clock()
    made = tap_of(scorer)
    return scorer, Tap(1, made.model, made.neutron_class, made.n_classes, clock), clock


def model_json(*, gates: bool = True) -> bytes:
    """Describe the model of the toy pulses as a bulletin does."""
    from tests.training.toy_pulses import PREPARATION

    settings = {"gates": GATES.model_dump()} if gates else {}
    return json.dumps(
        {
            "preparation": PREPARATION.as_dict(),
            "settings": settings,
            "classes": ["gamma", "neutron"],
            "neutron_class": 1,
            "knows_domain": True,
            "sha256": "0" * 64,
            "threshold": "0.5",
        }
    ).encode()


class Source:
    """Gives the bulletins of a stream of toy pulses, without the stream.

    Parameters
    ----------
    n_channels : int
        To which the pulses are dealt.
    instance : int
        Of the stream.
    """

    def __init__(self, *, n_channels: int = 4, instance: int = 1, gates: bool = True) -> None:
        self.model = model_json(gates=gates)
        self._n_channels = n_channels
        self.told = Told(instance=instance, number=-1, seconds=0.0)
        self._counts: dict[tuple[int, int], list[int]] = {}
        self._seed = instance

    def bulletin(self, n_pulses: int = 400, *, shift_adc: dict[int, int] | None = None, **changed: Any) -> Bulletin:
        """Return the next one, with all its pulses as examples; `shift_adc` moves the baseline of channels."""
        self._seed += 1
        pulses = pulses_of(n_pulses, n_channels=self._n_channels, seed=self._seed)
        columns = message(pulses).columns if n_pulses else np.empty(0)
        is_neutron = np.arange(n_pulses) % 2 == 1
        samples = pulses.samples.copy()
        for channel, shift in (shift_adc or {}).items():
            samples[pulses.column("channel") == channel] += np.uint16(shift)
        for board, channel, neutron in zip(
            pulses.column("board").tolist(), pulses.column("channel").tolist(), is_neutron.tolist(), strict=True
        ):
            row = self._counts.setdefault((board, channel), [0] * 6)
            row[0] += 1
            row[1 if neutron else 2] += 1
        score = np.random.default_rng(self._seed).beta(20, 1, n_pulses)
        score = np.where(is_neutron, score, 1 - score).astype(np.float32)
        told = self.told
        self.told = replace(
            told,
            number=told.number + 1,
            seconds=told.seconds + PERIOD_S,
            n_messages=told.n_messages + 1,
            n_pulses=told.n_pulses + n_pulses,
            n_counted=told.n_counted + n_pulses,
            channels=[[*place, *row] for place, row in sorted(self._counts.items())],
            latency_ms=[1.0, 2.0, 3.0, 4.0],
            n_samples=pulses.n_samples,
            sample_period_ns=10.0,
            **changed,
        )
        return Bulletin(
            self.told,
            self.model,
            Examples(
                columns=columns,
                scores=np.stack([1 - score, score], axis=1),
                numbers=is_neutron.astype(np.int8),
                outside=np.zeros(n_pulses, np.uint16),
                samples=samples,
            ),
        )


def frames(bulletin: Bulletin) -> list[bytes]:
    """Return the parts of a bulletin as they come."""
    return [bytes(part) for part in bulletin.frames()]


def fed_watch(
    n_bulletins: int = 6, *, n_channels: int = 4, now_s: float = 1000.0, **options: Any
) -> tuple[Watch, float]:
    """Return a watch that has heard some bulletins, and the time of the last one."""
    watch, source = Watch(**options), Source(n_channels=n_channels)
    for _ in range(n_bulletins):
        now_s += PERIOD_S
        watch.take(frames(source.bulletin()), now_s)
    return watch, now_s
