"""Labels that were found over whole runs, handed out to their pulses as the runs are read once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses import COLUMNS, Pulses


@dataclass(slots=True)
class InOrder:
    """Labels of one run in the order of its pulses, and what else was found of each.

    Parameters
    ----------
    labels : ndarray of int8, shape (pulse,)
        :class:`~discrimen.pulses.Label`.
    columns : mapping of str to ndarray, shape (pulse,)
        Columns of pulses, for example their light in keVee.
    """

    labels: NDArray[np.int8]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    _done: int = 0

    def take(self, count: int) -> dict[str, NDArray[Any]]:
        """Return the columns of the next pulses of the run, the label among them.

        Raises
        ------
        DataError
            If the run had fewer pulses when its labels were found.
        """
        here = slice(self._done, self._done + count)
        if len(self.labels[here]) != count:
            raise DataError("a run gave more pulses when it was read again: is it still being written?")
        self._done += count
        return {"label": self.labels[here], **{name: values[here] for name, values in self.columns.items()}}

    def __call__(self, pulses: Pulses) -> Pulses:
        """Give the next pulses of the run what is theirs."""
        taken = self.take(len(pulses))
        return pulses.replace(**{name: values.astype(COLUMNS[name]) for name, values in taken.items()})
