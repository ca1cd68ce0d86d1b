"""The blocks of a data set that were recorded together: one run of one file each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset, runs_of


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Block:
    """One run of one file.

    Parameters
    ----------
    name : str
        For people.
    pulse : ndarray of int64, shape (pulse of the block,)
        Positions in the data set, in the order of the file.
    is_neutron : ndarray of bool, shape (pulse of the block,)
        The class of each.
    """

    name: str
    pulse: NDArray[np.int64]
    is_neutron: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pulse)

    @property
    def n_neutron(self) -> int:
        """Number of neutrons."""
        return int(np.count_nonzero(self.is_neutron))

    @property
    def n_gamma(self) -> int:
        """Number of gammas."""
        return len(self) - self.n_neutron

    @property
    def one_class(self) -> Label | None:
        """The class of all pulses, None if both are there."""
        if self.n_neutron == 0:
            return Label.GAMMA
        return Label.NEUTRON if self.n_gamma == 0 else None


def blocks_of(dataset: Dataset) -> tuple[Block, ...]:
    """Part a data set into the runs of its files, in the order of the data set."""
    is_neutron = dataset.pulses.column("label") == Label.NEUTRON
    runs = runs_of(dataset.pulses, dataset.files)
    return tuple(Block(name=run.name, pulse=run.pulse, is_neutron=is_neutron[run.pulse]) for run in runs)


def listed(names: list[str], *, most: int = 5) -> str:
    """Return names with commas between, the first few of many."""
    shown = "; ".join(names[:most])
    return shown if len(names) <= most else f"{shown}; and {len(names) - most} more"
