"""Which boards and channels of a run are classified."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import Pulses

_COLUMNS = ("board", "channel")


@dataclass(frozen=True, slots=True)
class ChannelSelection:
    """The boards and channels that are chosen; a pulse is if both its board and its channel are.

    Parameters
    ----------
    boards, channels : tuple of int
        Numbers as in the columns of the run; empty stands for all. Kept in order, each once.

    Raises
    ------
    SettingsError
        If a number is negative.
    """

    boards: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            numbers = tuple(sorted(set(self._of(name))))
            if numbers and numbers[0] < 0:
                raise SettingsError(f"{name} numbers start at 0, got {numbers[0]}")
            object.__setattr__(self, f"{name}s", numbers)

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.boards and not self.channels

    def as_attributes(self) -> dict[str, str]:
        """Return the selection as text, for the provenance of a file of scores."""
        return {f"{name}s": ", ".join(map(str, self._of(name))) or "all" for name in _COLUMNS}

    def __str__(self) -> str:
        parts = [f"{name} {' or '.join(map(str, self._of(name)))}" for name in _COLUMNS if self._of(name)]
        return ", ".join(parts) or "all channels"

    def _of(self, column: str) -> tuple[int, ...]:
        return self.boards if column == "board" else self.channels


@dataclass(slots=True)
class ChannelSieve:
    """A selection at work on one run.

    Parameters
    ----------
    selection : ChannelSelection
        What is chosen.
    where : str
        Name of the file, for messages.

    Attributes
    ----------
    n_left_out : int
        Pulses of other boards and channels.
    met : dict of str to set of int
        The boards and channels in the run; filled only where there is something to choose.
    """

    selection: ChannelSelection
    where: str
    n_left_out: int = 0
    met: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in _COLUMNS})

    def __call__(self, pulses: Pulses) -> Pulses:
        """Return the pulses that are chosen, perhaps none.

        Raises
        ------
        DataError
            If the run does not say which board or channel its pulses are of.
        """
        if self.selection.takes_all:
            return pulses
        chosen = np.ones(len(pulses), np.bool_)
        for name, wanted in (("board", self.selection.boards), ("channel", self.selection.channels)):
            values = getattr(pulses, name)
            if wanted and values is None:
                raise DataError(f"{self.where}: the file does not tell the {name} of its pulses: leave out --{name}")
            if values is not None:
                self.met[name].update(np.unique(values).tolist())
            if wanted:
                chosen &= np.isin(values, wanted)
        self.n_left_out += len(pulses) - int(np.count_nonzero(chosen))
        return pulses if chosen.all() else pulses[chosen]

    def absent(self) -> tuple[str, ...]:
        """Return what is chosen, but not in the run: ``channel 5``."""
        wanted = (("board", self.selection.boards), ("channel", self.selection.channels))
        return tuple(
            f"{name} {number}" for name, numbers in wanted for number in numbers if number not in self.met[name]
        )

    def describe_met(self) -> str:
        """Return the boards and channels in the run, for people."""
        return ", ".join(f"{name}s {_listed(numbers)}" for name, numbers in self.met.items() if numbers)


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(map(str, sorted(numbers)))
