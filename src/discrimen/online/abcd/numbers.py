"""What the numbers of messages tell: a gap is lost, a lower number is a program that was started again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Numbers:
    """The numbers of the messages that came from one program.

    ABCD gives numbers before it sends, so that a gap is what was lost on the way. What ABCD itself never sent has no
    number, and cannot be seen here.

    Attributes
    ----------
    n_messages : int
        That came.
    n_without_number : int
        Among them; of these a loss cannot be seen.
    first : int or None
        The first number: those before it were sent before this program listened.
    last : int or None
        The latest one.
    n_lost : int
        Numbers that never came, those before the first one after a restart among them.
    n_gaps : int
        How often some were missing.
    n_restarts : int
        How often the numbers began again.
    """

    n_messages: int = 0
    n_without_number: int = 0
    first: int | None = None
    last: int | None = None
    n_lost: int = 0
    n_gaps: int = 0
    n_restarts: int = 0

    def add(self, number: int | None) -> str:
        """Count a message, and return what is to be told about it; nothing if it is the next one."""
        self.n_messages += 1
        if number is None:
            self.n_without_number += 1
            return ""
        last, self.last = self.last, number
        if last is None:
            self.first = number
            return ""
        if number <= last:
            self.n_restarts += 1
            self._lose(number)
            before = f", and {number} messages were lost before it" if number else ""
            return f"the numbers begin again with {number} behind {last}: its program was started again{before}"
        self._lose(number - last - 1)
        missing = number - last - 1
        return f"{missing} messages were lost between number {last} and {number}" if missing else ""

    def _lose(self, count: int) -> None:
        self.n_lost += count
        self.n_gaps += count > 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)
