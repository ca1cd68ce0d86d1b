"""``discrimen datasets``: known public data sets, fetched with checksums and turned into native files."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.errors import SettingsError
from discrimen.formats.inputs import InputOptions
from discrimen.output.plain import plain
from discrimen.public_data import PUBLIC_SETS, Conversion, Fetched, PublicSet, convert_set, fetch_set, find_set
from discrimen.public_data.lock import LOCK_NAME, Lock
from discrimen.public_data.record import ZENODO

NameArgument = Annotated[
    str, typer.Argument(help=f"One of {', '.join(known.name for known in PUBLIC_SETS)}.", show_default=False)
]
_MB = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the command with its subcommands."""
    app.callback(invoke_without_command=True)(datasets)
    app.command()(fetch)
    app.command()(with_input_options(convert))


def datasets(context: typer.Context, json: common.JsonOption = False) -> None:
    """List known public data sets of neutron and gamma pulses; fetch one; make native files of it."""
    if context.invoked_subcommand is not None:
        if json:
            raise typer.BadParameter("--json goes behind fetch or convert")
        return
    if json:
        common.emit_json({"data_sets": [known.as_dict() for known in PUBLIC_SETS]})
        return
    for known in PUBLIC_SETS:
        print(_described(known))
    print("Names, sizes, checksums and licence are those of the record: 'discrimen datasets fetch NAME -o FOLDER'.")


def fetch(
    name: NameArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the files.", show_default=False)],
    only: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Only files of such names, as in a shell; repeatable.")
    ] = None,
    server: Annotated[str, typer.Option(metavar="URL", help="A mirror that answers as Zenodo does.")] = ZENODO,
    json: common.JsonOption = False,
) -> None:
    """Fetch a data set; files that are there and right are not fetched again."""
    known = _known(name)
    with common.progress("MB", total=None) as tick:
        meter = _Megabytes(tick)

        def plan(lock: Lock, names: tuple[str, ...]) -> None:
            n_bytes = sum(file.size for file in lock.files if file.name in names)
            common.log(f"{lock.doi}, licence {lock.licence or 'not stated'}: {len(names)} files, {_size(n_bytes)}")

        fetched = fetch_set(
            known, output, only=tuple(only or ()), server=server.rstrip("/"), on_bytes=meter, on_plan=plan
        )
    if json:
        common.emit_json(fetched.as_dict())
    else:
        _print_fetched(fetched, known)


def convert(
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(help="As fetched.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for native files.", show_default=False)],
    overwrite: Annotated[bool, typer.Option(help="Replace native files that are there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Make native files of a fetched data set, with its labels; the fetched files are never modified."""
    known = _known(name)
    if inputs.format_name is not None:
        raise typer.BadParameter("--format is of no use here: the data set says how its files are read")
    done = convert_set(
        known,
        folder,
        output,
        options=inputs.read,
        overwrite=overwrite,
        on_file=lambda path: common.log(f"reading {path}"),
    )
    if json:
        common.emit_json({"data_set": name, **plain(done)})
    else:
        _print_converted(done, known)


def _known(name: str) -> PublicSet:
    try:
        return find_set(name)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


class _Megabytes:
    """Counts bytes, and tells the display of whole megabytes."""

    def __init__(self, tick: common.Tick) -> None:
        self._tick = tick
        self._bytes = 0
        self._told = 0

    def __call__(self, n_bytes: int) -> None:
        self._bytes += n_bytes
        whole = self._bytes // _MB
        if whole > self._told:
            self._tick(whole - self._told)
            self._told = whole


def _described(known: PublicSet) -> str:
    lines = {
        "detector": known.detector,
        "digitizer": known.digitizer,
        "source": known.source,
        "content": known.content,
        "record": f"https://doi.org/{known.doi}",
        "converter": ", ".join(rule.pattern for rule in known.rules if rule.ignored is None),
        "facts from": "; ".join(known.facts_from),
        "note": known.note,
    }
    text = [f"{known.name}: {known.title}"]
    for what, value in lines.items():
        if value:
            text += textwrap.wrap(
                value,
                width=78,
                initial_indent=f"  {what + ':':<12}",
                subsequent_indent=" " * 14,
                break_long_words=False,
            )
    return "\n".join(text) + "\n"


def _print_fetched(fetched: Fetched, known: PublicSet) -> None:
    for name in fetched.downloaded:
        print(f"{fetched.folder / name}: fetched, checksum right")
    for name in fetched.kept:
        print(f"{fetched.folder / name}: was there already, checksum right")
    print(f"checksums in {fetched.folder / LOCK_NAME}; native files of it:")
    print(f"discrimen datasets convert {known.name} {fetched.folder} -o FOLDER --sample-period-ns N")


def _print_converted(done: Conversion, known: PublicSet) -> None:
    for one in done.converted:
        counts = f"{one.n_gamma} gammas, {one.n_neutron} neutrons, {one.n_unknown} unknown"
        print(f"{one.output}: {counts}")
    for name, reason in done.left.items():
        print(f"left alone: {name}: {reason}")
    if known.note:
        print(textwrap.fill(known.note, width=78))


def _size(n_bytes: int) -> str:
    return f"{n_bytes / _MB:.1f} MB" if n_bytes >= _MB / 10 else f"{n_bytes} bytes"
