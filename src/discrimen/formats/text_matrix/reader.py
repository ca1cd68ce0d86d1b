"""Text with one pulse a row, its samples parted by commas, semicolons, tabs or blanks.

Lines that begin with ``#`` are remarks. Whole numbers stay whole. A row of another length than most of the first ones,
or with anything but numbers, is counted as damaged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.records import read_by_threads, regular_records
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

FEWEST_SAMPLES = 8
"""A row of fewer numbers is taken for a row of a table."""

_LOOKED_AT = 64
_LOOKED_AT_BYTES = 2**16
_MEMORY_OF_TEXT = 8
"""How many times as much memory as its text a block takes while its lines are looked at one by one."""
_MARK = b"\xef\xbb\xbf"
_WHOLE = re.compile(r"[+-]?\d{1,9}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class TextMatrixReader:
    """Reader of one such file.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        If the file cannot be read, or its first rows are not as many numbers each.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        settings, source = merge_settings(options.settings, DetectorSettings(), found_in="file")
        first = (line for block in _blocks(path, _LOOKED_AT_BYTES) for line in _rows(block))
        rows = [row for _, row in islice(first, _LOOKED_AT)]
        good = _good(rows)
        # The length of a single row is borne out by no other: it may have been cut.
        if len(good) < 2 or 2 * len(good) <= len(rows):
            raise FormatError(
                f"expected text with one pulse a row: rows of {FEWEST_SAMPLES} numbers or more, all of one length",
                path,
            )
        self._n_samples = len(good[0])
        self._whole = all(_WHOLE.fullmatch(token) for row in good for token in row)
        self._block_bytes = max(1, options.chunk_bytes // _MEMORY_OF_TEXT)
        self.report = ReadReport()
        kind = "whole numbers" if self._whole else "numbers"
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"text, one pulse a row: {self._n_samples} {kind}, all of them samples",
            settings=settings,
            settings_source=source,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = report = ReadReport()
        entry = 0
        for block, regular in read_by_threads(_blocks(self.info.path, self._block_bytes), self._regular):
            if regular is None:
                samples, kept = self._samples(list(_rows(block)), report)
            else:
                samples, kept = regular, np.ones(len(regular), np.bool_)
            at, entry = entry + np.flatnonzero(kept), entry + len(kept)
            if len(samples):
                report.n_read += len(samples)
                yield Pulses(samples=samples, sample_period_ns=self.info.settings.sample_period_ns, entry=at)

    def _regular(self, block: _Block) -> NDArray[np.int32] | None:
        """Return the samples of a block of nothing but rows of plain whole numbers, all of the usual length."""
        if not self._whole:
            return None
        text = block.text if block.text.endswith(b"\n") else block.text + b"\n"
        first = text[: text.index(b"\n")]
        found = regular_records(
            text,
            prefixes=(),
            field_end="\n",
            separator=next((mark for mark in ",;\t" if mark.encode() in first), " "),
            n_numbers=self._n_samples,
            most=text.count(b"\n"),
        )
        return None if found is None else found.numbers.astype(np.int32)

    def _samples(
        self, block: list[tuple[int, list[str]]], report: ReadReport
    ) -> tuple[NDArray[np.int32] | NDArray[np.float32], NDArray[np.bool_]]:
        """Return the samples of the good rows, and which they are; the others are counted."""
        pattern = _WHOLE if self._whole else _NUMBER
        kept = np.zeros(len(block), np.bool_)
        for number, (offset, row) in enumerate(block):
            if len(row) != self._n_samples:
                report.add_damage("unusual number of samples", offset=offset)
            elif not all(map(pattern.fullmatch, row)):
                report.add_damage("not a whole number" if self._whole else "not a number", offset=offset)
            else:
                kept[number] = True
        good = [row for keep, (_, row) in zip(kept, block, strict=True) if keep]
        samples = np.array(good, dtype=np.float64).reshape(len(good), self._n_samples)
        return (samples.astype(np.int32), kept) if self._whole else (samples.astype(np.float32), kept)


class _Block(NamedTuple):
    """Whole lines, and where they begin in the file."""

    text: bytes
    offset: int


def _blocks(path: Path, n_bytes: int) -> Iterator[_Block]:
    """Yield a file in blocks of whole lines, without the mark of UTF-8 at its beginning."""
    with opened_to_read(path) as stream:
        offset = _behind_mark(stream)
        while lines := stream.readlines(n_bytes):
            text = b"".join(lines)
            yield _Block(text, offset)
            offset += len(text)


def _behind_mark(stream: BufferedReader) -> int:
    return stream.seek(len(_MARK) if stream.read(len(_MARK)) == _MARK else 0)


def _rows(block: _Block) -> Iterator[tuple[int, list[str]]]:
    """Yield offset and tokens of each line that is neither blank nor a remark."""
    offset = block.offset
    for line in block.text.split(b"\n"):
        tokens = _tokens(line.decode("utf-8", errors="replace"))
        if tokens and not tokens[0].startswith("#"):
            yield offset, tokens
        offset += len(line) + 1


def _tokens(line: str) -> list[str]:
    for separator in ",;":
        if separator in line:
            return [token.strip() for token in line.strip().rstrip(separator).split(separator)]
    return line.split()


def _good(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows of numbers that are as long as most, and long enough to be a pulse."""
    numeric = [row for row in rows if len(row) >= FEWEST_SAMPLES and all(map(_NUMBER.fullmatch, row))]
    usual = Counter(map(len, numeric)).most_common(1)
    return [row for row in numeric if len(row) == usual[0][0]] if usual else []


def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG001 - content tells
    """Whether the first row is a row of numbers, and not one of list mode or of CoMPASS."""
    text = head.decode("utf-8-sig", errors="replace")
    if "\0" in text or "\ufffd" in text:
        return False
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return False
    whole = len(lines) > 1 or len(head) < text.count("") - 1
    tokens = _tokens(lines[0])
    numbers = tokens if whole else tokens[:-1]
    return len(numbers) >= FEWEST_SAMPLES and all(map(_NUMBER.fullmatch, numbers))


NAME = "text-matrix"

FORMAT = Format(
    name=NAME,
    description="text with one pulse a row",
    suffixes=(".csv", ".txt", ".tsv", ".dat", ".asc"),
    recognises=recognises,
    open_reader=TextMatrixReader,
)
"""The row of the table of formats."""
