"""Blocks of neighbours in time within a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses import Pulses

MOST_BLOCKS = 5
"""Blocks of one run: enough to see it all along, few enough that hardly a pulse lies at an edge."""

LEAST_IN_BLOCK = 20
"""Pulses of a block, unless the run has fewer to give."""

OrderedBy = Literal["timestamp_ps", "entry", "position"]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The pulses of a run in the order of time.

    Parameters
    ----------
    pulse : ndarray of int64, shape (pulse of the run,)
        Positions in the data set.
    value : ndarray of int64, shape (pulse of the run,)
        What they are ordered by, ascending; pulses of equal value belong to one event.
    by : {"timestamp_ps", "entry", "position"}
        Time of the trigger, number of the event in its file, or position in the data set.
    """

    pulse: NDArray[np.int64]
    value: NDArray[np.int64]
    by: OrderedBy


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Neighbours.

    Parameters
    ----------
    pulse : ndarray of int64, shape (pulse of the block,)
        Positions in the data set.
    first, last : int
        Lowest and highest value of what they are ordered by.
    """

    pulse: NDArray[np.int64]
    first: int
    last: int


def order_in(pulses: Pulses, pulse: NDArray[np.int64], *, share: float) -> Order:
    """Put the pulses of a run in order: by time stamp, or by event where the time stamps are of no use.

    Parameters
    ----------
    pulses : Pulses
        The data set.
    pulse : ndarray of int64, shape (pulse of the run,)
        Positions of the run's pulses.
    share : float
        That the blocks should have: time stamps are of use if fewer pulses share one than make a block.
    """
    if pulses.timestamp_ps is not None and len(pulse):
        time_ps = pulses.timestamp_ps[pulse]
        _, n_equal = np.unique(time_ps, return_counts=True)
        n_validation = _n_validation(len(pulse), share)
        if n_equal.max() <= max(1, n_validation // _n_blocks(n_validation)):
            return _ordered(pulse, time_ps, "timestamp_ps")
    if pulses.entry is not None:
        return _ordered(pulse, pulses.entry[pulse], "entry")
    return Order(pulse, pulse, "position")


def draw_blocks(order: Order, *, share: float, rng: np.random.Generator) -> list[Block]:
    """Cut a run into stretches of equally many pulses, and draw a block from each.

    Parameters
    ----------
    order : Order
        Of the run's pulses; a run of a single pulse has no block.
    share : float
        Of the pulses that all blocks together have, to the nearest pulse, at least one.
    rng : numpy.random.Generator
        Draws where in its stretch each block begins.
    """
    n_validation = _n_validation(len(order.pulse), share)
    if n_validation == 0:
        return []
    n_blocks = _n_blocks(n_validation)
    edges = np.linspace(0, len(order.pulse), n_blocks + 1).round().astype(int)
    lengths = np.diff(np.linspace(0, n_validation, n_blocks + 1).round().astype(int))
    blocks = []
    for low, high, length in zip(edges[:-1], edges[1:], lengths, strict=True):
        begin = int(rng.integers(low, high - length + 1))
        # Pulses of one event in several channels have one time and belong on one side.
        first, last = order.value[begin], order.value[begin + length - 1]
        inside = slice(np.searchsorted(order.value, first), np.searchsorted(order.value, last, side="right"))
        blocks.append(Block(order.pulse[inside], int(first), int(last)))
    return blocks


def _ordered(pulse: NDArray[np.int64], value: NDArray[np.int64], by: OrderedBy) -> Order:
    order = np.argsort(value, kind="stable")
    return Order(pulse[order], value[order], by)


def _n_validation(n_pulses: int, share: float) -> int:
    return 0 if n_pulses < 2 else min(max(round(share * n_pulses), 1), n_pulses - 1)


def _n_blocks(n_validation: int) -> int:
    return min(MOST_BLOCKS, max(1, n_validation // LEAST_IN_BLOCK))
