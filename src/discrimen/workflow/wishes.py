"""The small YAML file of a whole run: what is there, and how it should be done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from discrimen.errors import SettingsError

FILE_NAME = "run.yaml"
Share = Annotated[float, Field(gt=0, lt=1)]


def _several(value: object) -> object:
    """Take a single path for a list of one, and nothing for none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str | Path) else value


Paths = Annotated[tuple[Path, ...], BeforeValidator(_several)]


class Wishes(BaseModel):
    """What `discrimen run` is to do; every field is a line of the YAML file.

    Raises
    ------
    ValidationError
        If the fields contradict each other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mixed: Annotated[Paths, Field(min_length=1, description="runs of a source of neutrons and gammas")]
    gamma: Annotated[Paths, Field(description="runs of a pure gamma source; none: labels come from the PSD bands")] = ()
    test: Annotated[
        Paths, Field(description="runs to judge by besides, by labels or truth that they have, or else their bands")
    ] = ()
    classify: Annotated[Paths, Field(description="later runs, whose pulses get their names")] = ()
    calibrate: Annotated[
        Mapping[str, Paths], Field(description="light in keVee: runs by their gamma source, such as Cs-137")
    ] = Field(default_factory=dict)
    settings: Annotated[Path | None, Field(description="detector file, for what the runs do not say")] = None
    sample_period_ns: Annotated[float | None, Field(gt=0, description="time between samples; wins over the runs")] = (
        None
    )
    polarity: Annotated[Literal["positive", "negative"] | None, Field(description="of the pulses")] = None
    pretrigger_ns: Annotated[float | None, Field(ge=0, description="time before the pulse in each record")] = None
    record_samples: Annotated[
        int | None, Field(ge=1, description="cut longer records to so many samples, leave shorter ones out")
    ] = None
    channel: Annotated[int | None, Field(ge=0, description="where the runs hold several; a model is of one")] = None
    board: Annotated[int | None, Field(ge=0)] = None
    labels: Annotated[Literal["source", "band"], Field(description="source (needs gamma), or band")] = "source"
    judge: Annotated[
        Literal["band", "none"], Field(description="band: threshold and report by PSD bands of pulses kept back; none")
    ] = "band"
    learn_share: Annotated[Share, Field(description="of each mixed run, from its beginning: to learn from")] = 0.5
    tune_share: Annotated[Share, Field(description="behind it: for the threshold; the rest judges")] = 0.25
    purity: Annotated[Share, Field(description="of the labels by band")] = 0.99
    architecture: Annotated[str, Field(description="of the network, as discrimen train has them")] = "patches"
    epochs: Annotated[int, Field(ge=1, description="at most so many")] = 60
    patience: Annotated[int, Field(ge=0, description="stop after so many without gain; 0 never does")] = 20
    batch_size: Annotated[int, Field(ge=1)] = 100
    neutron_efficiency: Annotated[Share, Field(description="share of the neutrons that the threshold keeps")] = 0.95
    accept_audit: Annotated[bool, Field(description="train in spite of errors that the audit finds")] = False
    most_outside: Annotated[
        float, Field(ge=0, le=1, description="refuse a run with more pulses unlike those of the training")
    ] = 0.1
    scores: Annotated[Literal["h5", "parquet", "root", "csv"], Field(description="kind of the files of scores")] = "h5"
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _fitting(self) -> Wishes:
        if self.labels == "source" and not self.gamma:
            raise ValueError("labels: source needs runs of a gamma source; give gamma, or labels: band")
        if self.judge == "band" and self.learn_share + self.tune_share >= 1:
            raise ValueError(
                f"learn_share {self.learn_share:g} and tune_share {self.tune_share:g} leave no pulse to judge by: "
                "their sum must be below 1"
            )
        return self

    def absolute(self, folder: Path) -> Wishes:
        """Return the same with absolute paths; those that are not are taken from a folder."""
        return self.model_copy(
            update={
                **{name: _absolute(getattr(self, name), folder) for name in ("mixed", "gamma", "test", "classify")},
                "calibrate": {source: _absolute(paths, folder) for source, paths in self.calibrate.items()},
                "settings": None if self.settings is None else _absolute([self.settings], folder)[0],
                "architecture": _own_absolute(self.architecture, folder),
            }
        )


def _absolute(paths: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    return tuple(Path(os.path.abspath(folder / path.expanduser())) for path in paths)  # noqa: PTH100 - '..' goes too


def _own_absolute(architecture: str, folder: Path) -> str:
    """Return the name of a built-in architecture as it is, and FILE.py:FUNCTION with the whole path of the file."""
    file, mark, function = architecture.rpartition(":")
    return f"{_absolute([Path(file)], folder)[0]}:{function}" if mark else architecture


def read_wishes(path: Path) -> Wishes:
    """Read the YAML file; its relative paths are taken from its own folder.

    Raises
    ------
    SettingsError
        If it cannot be read, or a line is wrong: which line, what was expected, what came.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot read: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: expected lines such as 'mixed: CF252', got {type(values).__name__}")
    _refuse_twice(root, path)
    try:
        return Wishes.model_validate(values).absolute(path.parent)
    except ValidationError as error:
        raise SettingsError("; ".join(_fault(fault, root, path) for fault in error.errors())) from error


