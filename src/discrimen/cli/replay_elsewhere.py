"""The part of ``discrimen replay`` that plays ABCD, or writes a run file that grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from discrimen.cli import common
from discrimen.cli.stop_signals import stop_signals
from discrimen.errors import OutputError
from discrimen.formats.abcd.ticks import DEFAULT_TICK_PS, TickClock
from discrimen.formats.base import Format, Reader
from discrimen.formats.settings_merge import common_settings
from discrimen.formats.table import FORMATS
from discrimen.online.abcd.replay import AbcdPlayer
from discrimen.online.abcd.sockets import Publisher
from discrimen.online.growing import grow_run
from discrimen.online.pace import Pace
from discrimen.output.files import refuse_inputs


def play_as_abcd(
    readers: Sequence[Reader], output: str, *, block: int, n_rounds: int, tick_ps: float | None, **pace: Any
) -> list[dict[str, Any]]:
    """Publish the waveforms of run files as ABCD does, and return what was sent of each."""
    results = []
    clock = TickClock(DEFAULT_TICK_PS if tick_ps is None else tick_ps)
    with stop_signals() as is_ended, Publisher(output) as publisher:
        player = AbcdPlayer(publisher, clock, is_ended)
        common.log(f"ABCD is played at {output}; it begins when somebody listens")
        for reader in readers:
            before, speed = player.n_messages, Pace(**pace)
            with common.progress(reader.info.path.name, total=_total(reader, n_rounds)) as tick:
                n_pulses = player.play(reader, speed, block_pulses=block, on_progress=tick)
            results.append(_told(reader, "abcd", n_pulses, speed, n_messages=player.n_messages - before))
    return results


def play_into_file(
    readers: Sequence[Reader], output: str, *, block: int, n_rounds: int, **pace: Any
) -> list[dict[str, Any]]:
    """Write the pulses of run files into one that grows, and return what was written of each.

    Raises
    ------
    OutputError
        If no file of this suffix can grow, or it is there already.
    """
    path = Path(output)
    refuse_inputs(path, [reader.info.path for reader in readers])
    found = _growing_format(path)
    assert found.open_growing_writer is not None
    results = []
    with stop_signals() as is_ended, found.open_growing_writer(path, common_settings(readers)) as writer:
        for reader in readers:
            speed = Pace(**pace)
            with common.progress(reader.info.path.name, total=_total(reader, n_rounds)) as tick:
                n_pulses = grow_run(reader, writer, speed, block_pulses=block, is_ended=is_ended, on_progress=tick)
            results.append(_told(reader, "file", n_pulses, speed))
    return results


def _growing_format(path: Path) -> Format:
    growing = [known for known in FORMATS if known.open_growing_writer is not None]
    for known in growing:
        if path.name.lower().endswith(known.suffixes):
            return known
    suffixes = " ".join(suffix for known in growing for suffix in known.suffixes)
    raise OutputError(f"{path}: a run file that grows ends in one of {suffixes}")


def _total(reader: Reader, n_rounds: int) -> int | None:
    return None if reader.info.n_entries is None else n_rounds * reader.info.n_entries


def _told(reader: Reader, to: str, n_pulses: int, pace: Pace, **more: Any) -> dict[str, Any]:
    common.log_left_out(reader.info.path, reader.report)
    seconds = pace.seconds(monotonic())
    return {"input": str(reader.info.path), "to": to, "n_pulses": n_pulses, "seconds": seconds, **more}
