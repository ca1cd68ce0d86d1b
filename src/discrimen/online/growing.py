"""A run file is written as an acquisition would write it: piece by piece, under the eyes of who follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic, sleep

from discrimen.formats.base import Reader, Writer
from discrimen.online.pace import Pace
from discrimen.pulses import Pulses

_PAUSE_S = 0.005


def paced_blocks(
    reader: Reader, pace: Pace, *, block_pulses: int, is_ended: Callable[[], bool] = lambda: False
) -> Iterator[Pulses]:
    """Yield the pulses of a run in blocks, each when it may go.

    Parameters
    ----------
    reader : Reader
        The open file.
    pace : Pace
        How fast.
    block_pulses : int
        Pulses of a block, at most.
    is_ended : callable
        Asked now and then whether to give up.
    """
    for chunk in reader.chunks():
        for start in range(0, len(chunk), block_pulses):
            block = chunk[start : start + block_pulses]
            pace.start(monotonic())
            while not pace.allows(monotonic()):
                if is_ended():
                    return
                sleep(_PAUSE_S)
            if is_ended():
                return
            yield block
            times_ps = block.timestamp_ps
            begin_ps, end_ps = (0, 0) if times_ps is None else (int(times_ps.min()), int(times_ps.max()))
            pace.add(len(block), begin_ps=begin_ps, end_ps=end_ps)


def grow_run(
    reader: Reader,
    writer: Writer,
    pace: Pace,
    *,
    block_pulses: int,
    is_ended: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write the pulses of a run into a file that grows, and return how many there were.

    Parameters
    ----------
    reader : Reader
        The open file.
    writer : Writer
        Of the file that grows, open.
    pace, block_pulses, is_ended
        See :func:`paced_blocks`.
    on_progress : callable
        Called with the number of pulses of each block that is written.

    Raises
    ------
    DataError
        If the file that grows cannot hold them.
    """
    n_pulses = 0
    for block in paced_blocks(reader, pace, block_pulses=block_pulses, is_ended=is_ended):
        writer.write(block)
        n_pulses += len(block)
        on_progress(len(block))
    return n_pulses