def wishes_of(values: Mapping[str, Any]) -> Wishes:
    """Return wishes that were given as options.

    Raises
    ------
    SettingsError
        If they do not fit.
    """
    try:
        return Wishes.model_validate(dict(values))
    except ValidationError as error:
        raise SettingsError(
            "; ".join(": ".join([*map(str, fault["loc"][:1]), _told(fault)]) for fault in error.errors())
        ) from error


def wishes_yaml(wishes: Wishes, *, command: str) -> str:
    """Return the YAML file with a remark behind what needs one.

    Parameters
    ----------
    wishes : Wishes
        With absolute paths.
    command : str
        The command line that made it.
    """
    lines = [
        f"# Made by: {command}",
        "# Change what you like, then: discrimen rerun FOLDER. Only what depends on the change is done again.",
        "# Paths that are not absolute are taken from the folder of this file. What each line does: docs/run.md",
    ]
    plain = wishes.model_dump(mode="json")
    for name, field in Wishes.model_fields.items():
        remark = "" if field.description is None else f"  # {field.description}"
        first, *rest = yaml.safe_dump({name: plain[name]}, sort_keys=False, width=10_000).splitlines()
        lines += [first + remark, *rest]
    return "\n".join(lines) + "\n"


def differences(there: Wishes, wished: Wishes) -> list[str]:
    """Return in which fields two differ, for people."""
    return [
        f"{name} is {_short(getattr(there, name))} there, {_short(getattr(wished, name))} here"
        for name in Wishes.model_fields
        if getattr(there, name) != getattr(wished, name)
    ]


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _refuse_twice(root: Any, path: Path) -> None:
    seen: dict[str, int] = {}
    for key, _ in root.value:
        line = key.start_mark.line + 1
        if key.value in seen:
            raise SettingsError(f"{path}, line {line}: {key.value} stands twice, first in line {seen[key.value]}")
        seen[key.value] = line


def _fault(fault: Mapping[str, Any], root: Any, path: Path) -> str:
    """Say which line is at fault, and what is known there."""
    place = fault["loc"]
    line = _line(root, place)
    where = f"{path}" if line is None else f"{path}, line {line}"
    name = ".".join(str(each) for each in place if not isinstance(each, int))
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, Wishes.model_fields, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        return f"{where}: there is no '{name}'; {meant}Known are {', '.join(Wishes.model_fields)}"
    return f"{where}: {name}: {_told(fault)}" if name else f"{where}: {_told(fault)}"


def _told(fault: Mapping[str, Any]) -> str:
    told: str = fault["msg"].removeprefix("Value error, ")
    value = fault.get("input")
    shown = isinstance(value, str | int | float) and fault["type"] != "value_error"
    return f"{told}, got {value!r}" if shown else told


def _line(node: Any, place: Sequence[str | int]) -> int | None:
    """Return the line in which the deepest known part of a place stands, None for the whole file."""
    line = None
    for each in place:
        if isinstance(node, yaml.MappingNode):
            entry = next((pair for pair in node.value if pair[0].value == each), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(each, int) and each < len(node.value):
            node = node.value[each]
            line = node.start_mark.line + 1
        else:
            break
    return line
