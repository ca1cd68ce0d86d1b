"""What is done: for each step the hash of all that it depends on, and of what it made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discrimen.errors import FormatError
from discrimen.output.files import write_files
from discrimen.output.plain import json_text
from discrimen.output.provenance import sha256_of_file, software_versions, utc_now
from discrimen.workflow.step import Step

FILE_NAME = "steps.json"
_VERSION = 1


@dataclass(slots=True)
class Record:
    """The steps that are done in the folder of a run.

    Parameters
    ----------
    folder : Path
        Of the run.
    done : dict
        By the name of each step: its key, command, outputs with their hashes, when and how long.
    begun : dict of str to str
        Keys of steps that were begun and have not ended.
    hashes : dict
        Of files that were read, with the size and the time of change that they had.
    """

    folder: Path
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, list[Any]] = field(default_factory=dict)

    def key(self, step: Step) -> str:
        """Return a hash of all that a step depends on: its options, its inputs' content, the version of the package."""
        files: list[str | Path] = [*(each.path for each in step.run_files), *step.companions, *step.inputs]
        depends = {
            "arguments": step.arguments,
            "inputs": {str(each): self._sha256(each) for each in files},
            "discrimen": software_versions()["discrimen"],
        }
        return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()

    def is_done(self, step: Step, key: str) -> bool:
        """Whether a step was done with the same key, and all that it made is there still, as it was made."""
        entry = self.done.get(step.name)
        if entry is None or entry["key"] != key:
            return False
        made: dict[str, str] = entry["outputs"]
        return all((self.folder / name).is_file() and self._sha256(name) == digest for name, digest in made.items())

    def goes_on(self, step: Step, key: str) -> bool:
        """Whether a step was broken off with the same key, and left what it can go on from."""
        left = bool(step.unfinished) and (self.folder / step.unfinished).is_file()
        return left and self.begun.get(step.name) == key

    def begin(self, step: Step, key: str) -> None:
        """Note that a step begins."""
        self.done.pop(step.name, None)
        self.begun[step.name] = key
        self.save()

    def end(self, step: Step, key: str, *, seconds: float) -> None:
        """Note that a step is done, with the hashes of what it made."""
        self.begun.pop(step.name, None)
        self.done[step.name] = {
            "key": key,
            "command": step.command,
            "outputs": {name: self._sha256(name) for name in (step.result, *step.outputs)},
            "seconds": round(seconds, 2),
            "finished_utc": utc_now(),
        }
        self.save()

    def save(self) -> None:
        """Write the file, complete or not at all."""
        values = {"version": _VERSION, "done": self.done, "begun": self.begun, "hashes": self.hashes}
        write_files(self.folder, {FILE_NAME: json_text(values)})

    def _sha256(self, name: str | Path) -> str:
        """Return the hash of a file, read again only if its size or the time of its change is another."""
        path = self.folder / name
        try:
            found = path.stat()
        except FileNotFoundError:
            return "absent"
        known = self.hashes.get(str(name))
        if known is None or known[:2] != [found.st_size, found.st_mtime_ns]:
            known = [found.st_size, found.st_mtime_ns, sha256_of_file(path)]
            self.hashes[str(name)] = known
        return str(known[2])


def read_record(folder: Path) -> Record:
    """Read what is done in a folder; an empty record where nothing is.

    Raises
    ------
    FormatError
        If the file is damaged.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return Record(folder)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["version"] != _VERSION:
            raise ValueError(f"expected version {_VERSION}, got {values['version']}")
        return Record(folder, done=dict(values["done"]), begun=dict(values["begun"]), hashes=dict(values["hashes"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"is not what a run leaves ({error}); remove it, and all steps are done again", path
        ) from error


def commands_done(record: Record, steps: Iterable[Step]) -> list[str]:
    """Return the commands of the steps that are done, in the order of the plan."""
    return [record.done[step.name]["command"] for step in steps if step.name in record.done]
