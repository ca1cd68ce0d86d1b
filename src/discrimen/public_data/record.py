"""A Zenodo record: which files it has, how large they are, and their checksums."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from discrimen.errors import FetchError, require_module

ZENODO = "https://zenodo.org"
TIMEOUT_S = 30.0
_MD5 = re.compile(r"md5:[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a record: name, size in bytes, checksum as ``md5:...``, and where it lies."""

    name: str
    size: int
    md5: str
    url: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a record says of itself: title, licence (None where it says none) and files."""

    title: str
    licence: str | None
    files: tuple[RemoteFile, ...]


class _Links(BaseModel):
    self: str


class _File(BaseModel):
    key: Annotated[str, Field(min_length=1)]
    size: Annotated[int, Field(ge=0)]
    checksum: Annotated[str, Field(pattern=_MD5.pattern)]
    links: _Links


class _Licence(BaseModel):
    id: str


class _Metadata(BaseModel):
    title: str = ""
    license: _Licence | None = None


class _Answer(BaseModel):
    metadata: _Metadata
    files: Annotated[list[_File], Field(min_length=1)]


def read_record(number: int, *, server: str = ZENODO) -> Record:
    """Ask the server for a record.

    Parameters
    ----------
    number : int
        Of the record.
    server : str
        Begin of all addresses, without the last slash.

    Raises
    ------
    FetchError
        If the server cannot be reached, does not know the record, or answers something else.
    """
    url = f"{server}/api/records/{number}"
    answer = _get_json(url)
    try:
        found = _Answer.model_validate(answer)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "top"
        raise FetchError(
            f"{url}: this is no record of Zenodo as known to this version ({where}: {fault['msg']})"
        ) from error
    for file in found.files:
        if PurePosixPath(file.key).name != file.key or "\\" in file.key or file.key.startswith("."):
            raise FetchError(f"{url}: the file name {file.key!r} is not safe to write; nothing was fetched")
    licence = found.metadata.license
    return Record(
        title=found.metadata.title,
        licence=None if licence is None else licence.id,
        files=tuple(RemoteFile(file.key, file.size, file.checksum, file.links.self) for file in found.files),
    )


def _get_json(url: str) -> Any:
    requests = require_module("requests", extra="datasets")
    try:
        response = requests.get(url, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response.json()
    except requests.exceptions.RequestException as error:
        raise FetchError(unreachable(url, error)) from error


def unreachable(url: str, error: Exception) -> str:
    """Say in one line what went wrong with an address."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"{url}: the server answers {response.status_code} {response.reason}".rstrip()
    kind = type(error).__name__
    if kind in ("ConnectionError", "ConnectTimeout", "ReadTimeout"):
        return f"{url}: cannot be reached ({kind}): check the network, or fetch the files by hand"
    if kind == "JSONDecodeError":
        return f"{url}: expected JSON, got something else"
    if kind in ("InvalidSchema", "MissingSchema", "InvalidURL"):
        return f"{url}: this is no address to fetch from: give one that starts with https:// or http://"
    return f"{url}: the download broke off ({kind}): run the command again"
