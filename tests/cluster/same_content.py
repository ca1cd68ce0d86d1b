"""What a file holds besides the command line that made it: two ways of making it have two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py


def content(path: Path) -> Any:
    """Return all that a file holds, without command line and date."""
    if path.suffix in (".h5", ".lh5"):
        with h5py.File(path) as file:
            found = {"/": _attributes(file)}
            file.visititems(lambda name, item: found.update({name: _item(item)}))
            return found
    if path.suffix == ".csv":
        first, _, rest = path.read_text().partition("\n")
        return _told(first), rest
    return path.read_bytes()


def _item(item: Any) -> Any:
    stored = (item[()].tobytes(), item.dtype, item.chunks, item.compression) if isinstance(item, h5py.Dataset) else ()
    return _attributes(item), stored


def _attributes(item: Any) -> dict[str, str]:
    return {name: str(value) for name, value in item.attrs.items() if name not in ("command_line", "date_utc")}


def _told(line: str) -> Any:
    mark, brace, values = line.partition("{")
    if not brace:
        return line
    return mark, {name: value for name, value in json.loads(brace + values).items() if name != "command_line"}
