"""Where the waveforms of an LH5 file are: its tables, their waveforms, and the columns whose meaning is certain.

LH5 is HDF5 with conventions (LEGEND data format specification): a table is a group whose attribute `datatype` reads
``table{...}``, a waveform a table of `values`, `t0` and `dt` inside it, and the attribute `units` names units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from discrimen.errors import FormatError
from discrimen.pulses import COLUMNS

H5_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError)
"""What h5py raises on a damaged file."""

VERSION_ATTRIBUTE = "discrimen_version"
SETTINGS_ATTRIBUTE = "discrimen_settings"
PROVENANCE_ATTRIBUTE = "discrimen_provenance"

PS_PER_UNIT: Mapping[str, float] = {
    "s": 1e12,
    "ms": 1e9,
    "us": 1e6,
    "µs": 1e6,
    "μs": 1e6,
    "ns": 1e3,
    "ps": 1.0,
}

_WAVEFORMS = ("waveform", "waveform_windowed", "waveform_presummed")
_DEPTH = 6
_LARGEST_WAVEFORM_BYTES = 256 * 2**20
_LARGEST_COMPRESSION = 4096
_CERTAIN_ELSEWHERE = {
    "timestamp_ps": "timestamp_ps",
    "photon_llr": "photon_llr",
    "record_llr": "record_llr",
    "tof_ns": "tof_ns",
    "energy_kevee": "energy_kevee",
    "energy_short": "energy_short",
    "board": "board",
    "channel": "channel",
    "energy": "energy",
    "daqenergy": "energy",
}
"""Columns of files from elsewhere whose name leaves no doubt, and the column of pulses they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseTable:
    """One table with waveforms.

    Parameters
    ----------
    name : str
        Path of the table in the file.
    waveform : str
        Path of the waveforms below the table.
    values : str
        Path of their samples below the table.
    n_rows, n_samples : int
        Waveforms, and samples of each.
    dtype : dtype or None
        Type of the samples; None where they are encoded.
    codec : str or None
        How they are encoded, if they are.
    columns : mapping of str to str
        Name in the table of each column of pulses.
    timestamp_unit : str or None
        Unit of a LEGEND column `timestamp` where there is no `timestamp_ps`.
    channel : int or None
        From the name of the table (``ch7/raw``), where no column tells it.
    """

    name: str
    waveform: str
    values: str
    n_rows: int
    n_samples: int
    dtype: np.dtype[Any] | None
    codec: str | None
    columns: Mapping[str, str] = field(default_factory=dict)
    timestamp_unit: str | None = None
    channel: int | None = None


def find_tables(file: h5py.File, path: Path, branches: Mapping[str, str]) -> list[PulseTable]:
    """Return the tables with waveforms, in the order of their names, numbers by value.

    Raises
    ------
    FormatError
        If there is none, or one contradicts itself.
    """
    native = VERSION_ATTRIBUTE in file.attrs
    # Without a leading slash, which would lead from every group to the same waveforms.
    wanted = (branches["samples"].lstrip("/"),) if "samples" in branches else _WAVEFORMS
    tables = []
    for group in _under_one_name(_groups(file, _DEPTH)):
        name = next((name for name in wanted if child(group, name) is not None), None)
        if name is not None:
            tables.append(_pulse_table(group, name, path, branches, native))
    if not tables:
        looked_for = " or ".join(f"'{name}'" for name in wanted)
        flat = [
            str(data.name).strip("/") for data in _datasets(file, _DEPTH) if data.ndim == 2 and data.dtype.kind in "iuf"
        ]
        choose = f"one of {', '.join(flat[:8])}" if flat else "but nothing in it has two dimensions"
        raise FormatError(
            f"expected LH5 tables with waveforms named {looked_for}, found none; top level: {_names(file)}; "
            f"name the waveforms with --branch samples=NAME if they are called otherwise ({choose})",
            path,
        )
    return tables


def child(group: h5py.Group, name: str) -> h5py.HLObject | None:
    """Return what a group has under a name, None if there is no such name; what is there but damaged raises."""
    return None if group.get(name, getlink=True) is None else group[name]


def text_attribute(item: h5py.HLObject, name: str) -> str | None:
    """Return an attribute that is text."""
    value = item.attrs.get(name)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value if isinstance(value, str) else None


def _groups(group: h5py.Group, depth: int) -> Iterator[h5py.Group]:
    """Yield a group and those below it; links to other files are not followed."""
    yield group
    if depth == 0:
        return
    for name in sorted(group, key=_by_numbers):
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            below = group[name]
            if isinstance(below, h5py.Group):
                yield from _groups(below, depth - 1)


