"""RNTuples: their fields described, and their checksums verified, which uproot leaves to its caller.

Page lists and pages end in the XXH3 (64 bit) of what precedes them (ROOT's RNTuple binary format specification,
version 1). Verified before anything of the size that they claim is allocated.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Literal

from discrimen.errors import FormatError, require_module
from discrimen.formats.root.branches import Branch

_CHECKSUM_BYTES = 8


def describe_field(name: str, item: Any) -> Branch:
    """Tell the kind of an RNTuple's field from its form."""
    awkward = require_module("awkward", extra="root")
    form = item.to_akform()[0].contents[0]
    shapes: dict[type, Literal["fixed", "jagged"]] = {
        awkward.forms.RegularForm: "fixed",
        awkward.forms.ListOffsetForm: "jagged",
    }
    typename = str(item.typename)
    inner = form.content if type(form) in shapes else form
    if not isinstance(inner, awkward.forms.NumpyForm) or inner.inner_shape:
        return Branch(name, "other", None, typename)
    dtype = awkward.types.numpytype.primitive_to_dtype(inner.primitive)
    return Branch(name, shapes.get(type(form), "scalar"), dtype, typename)


def check_page_lists(ntuple: Any, path: Path) -> None:
    """Verify the lists that say where the pages are and how much each holds.

    Raises
    ------
    FormatError
        If one does not match its checksum.
    """
    for record in ntuple.footer.cluster_group_records:
        link = record.page_list_link
        chunk, _ = ntuple.read_locator(link.locator, link.env_uncomp_size)
        if not _matches(bytes(chunk.raw_data)):
            raise FormatError(
                "the list of pages does not match its checksum; the file is damaged", path, link.locator.offset
            )


def check_pages(ntuple: Any, field_id: int, clusters: Iterable[int], stream: BinaryIO, path: Path) -> None:
    """Verify the pages of one field, its parts included.

    Raises
    ------
    FormatError
        If one does not match its checksum.
    """
    fields = _with_parts(ntuple, field_id)
    columns = [column.idx for column in ntuple.column_records if column.field_id in fields]
    for cluster in clusters:
        lists = ntuple.page_link_list[cluster]
        for page in (page for column in columns if column < len(lists) for page in lists[column].pages):
            stream.seek(page.locator.offset)
            if page.has_checksum and not _matches(stream.read(page.locator.num_bytes + _CHECKSUM_BYTES)):
                raise FormatError("a page does not match its checksum", path, page.locator.offset)


def _with_parts(ntuple: Any, field_id: int) -> set[int]:
    found = {field_id}
    for part, record in enumerate(ntuple.field_records):
        if record.parent_field_id in found:
            found.add(part)
    return found


def _matches(data: bytes) -> bool:
    xxhash = require_module("xxhash", extra="root")
    told = int.from_bytes(data[-_CHECKSUM_BYTES:], "little")
    return len(data) > _CHECKSUM_BYTES and bool(xxhash.xxh3_64_intdigest(data[:-_CHECKSUM_BYTES]) == told)
