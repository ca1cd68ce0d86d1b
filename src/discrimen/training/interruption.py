"""Ctrl-C during a training: heard even where the interrupt itself gets lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class Interruption:
    """Remembers that the user interrupted.

    Python raises the interrupt wherever it happens to be. In a finaliser or a callback of compiled code it is printed
    or swallowed, and the training would go on: the end of the epoch asks again.
    """

    def __init__(self) -> None:
        self.asked = False

    def hear(self, number: int, frame: FrameType | None) -> NoReturn:
        """Handle the signal."""
        self.asked = True
        signal.default_int_handler(number, frame)

    def insist(self) -> None:
        """Raise the interrupt again, if there was one."""
        if self.asked:
            raise KeyboardInterrupt


@contextmanager
def remembered_interruption() -> Iterator[Interruption]:
    """Remember an interrupt in the block; a handler that the caller has chosen himself stays."""
    interruption = Interruption()
    own = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not own or threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    signal.signal(signal.SIGINT, interruption.hear)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