def _under_one_name(groups: Iterable[h5py.Group]) -> list[h5py.Group]:
    """Leave out groups that were met under another name; of several names one that tells the channel is kept."""
    met: dict[int, h5py.Group] = {}
    for group in groups:
        address = h5py.h5o.get_info(group.id).addr
        if address not in met or (_channel_in(group) is not None and _channel_in(met[address]) is None):
            met[address] = group
    return list(met.values())


def _channel_in(group: h5py.Group) -> int | None:
    found = re.search(r"(?:^|/)ch(\d{1,9})(?:/|$)", str(group.name))
    return int(found[1]) if found else None


def _datasets(file: h5py.File, depth: int) -> Iterator[h5py.Dataset]:
    for group in _groups(file, depth):
        members = (group[name] for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink))
        yield from (member for member in members if isinstance(member, h5py.Dataset))


def _by_numbers(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _names(group: h5py.Group) -> str:
    names = list(group)
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "nothing"


def _pulse_table(group: h5py.Group, name: str, path: Path, branches: Mapping[str, str], native: bool) -> PulseTable:
    waveform = group[name]
    where = f"{group.name}/{name}".replace("//", "/")
    values_name = name if isinstance(waveform, h5py.Dataset) else f"{name}/values"
    values = child(group, values_name)
    codec = None
    if isinstance(values, h5py.Group) and "encoded_data" in values:
        codec = text_attribute(values, "codec") or "an unnamed codec"
        n_rows, n_samples, dtype = _encoded_shape(values, path, where)
    elif isinstance(values, h5py.Dataset) and values.ndim == 2:
        n_rows, n_samples, dtype = values.shape[0], values.shape[1], values.dtype
        _check_size(values, path, where)
    else:
        kind = text_attribute(values, "datatype") if values is not None else None
        raise FormatError(f"expected waveforms of equal length in {where}, got {kind or 'no table of values'}", path)
    if not 0 < n_samples * 4 <= _LARGEST_WAVEFORM_BYTES:
        raise FormatError(f"waveforms of {n_samples} samples in {where} cannot be", path)
    columns = _columns(group, n_rows, path, branches, native)
    return PulseTable(
        name=str(group.name),
        waveform=name,
        values=values_name,
        n_rows=n_rows,
        n_samples=n_samples,
        dtype=dtype,
        codec=codec,
        columns=columns,
        timestamp_unit=None if "timestamp_ps" in columns else _timestamp_unit(group, n_rows),
        channel=None if native or "channel" in columns else _channel_in(group),
    )


def _encoded_shape(values: h5py.Group, path: Path, where: str) -> tuple[int, int, None]:
    lengths, size = child(values, "encoded_data/cumulative_length"), child(values, "decoded_size")
    if not isinstance(lengths, h5py.Dataset) or not isinstance(size, h5py.Dataset) or size.shape != ():
        raise FormatError(f"expected encoded waveforms of one decoded size in {where}", path)
    return len(lengths), int(size[()]), None


def _check_size(values: h5py.Dataset, path: Path, where: str) -> None:
    """Refuse a data set that claims more than any compression can have put into the file."""
    claimed, stored = values.size * values.dtype.itemsize, values.id.get_storage_size()
    if claimed > _LARGEST_COMPRESSION * max(stored, 1) or values.dtype.kind not in "iuf":
        raise FormatError(
            f"expected waveforms in {where}, got {values.shape} of {values.dtype}, {claimed} bytes from {stored} "
            "stored",
            path,
        )


def _columns(group: h5py.Group, n_rows: int, path: Path, branches: Mapping[str, str], native: bool) -> dict[str, str]:
    """Return the table's name of each column: as the user says, else by the names that are certain."""
    known = {name: name for name in COLUMNS} if native else {}
    for name, column in _CERTAIN_ELSEWHERE.items():
        if not native and column not in known and child(group, name) is not None:
            known[column] = name
    chosen = known | {column: name for column, name in branches.items() if column in COLUMNS}
    found = {}
    for column, name in chosen.items():
        data = child(group, name)
        if data is None and column not in branches:
            continue
        if not isinstance(data, h5py.Dataset) or data.shape != (n_rows,):
            got = f"shape {data.shape}" if isinstance(data, h5py.Dataset) else "no such column"
            raise FormatError(f"{group.name}: expected {n_rows} values in the column '{name}', got {got}", path)
        found[column] = name
    return found


def _timestamp_unit(group: h5py.Group, n_rows: int) -> str | None:
    data = child(group, "timestamp")
    if not isinstance(data, h5py.Dataset) or data.shape != (n_rows,) or data.dtype.kind not in "iuf":
        return None
    unit = text_attribute(data, "units")
    return unit if unit in PS_PER_UNIT else None
