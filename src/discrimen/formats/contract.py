"""What a format promises, tried on a valid file of it; for those who write a reader of their own.

Usage: ``python -m discrimen.formats.contract FILE [--format NAME] [--mutations 2000]``. Says what is broken, and ends
with status 1 if something is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DiscrimenError
from discrimen.formats.base import DEFAULT_CHUNK_BYTES, Format, ListModeReader, Reader, ReadOptions
from discrimen.formats.table import find_format
from discrimen.pulses import Pulses
from discrimen.pulses.list_mode import ListModeEvents

_CHUNK_BYTES = (1, 5000, DEFAULT_CHUNK_BYTES)
_N_CUTS, _N_HEADS = 16, 200


def broken_promises(path: Path, *, format_name: str | None = None) -> list[str]:
    """Read a small valid file of a format in several ways, and return one line for each promise that it breaks.

    Parameters
    ----------
    path : Path
        Small enough to be held in memory several times.
    format_name : str, optional
        Found out if not given; then the file must be told by its content under another name too.

    Raises
    ------
    DiscrimenError
        If the file cannot be read at all.
    """
    content = path.read_bytes()
    known = find_format(path, format_name)
    with TemporaryDirectory(prefix="discrimen-") as folder:
        broken = [] if format_name is not None else list(_untold(known, path, Path(folder)))
        broken += _read_in_pieces(known, path)
        broken += _read_cut_off(known, path, content, Path(folder))
    if path.read_bytes() != content:
        broken.append("the file is not the same after it was read: run files are never modified")
    return broken


def _untold(known: Format, path: Path, folder: Path) -> Iterator[str]:
    other = folder / "run.unknown"
    copyfile(path, other)
    if not known.recognises(other, other.read_bytes()[:4096]):
        yield "recognises() does not tell the file by its content under another name"
    rng, taken = np.random.default_rng(9), 0
    for _ in range(_N_HEADS):
        head = rng.bytes(int(rng.integers(1, 200)))
        other.write_bytes(head)
        taken += bool(known.recognises(other, head))
    if taken:
        yield f"recognises() takes {taken} of {_N_HEADS} files of random bytes for its own"


def _read_in_pieces(known: Format, path: Path) -> Iterator[str]:
    """Yield what differs between passes over the file with chunks of several sizes."""
    first: dict[int, bytes] | None = None
    for chunk_bytes in _CHUNK_BYTES:
        reader = known.open_reader(path, ReadOptions(chunk_bytes=chunk_bytes))
        for number in range(2):
            read, repeated = _rows(reader)
            where = f"pass {number + 1} with chunk_bytes={chunk_bytes}"
            if repeated:
                yield f"{where}: {repeated} numbers in the column 'entry' come twice"
            if reader.report.n_read != len(read) + repeated:
                yield f"{where}: the report says {reader.report.n_read} read, {len(read) + repeated} came"
            if first is not None and read != first:
                yield f"{where}: other pulses than in the first pass"
            first = read if first is None else first
    if not first:
        yield "no pulse came: take a file that holds some"


def _rows(reader: Reader) -> tuple[dict[int, bytes], int]:
    """Read all, and return the samples (or charges) by entry, and how many entries came again."""
    rows: dict[int, bytes] = {}
    n_read = 0
    for chunk in _chunks(reader):
        values = _values(chunk)
        for entry, row in zip(chunk.columns()["entry"].tolist(), values, strict=True):
            rows[entry] = row.tobytes()
            n_read += 1
    return rows, n_read - len(rows)


def _chunks(reader: Reader) -> Iterator[Pulses | ListModeEvents]:
    if isinstance(reader, ListModeReader):
        yield from reader.event_chunks()
    else:
        yield from reader.chunks()


def _values(chunk: Pulses | ListModeEvents) -> NDArray[np.generic]:
    if isinstance(chunk, Pulses):
        return chunk.samples
    return np.stack([column.astype(np.float64) for column in chunk.columns().values()], axis=1)


def _read_cut_off(known: Format, path: Path, content: bytes, folder: Path) -> Iterator[str]:
    """Yield what goes wrong where the file ends early."""
    cut = folder / path.name
    for number in range(_N_CUTS):
        n_bytes = len(content) * number // _N_CUTS
        cut.unlink(missing_ok=True)
        cut.write_bytes(content[:n_bytes])
        try:
            _rows(known.open_reader(cut, ReadOptions()))
        except DiscrimenError:
            continue
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            yield f"cut off after {n_bytes} bytes: {type(error).__name__}: {error}, where only FormatError is right"


def mutated_tally(path: Path, n_mutations: int, *, format_name: str | None = None) -> list[str]:
    """Damage a file many times, read each in a process of its own, and return one line for each fault."""
    command = [sys.executable, "-m", "discrimen.formats.mutation", str(path), str(n_mutations), "1"]
    done = subprocess.run(command + ([format_name] if format_name else []), capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"the reading process ended with {done.returncode}: {done.stderr[-2000:]}"]
    return [str(line) for line in json.loads(done.stdout)["violations"]]


def main() -> None:
    """Try a file and say what is broken."""
    parser = argparse.ArgumentParser(prog="python -m discrimen.formats.contract", description=__doc__)
    parser.add_argument("file", type=Path, help="a small valid file of the format")
    parser.add_argument("--format", help="name of the format; found out if not given")
    parser.add_argument("--mutations", type=int, default=2000, help="damaged copies to read (default 2000)")
    given = parser.parse_args()
    try:
        with TemporaryDirectory(prefix="discrimen-") as folder:
            copy = Path(copyfile(given.file, Path(folder) / given.file.name))
            broken = broken_promises(copy, format_name=given.format)
            broken += mutated_tally(copy, given.mutations, format_name=given.format)
    except (DiscrimenError, OSError) as error:
        broken = [str(error)]
    for line in broken:
        print(line)
    print(f"{given.file}: {len(broken)} promises broken" if broken else f"{given.file}: all promises kept")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
