"""Where the command line stands in each kind of file that this package writes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import uproot

from discrimen.network.frozen_file import read_frozen

NO_PLACE = (".keras", ".npz", "history.csv", ".lock", ".BIN", ".xml")
"""Files of others' formats without room for it; model.json beside a network and truth files beside runs have it."""


def command_line_of(path: Path) -> str | None:
    """Return what a file says of the command line that made it; None where its kind has no place for one."""
    if path.name.endswith(NO_PLACE) or ".tfevents." in path.name:
        return None
    return _KINDS[path.suffix](path)


def without_command_line(folder: Path) -> list[str]:
    """Return the files of a folder that should say which command line made them and do not."""
    told = {path: command_line_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    return [
        str(path.relative_to(folder)) for path, said in told.items() if said is not None and "discrimen " not in said
    ]


def _hdf5(path: Path) -> str:
    with h5py.File(path) as file:
        return str(file.attrs.get("command_line", ""))


def _frozen(path: Path) -> str:
    provenance = read_frozen(path).description.provenance
    return str(provenance["freezing"]["command_line"]) + str(provenance["command_line"])


def _json(path: Path) -> str:
    found: dict[str, Any] = json.loads(path.read_text())
    if path.name == "steps.json":
        return "".join(step["command"] for step in found["done"].values())
    return str({**found.get("provenance", {}), **found}.get("command_line", ""))


def _png(path: Path) -> str:
    content, at = path.read_bytes(), 8
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind in (b"tEXt", b"iTXt") and content[at + 8 :].startswith(b"Comment\0"):
            return content[at + 16 : at + 8 + length].decode()
        at += 12 + length
    return ""


def _parquet(path: Path) -> str:
    from pyarrow import parquet

    return str(parquet.read_schema(path).metadata)


def _root(path: Path) -> str:
    with uproot.open(path) as file:
        return " ".join(str(file[key]) for key in file.keys(filter_classname="TObjString"))


def _first_lines(path: Path) -> str:
    return "\n".join(path.read_text().splitlines()[:20])


def _whole(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


_KINDS: dict[str, Callable[[Path], str]] = {
    ".h5": _hdf5,
    ".lh5": _hdf5,
    ".discrimen": _frozen,
    ".json": _json,
    ".png": _png,
    ".pdf": _whole,
    ".html": _whole,
    ".parquet": _parquet,
    ".root": _root,
    ".csv": _first_lines,
    ".yaml": _first_lines,
    ".log": _first_lines,
}
