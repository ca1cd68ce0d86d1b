"""``discrimen hits``: the traces of segmented crystals, put together to hits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.errors import SettingsError
from discrimen.formats.inputs import InputOptions
from discrimen.pulses.hit_flags import HitFlag
from discrimen.runs.gather_options import CORE_CHANNEL, FAULTY, GatherOptions
from discrimen.runs.gather_runs import write_hits


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(hits))


def hits(
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="File of hits to write (HDF5).", show_default=False)],
    channels: Annotated[
        str,
        typer.Option(
            metavar="0-36", help="Channels of a crystal in the order that the hits should have: 0-5,12,7; the core too."
        ),
    ] = "0-36",
    core: Annotated[int, typer.Option(help="Channel of the core; -1 if there is none.", min=-1)] = CORE_CHANNEL,
    window_ns: Annotated[
        float, typer.Option(help="Largest distance in time of a trace from the first one of its hit.", min=0)
    ] = 0.0,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Least energy of the core, in the unit of the file (keV where calibrated).", show_default=False
        ),
    ] = None,
    samples: Annotated[
        str | None,
        typer.Option(
            metavar="START:STOP",
            help="Write these samples of the records alone, for example 100:200, where their ends are no signal.",
            show_default=False,
        ),
    ] = None,
    dead: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Channel that is dead; repeatable.", show_default=False, min=0)
    ] = None,
    keep_flat: Annotated[
        bool, typer.Option("--keep-flat", help="Take traces without any change for signals, not for dead channels.")
    ] = False,
    keep_faulty: Annotated[
        bool,
        typer.Option(
            "--keep-faulty",
            help="Write, with their flags, also hits without the core, with a channel that came twice, with a trace of "
            "another length, or below the threshold; by default they are left out.",
        ),
    ] = False,
    packed: Annotated[
        bool,
        typer.Option(
            "--packed", help="Compress the samples, without loss: for slow or small disks. Needs the extra 'codes'."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Put the traces of one crystal and one time together to hits, for networks that locate. docs/hits.md."""
    options = GatherOptions(
        channels=parse_channels(channels),
        core=None if core < 0 else core,
        window_ns=window_ns,
        threshold=threshold,
        dead=tuple(dead or ()),
        flat_is_dead=not keep_flat,
        leave_out=HitFlag(0) if keep_faulty else FAULTY,
    )
    common.refuse_to_replace(output, files, overwrite=overwrite)
    readers = [inputs.open(path) for path in files]
    with common.progress("gathering", total=common.total_entries(readers)) as tick:
        done = write_hits(readers, output, options=options, samples=_range(samples), packed=packed, on_progress=tick)
    for file, report in zip(files, done.read, strict=True):
        common.log_left_out(file, report)
    if json:
        common.emit_json(done.as_dict())
        return
    for line in done.gathered.lines():
        print(line)
    left_out = f", {done.gathered.n_left_out} left out" if done.gathered.n_left_out else ""
    print(f"{done.n_hits} hits of {len(options.channels)} channels written to {output}{left_out}")


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    start, _, stop = text.partition(":")
    try:
        return int(start), int(stop)
    except ValueError as error:
        raise SettingsError(f"--samples expects START:STOP, for example 100:200; got '{text}'") from error


def parse_channels(text: str) -> tuple[int, ...]:
    """Parse channels and ranges of them with commas between.

    Raises
    ------
    SettingsError
        If the text is none.
    """
    channels: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            channels += range(int(first), int(last or first) + 1)
        except ValueError as error:
            raise SettingsError(f"--channels expects channels and ranges like 0-8,10-18,9; got '{text}'") from error
    return tuple(channels)
