"""Runs added to the file of wishes; whatever else stands in it, remarks included, stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import yaml

AddedRole = Literal["classify", "test"]


def with_added_runs(text: str, paths: Sequence[Path], *, role: AddedRole) -> str:
    """Return a file of wishes, which was read before without fault, with further runs to classify or to test.

    Parameters
    ----------
    text : str
        The YAML.
    paths : sequence of Path
        Absolute; those that are there already are not added.
    role : {"classify", "test"}
        The line that they are added to.
    """
    lines = text.splitlines()
    key, value = next(((key, value) for key, value in _entries(text) if key.value == role), (None, None))
    there = _listed(value)
    new = [str(path) for path in paths if str(path) not in there]
    if not new:
        return text
    if key is None or value is None:
        return "\n".join([*lines, f"{role}:", *_items(new)]) + "\n"
    if isinstance(value, yaml.SequenceNode) and not value.flow_style:
        last = value.value[-1]
        indent = " " * value.start_mark.column
        at = last.end_mark.line + 1
        return "\n".join([*lines[:at], *_items(new, indent), *lines[at:]]) + "\n"
    _, mark, remark = lines[key.start_mark.line].partition("#")
    head = f"{role}:" + (f"  #{remark}" if mark else "")
    end = max(key.start_mark.line, value.end_mark.line)
    return "\n".join([*lines[: key.start_mark.line], head, *_items([*there, *new]), *lines[end + 1 :]]) + "\n"


def _entries(text: str) -> list[tuple[yaml.Node, yaml.Node]]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(root.value) if isinstance(root, yaml.MappingNode) else []


def _items(paths: Sequence[str], indent: str = "") -> list[str]:
    return [indent + line for line in yaml.safe_dump(list(paths), width=10_000).splitlines()]


def _listed(value: yaml.Node | None) -> list[str]:
    if isinstance(value, yaml.SequenceNode):
        return [each.value for each in value.value]
    return [value.value] if isinstance(value, yaml.ScalarNode) and value.tag.endswith(":str") else []
