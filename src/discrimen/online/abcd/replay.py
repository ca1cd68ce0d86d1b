"""A run file plays the part of ABCD: its pulses as messages of waveforms, with numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from discrimen.formats.abcd.messages import WAVEFORMS, packed
from discrimen.formats.abcd.ticks import TickClock
from discrimen.formats.abcd.waveform_writer import records_of
from discrimen.formats.base import Reader
from discrimen.online.abcd.sockets import Publisher
from discrimen.online.growing import paced_blocks
from discrimen.online.pace import Pace

OTHERS_S = 1.5
"""So long after the first listener others may come and miss nothing; ABCD's programs wait as long after they bind."""

_PAUSE_S = 0.001


@dataclass(slots=True)
class AbcdPlayer:
    """Publishes waveforms, when somebody listens, and never faster than the slowest listener takes them.

    Parameters
    ----------
    publisher : Publisher
        Where they listen.
    clock : TickClock
        For the time stamps.
    is_ended : callable
        Asked now and then whether to give up.
    others_s : float
        See :data:`OTHERS_S`.

    Attributes
    ----------
    n_messages : int
        That were sent; the number of the next one.
    """

    publisher: Publisher
    clock: TickClock
    is_ended: Callable[[], bool] = lambda: False
    others_s: float = OTHERS_S
    n_messages: int = 0
    _first_s: float | None = None

    def _wait_for_listeners(self) -> None:
        """Wait for the first one, and a little for others that were started together with it."""
        while not self.publisher.has_listener(WAVEFORMS) and not self.is_ended():
            sleep(_PAUSE_S)
        self._first_s = monotonic()
        while monotonic() < self._first_s + self.others_s and not self.is_ended():
            sleep(_PAUSE_S)

    def play(
        self, reader: Reader, pace: Pace, *, block_pulses: int, on_progress: Callable[[int], None] = lambda _: None
    ) -> int:
        """Play a run, and return how many of its pulses were sent.

        Raises
        ------
        DataError
            If ABCD has no place for samples, channels or times.
        """
        if self._first_s is None:
            self._wait_for_listeners()
        n_pulses = 0
        for block in paced_blocks(reader, pace, block_pulses=block_pulses, is_ended=self.is_ended):
            payload = records_of(block, self.clock).tobytes()
            message = packed(WAVEFORMS, payload, version=0, number=self.n_messages)
            while not self.publisher.try_to_send(message):
                if self.is_ended():
                    return n_pulses
                sleep(_PAUSE_S)
            self.n_messages, n_pulses = self.n_messages + 1, n_pulses + len(block)
            on_progress(len(block))
        return n_pulses
