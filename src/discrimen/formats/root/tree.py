"""Any ROOT tree or RNTuple with waveforms; the user says which branch is what.

``ReadOptions.branches`` maps fields of :class:`~discrimen.pulses.Pulses` to branches. A waveform is a fixed array
(``wave[75]/s``), an array with a count (``wave[n]/s``), a ``std::vector`` or a ``TArray`` of numbers, in the type that
the file declares (a double becomes float32, a 64-bit integer int32). An entry may hold one waveform for each channel
(``wave[16][75]/s``, ``std::vector<std::vector<short>>``): each becomes a pulse, with its place as channel or with
that of a branch that lists the channels. A time stamp is taken as ps unless the branch's
name carries its unit: ``ts:ns``; units are ps, ns, us, ms, s, and a number before the unit counts ticks, ``ts:8ns``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.base import Format, ReadOptions, RunInfo
from discrimen.formats.columns import split_unit
from discrimen.formats.root.file import MAGIC, RootTree, open_root, tree_names
from discrimen.formats.root.own import own_branches, own_settings
from discrimen.formats.root.reader import Column, RootListReader, RootReader, TreeLayout
from discrimen.formats.root.writer import open_writer
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import COLUMNS
from discrimen.pulses.list_mode import LIST_COLUMNS, LIST_ONLY

NAME = "root"


def recognise_root(path: Path, head: bytes) -> bool:
    """Tell whether this is a ROOT file, by its first bytes."""
    del path
    return head.startswith(MAGIC)


def open_root_tree(path: Path, options: ReadOptions) -> RootReader:
    """Open a ROOT file with a tree of pulses.

    Raises
    ------
    FormatError
        If it is no ROOT file, is damaged, or no branch can hold waveforms.
    SettingsError
        If a tree or a branch must be named, or a name is wrong.
    """
    with open_root(path) as file:
        tree = RootTree(file, _choose_tree(tree_names(file, path), options.tree, path), path)
        branches = own_branches(tree) | dict(options.branches)
        settings, sources = merge_settings(options.settings, own_settings(file, tree), found_in="file")
        listed = _is_list(tree, branches)
        samples, chosen = (None, "") if listed else _choose_samples(tree, branches)
        mappable = LIST_COLUMNS if listed else COLUMNS
        columns = {
            field: _column(tree, field, name, mappable=mappable, lists=_nested(tree, samples))
            for field, name in branches.items()
            if field != "samples"
        }
        for branch in (*([] if samples is None else [samples]), *(column.branch for column in columns.values())):
            tree.boundaries(branch)
    info = RunInfo(
        path=path,
        format=NAME,
        layout=_describe(tree, samples, chosen, columns),
        settings=settings,
        settings_source=sources,
        n_entries=tree.n_entries,
    )
    layout = TreeLayout(tree=tree.name, samples=samples, columns=columns)
    kind = RootListReader if listed else RootReader
    return kind(info, layout, chunk_bytes=options.chunk_bytes)


def _is_list(tree: RootTree, mapping: Mapping[str, str]) -> bool:
    """Whether the branches that are named make a list of events without waveforms."""
    arrays = any(branch.shape in ("fixed", "jagged", "nested") for branch in tree.branches.values())
    return "samples" not in mapping and bool(mapping) and (not arrays or any(name in mapping for name in LIST_ONLY))


def _choose_tree(names: Iterable[str], wanted: str | None, path: Path) -> str:
    there = tuple(names)
    if not there:
        raise FormatError("the file holds no tree and no RNTuple", path)
    if wanted is not None:
        if wanted not in there:
            raise SettingsError(f"{path}: there is no tree '{wanted}'; the file has: {', '.join(there)}")
        return wanted
    if len(there) > 1:
        raise SettingsError(f"{path}: has the trees {', '.join(there)}; choose one with --tree")
    return there[0]


def _choose_samples(tree: RootTree, mapping: Mapping[str, str]) -> tuple[str, str]:
    """Return the branch of the waveforms and how it was chosen."""
    candidates = [branch for branch in tree.branches.values() if branch.shape in ("fixed", "jagged", "nested")]
    listed = ", ".join(f"{branch.name} ({branch.typename})" for branch in candidates)
    where = f"{tree.path}, tree '{tree.name}'"
    if "samples" in mapping:
        name = mapping["samples"]
        if name not in {branch.name for branch in candidates}:
            kind = tree.branches[name].typename if name in tree.branches else "no such branch"
            raise SettingsError(f"{where}: '{name}' ({kind}) cannot be waveforms; candidates: {listed or 'none'}")
        return name, "as told"
    if not candidates:
        has = ", ".join(f"{branch.name} ({branch.typename})" for branch in tree.branches.values())
        raise FormatError(
            f"tree '{tree.name}' has no branch with one array of numbers an entry; it has: {has}; a list of events "
            "without waveforms is read by naming its branches: --branch psd=NAME, energy=NAME, tof_ns=NAME",
            tree.path,
        )
    if len(candidates) > 1:
        raise SettingsError(f"{where}: which branch holds the waveforms? --branch samples=NAME, one of: {listed}")
    return candidates[0].name, "the only branch of arrays"


def _nested(tree: RootTree, samples: str | None) -> bool:
    return samples is not None and tree.branches[samples].shape == "nested"


def _column(tree: RootTree, field: str, named: str, *, mappable: Iterable[str], lists: bool) -> Column:
    """Return where a column comes from: one number an entry or, beside nested waveforms, a list an entry."""
    where = f"{tree.path}, tree '{tree.name}'"
    fields_there = tuple(name for name in mappable if name != "entry")
    if field not in fields_there:
        fields = ", ".join(("samples", *fields_there))
        raise SettingsError(f"--branch {field}={named}: there is no field '{field}'; fields: {fields}")
    name, factor = (named, 1) if named in tree.branches else split_unit(field, named)
    shapes = ("scalar", "jagged") if lists else ("scalar",)
    scalars = [branch.name for branch in tree.branches.values() if branch.shape in shapes]
    if name not in scalars:
        kind = f" ({tree.branches[name].typename})" if name in tree.branches else ""
        wanted = f"expected a branch of one number an entry, one of: {', '.join(scalars) or 'none'}"
        raise SettingsError(f"{where}: --branch {field}={named}: {wanted}; got '{name}'{kind}")
    return Column(name, factor)


def _describe(tree: RootTree, samples: str | None, chosen: str, columns: Mapping[str, Column]) -> str:
    mapped = [
        field if column == Column(field) else f"{field} from {column.branch}{_times(field, column)}"
        for field, column in columns.items()
    ]
    used = {samples, *(column.branch for column in columns.values())}
    unused = [branch.name for branch in tree.branches.values() if branch.shape == "scalar" and branch.name not in used]
    source = "list mode: charges only"
    if samples is not None:
        source = f"samples from {samples} ({tree.branches[samples].typename}; {chosen})"
        if _nested(tree, samples):
            source += ", a pulse for each array of an entry"
            source += "" if "channel" in columns else ", whose place is its channel"
    parts = [f"tree {tree.name}", source, *mapped]
    if unused:
        parts.append(f"not used: {', '.join(unused)} (--branch FIELD=NAME)")
    return ", ".join(parts)


def _times(field: str, column: Column) -> str:
    return f" ({column.factor} ps a count)" if field == "timestamp_ps" else ""


FORMAT = Format(
    name=NAME,
    description="ROOT tree or RNTuple, a waveform or a listed event an entry; branches named with --branch FIELD=NAME",
    suffixes=(".root",),
    recognises=recognise_root,
    open_reader=open_root_tree,
    open_writer=open_writer,
    takes=("branches", "tree"),
)
