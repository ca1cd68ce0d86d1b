"""The lock file: what was fetched, with checksums, so that the next fetch is the same or fails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from discrimen.errors import FormatError
from discrimen.output.files import complete_or_absent

LOCK_NAME = "fetched.json"


class LockedFile(BaseModel):
    """One file: where it came from, its size in bytes, its checksum at the server, and our own where it is here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    url: str
    size: Annotated[int, Field(ge=0)]
    md5: str
    sha256: str | None = None


class Lock(BaseModel):
    """What was fetched of a data set, or will be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_set: str
    doi: str
    title: str
    licence: str | None
    date_utc: str
    files: tuple[LockedFile, ...]


def read_lock(folder: Path) -> Lock | None:
    """Read the lock file of a folder, None where there is none.

    Raises
    ------
    FormatError
        If the file is no lock file.
    """
    path = folder / LOCK_NAME
    if not path.is_file():
        return None
    try:
        return Lock.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        raise FormatError(f"this is no record of a fetch ({fault['msg']}): remove it to fetch again", path) from error


def write_lock(lock: Lock, folder: Path) -> None:
    """Write the lock file.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    with complete_or_absent(folder / LOCK_NAME) as part:
        part.write_text(lock.model_dump_json(indent=1) + "\n", encoding="utf-8")
