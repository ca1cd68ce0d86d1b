"""Pulses come from ABCD, go through a model, and their results to ABCD, a file or another program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np

from discrimen.online.abcd.control import Control
from discrimen.online.abcd.intake import Intake
from discrimen.online.abcd.sinks import Score, Sink
from discrimen.online.abcd.sockets import Subscriber
from discrimen.online.sockets import wait_for

LOOK_S = 0.05
"""Longest time that commands and signals are not looked at."""


@dataclass(slots=True)
class AbcdStream:
    """The program between ABCD's waveforms and whoever gets the results.

    Parameters
    ----------
    subscriber : Subscriber
        To the waveforms.
    intake : Intake
        Makes pulses of them.
    score : callable
        From a message of pulses to one of results.
    sink : Sink
        Where these go.
    control : Control
        Who says when to start, stop and end.
    about : Mapping
        What the status says besides the counts.
    log : callable
        Called with a line for people when messages were lost or could not be read.

    Attributes
    ----------
    n_while_stopped : int
        Messages that came while the module was stopped, and were left out.
    n_by_channel : Counter
        Pulses of each channel.
    """

    subscriber: Subscriber
    intake: Intake
    score: Score
    sink: Sink
    control: Control = field(default_factory=Control)
    about: Mapping[str, Any] = field(default_factory=dict)
    log: Callable[[str], None] = lambda _: None
    n_while_stopped: int = 0
    n_by_channel: Counter[int] = field(default_factory=Counter)
    _n_garbage_told: int = 0

    def run(self, is_ended: Callable[[], bool], *, idle_s: float | None = None) -> None:
        """Go on until that says so, a command does, or nothing has come for some time.

        Parameters
        ----------
        is_ended : callable
            Whether somebody asked the program to end.
        idle_s : float, optional
            End when something has come before, and then nothing for so long.
        """
        heard_s: float | None = None
        while not is_ended() and not self.control.wants_end:
            now_s = monotonic()
            self.control.step(now_s, self.as_dict)
            if self._step(now_s):
                heard_s = monotonic()
            elif idle_s is not None and heard_s is not None and now_s - heard_s > idle_s:
                break
        self.sink.end()
        self.control.tell("Ended")

    def _step(self, begin_s: float) -> bool:
        """Take what comes, for a short time; say whether anything came."""
        wait_for(self.subscriber.socket, timeout_s=LOOK_S)
        has_come = False
        for frame in self.subscriber.come():
            has_come = True
            self._take(frame)
            if monotonic() - begin_s > LOOK_S:
                break
        return has_come

    def _take(self, frame: memoryview | None) -> None:
        if not self.control.is_running:
            self.n_while_stopped += 1
            self.intake.skip(frame)
        else:
            batches = list(self.intake.take(frame))
            for batch in batches:
                counts = np.bincount(batch.pulses.column("channel"))
                self.n_by_channel.update({int(each): int(counts[each]) for each in np.flatnonzero(counts)})
            if batches:
                self.sink.take(batches, self.score)
        self._tell()

    def _tell(self) -> None:
        for line in self.intake.told:
            self.log(line)
            self.control.tell(line)
        self.intake.told.clear()
        if self.intake.n_garbage and not self._n_garbage_told:
            self._n_garbage_told = self.intake.n_garbage
            self.log(f"a message could not be read, and others that cannot are counted only: {self.intake.garbage}")

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted as plain data, ready for JSON."""
        return {
            **self.about,
            **self.intake.as_dict(),
            **self.sink.as_dict(),
            "n_garbage": self.intake.n_garbage,
            "garbage": self.intake.garbage,
            "n_messages_while_stopped": self.n_while_stopped,
            "n_by_channel": dict(self.n_by_channel),
        }
