"""CoMPASS ROOT files: the trees ``Data_R`` (raw), ``Data`` (unfiltered) and ``Data_F`` (filtered).

Branches, as CoMPASS writes them: Channel, Board, Energy and EnergyShort (unsigned 16 bit), Timestamp (unsigned 64 bit,
ps), Flags (unsigned 32 bit), and with waveforms Probe (32 bit) and Samples (``TArrayS``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from discrimen.errors import DiscrimenError, FormatError, SettingsError
from discrimen.formats.base import Format, ReadOptions, RunInfo
from discrimen.formats.compass.settings import CompassSettings, find_compass_settings, with_companion
from discrimen.formats.root.file import MAGIC, RootTree, open_root, tree_names
from discrimen.formats.root.reader import Column, RootListReader, RootReader, TreeLayout

TREES = ("Data_R", "Data", "Data_F")
"""The trees of CoMPASS: raw, unfiltered, filtered."""

NAME = "compass-root"

_COLUMNS = {
    "timestamp_ps": "Timestamp",
    "board": "Board",
    "channel": "Channel",
    "flags": "Flags",
    "energy": "Energy",
    "energy_short": "EnergyShort",
}
_SAMPLES = "Samples"
_REQUIRED = ("Channel", "Timestamp")


def recognise_compass_root(path: Path, head: bytes) -> bool:
    """Tell whether this is a ROOT file with a tree of CoMPASS; never raises."""
    if not head.startswith(MAGIC):
        return False
    try:
        with open_root(path) as file:
            names = [name for name in tree_names(file, path) if name in TREES]
            return any(_is_compass(RootTree(file, name, path)) for name in names)
    except DiscrimenError:
        return False


def open_compass_root(path: Path, options: ReadOptions) -> RootReader:
    """Open a CoMPASS ROOT file.

    Raises
    ------
    FormatError
        If it is no such file or its trees are damaged.
    SettingsError
        If the file has several trees and none was chosen, or its settings.xml is at fault.
    """
    with open_root(path) as file:
        tree = RootTree(file, _choose_tree(tree_names(file, path), options.tree, path), path)
        columns = {name: Column(branch) for name, branch in _COLUMNS.items() if branch in tree.branches}
        samples = _SAMPLES if _SAMPLES in tree.branches else None
        _check_branches(tree, columns, samples)
        for branch in (*(column.branch for column in columns.values()), *([samples] if samples else [])):
            tree.boundaries(branch)
    companion = find_compass_settings(path, given=options.companion, known=options.settings)
    settings, source = with_companion(path, options.settings, companion)
    info = RunInfo(
        path=path,
        format=NAME,
        layout=_describe(tree, columns, samples),
        settings=settings,
        settings_source=source,
        n_entries=tree.n_entries,
    )
    layout = TreeLayout(
        tree=tree.name,
        samples=samples,
        sample_dtype=_unsigned(tree, samples),
        columns=columns,
        board_periods_ns=_board_periods_ns(companion),
    )
    kind = RootListReader if samples is None else RootReader
    return kind(info, layout, chunk_bytes=options.chunk_bytes)


def _is_compass(tree: RootTree) -> bool:
    return set(_REQUIRED) <= set(tree.branches) and (_SAMPLES in tree.branches or "Energy" in tree.branches)


def _choose_tree(names: Iterable[str], wanted: str | None, path: Path) -> str:
    there = tuple(names)
    if wanted is not None:
        if wanted not in there:
            raise SettingsError(f"{path}: there is no tree '{wanted}'; the file has: {', '.join(there) or 'none'}")
        return wanted
    ours = [name for name in TREES if name in there]
    if not ours:
        problem = f"expected a tree {', '.join(TREES)}, got: {', '.join(there) or 'none'}; name another with --tree"
        raise FormatError(problem, path)
    if len(ours) > 1:
        raise SettingsError(f"{path}: has the trees {', '.join(ours)}; choose one with --tree")
    return ours[0]


def _check_branches(tree: RootTree, columns: dict[str, Column], samples: str | None) -> None:
    missing = [name for name in _REQUIRED if name not in tree.branches]
    if missing:
        problem = f"tree '{tree.name}' has no branch {', '.join(missing)}; for other trees use --format root"
        raise FormatError(problem, tree.path)
    expected: dict[str, tuple[str, ...]] = {column.branch: ("scalar",) for column in columns.values()}
    if samples is not None:
        expected[samples] = ("jagged", "fixed")
    for name, shapes in expected.items():
        branch = tree.branches[name]
        if branch.shape not in shapes:
            problem = f"branch '{name}' of tree '{tree.name}' holds {branch.typename}, expected {' or '.join(shapes)}"
            raise FormatError(f"{problem} numbers; for other trees use --format root", tree.path)


def _describe(tree: RootTree, columns: dict[str, Column], samples: str | None) -> str:
    waveforms = f"waveforms as {tree.branches[samples].typename}" if samples is not None else "no waveforms"
    return f"tree {tree.name}, {waveforms}, columns {', '.join(column.branch for column in columns.values())}"


def _unsigned(tree: RootTree, samples: str | None) -> np.dtype[np.uint16] | None:
    """Read 16-bit samples as unsigned: ADC counts are, and a TArrayS wraps those above 32767 to negative ones."""
    dtype = tree.branches[samples].dtype if samples is not None else None
    return np.dtype(np.uint16) if dtype == np.dtype(np.int16) else None


def _board_periods_ns(companion: CompassSettings | None) -> dict[int, float | None]:
    return dict(enumerate(companion.sample_periods_ns())) if companion is not None else {}


FORMAT = Format(
    name=NAME,
    description="CoMPASS ROOT file (tree Data_R, Data or Data_F)",
    suffixes=(".root",),
    recognises=recognise_compass_root,
    open_reader=open_compass_root,
    takes=("tree", "companion"),
)
