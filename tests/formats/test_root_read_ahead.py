"""The quick way through ROOT files gives what the careful way gives, or nothing."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DiscrimenError
from discrimen.formats.base import ReadOptions
from discrimen.formats.root import baskets, regular
from discrimen.formats.root.baskets import IrregularBasketError, Place
from discrimen.formats.root.branches import Entries
from discrimen.formats.root.read_ahead import ReadAhead
from discrimen.formats.root.regular import RegularReader
from discrimen.formats.table import open_reader
from discrimen.pulses import Pulses

GOLDEN = Path(__file__).parent / "golden"
REGULAR = GOLDEN / "compass_regular.root"
CODECS = {"none": None, "zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(1), "zstd": uproot.ZSTD(1), "lzma": uproot.LZMA(1)}
PLAIN = ReadOptions()


def read(path: Path, options: ReadOptions = PLAIN) -> tuple[list[Pulses], dict[str, Any]] | str:
    try:
        reader = open_reader(path, options)
        return list(reader.chunks()), reader.report.as_dict()
    except DiscrimenError as error:
        return type(error).__name__


def assert_same(got: Any, expected: Any) -> None:
    if isinstance(expected, str):
        assert got == expected
        return
    assert got[1] == expected[1]
    assert len(got[0]) == len(expected[0])
    for one, other in zip(got[0], expected[0], strict=True):
        assert one.samples.dtype == other.samples.dtype
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.columns().keys() == other.columns().keys()
        for name, values in other.columns().items():
            assert one.column(name).dtype == values.dtype
            np.testing.assert_array_equal(one.column(name), values)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read the quick way."""
    names: list[str] = []
    take = ReadAhead._take

    def noted(self: ReadAhead, name: str, *rest: Any) -> Any:
        rows = take(self, name, *rest)
        names.extend([] if rows is None else [name])
        return rows

    monkeypatch.setattr(ReadAhead, "_take", noted)
    return names


def carefully(path: Path, options: ReadOptions = PLAIN) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReadAhead, "_take", lambda *_: None)
        return read(path, options)


@pytest.mark.parametrize("chunk_bytes", [1, 4000, 2**24])
@pytest.mark.parametrize("without_libdeflate", [False, True])
def test_waveforms_of_one_length_are_read_quickly(
    chunk_bytes: int, without_libdeflate: bool, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if without_libdeflate:
        monkeypatch.setitem(sys.modules, "deflate", None)
    baskets._inflate.cache_clear()
    got = read(REGULAR, ReadOptions(chunk_bytes=chunk_bytes))
    assert set(taken) == {"Samples", "Timestamp", "Board", "Channel", "Flags", "Energy", "EnergyShort"}
    baskets._inflate.cache_clear()
    assert_same(got, carefully(REGULAR, ReadOptions(chunk_bytes=chunk_bytes)))
    assert got[1]["n_pulses"] == 58


def test_waveforms_of_several_lengths_are_left_to_the_careful_way(taken: list[str]) -> None:
    path = GOLDEN / "compass_data_r.root"
    assert_same(read(path), carefully(path))
    assert "Samples" not in taken
    assert "Timestamp" in taken


@pytest.mark.parametrize("name", ["vector_short", "vector_float", "vector_long", "counted", "fixed"])
def test_every_kind_of_waveform_agrees(name: str) -> None:
    options = ReadOptions(branches={"samples": name}, chunk_bytes=4000)
    assert_same(read(GOLDEN / "waveform_branches.root", options), carefully(GOLDEN / "waveform_branches.root", options))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("large", [False, True])
def test_every_codec_agrees(
    codec: str, large: bool, tmp_path: Path, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regular, "_LARGE_BASKET_BYTES", 0 if large else 2**22)
    path, rng = tmp_path / "tree.root", np.random.default_rng(3)
    with uproot.recreate(path, compression=CODECS[codec]) as file:
        file.mktree("events", {"wave": (np.int16, (30,)), "channel": np.int32})
        for count in (40, 1, 25):
            file["events"].extend(
                {"wave": rng.integers(-9, 9, (count, 30)).astype(np.int16), "channel": np.arange(count)}
            )
    for chunk_bytes in (1, 2**24):
        options = ReadOptions(branches={"samples": "wave", "channel": "channel"}, chunk_bytes=chunk_bytes)
        assert_same(read(path, options), carefully(path, options))
    assert set(taken) == {"wave", "channel"}


@pytest.mark.parametrize("n_mutations", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_damage_gives_the_same_either_way(n_mutations: int, tmp_path: Path) -> None:
    data, path, rng = REGULAR.read_bytes(), tmp_path / "mutated.root", np.random.default_rng(5)
    with uproot.open(REGULAR) as file:
        branches = [file["Data_R"][name] for name in ("Samples", "Timestamp", "Flags")]
        starts = [int(seek) for branch in branches for seek in branch.member("fBasketSeek") if seek]
    n_damaged = 0
    for _ in range(n_mutations):
        mutated = bytearray(data)
        for _ in range(rng.integers(1, 3)):
            mutated[int(rng.choice(starts)) + int(rng.integers(0, 400))] ^= 1 << int(rng.integers(8))
        path.write_bytes(mutated)
        got = read(path)
        n_damaged += isinstance(got, str) or got[1]["n_damaged"] > 0
        assert_same(got, carefully(path))
    assert n_damaged > n_mutations / 10


def basket(rows: bytes, key_bytes: int, begins: bytes, n_entries: int, pack: Callable[[bytes], list[bytes]]) -> bytes:
    """Return a basket as ROOT writes it, its object packed into blocks."""
    packed = b"".join(pack(rows + begins))
    if len(packed) == len(rows + begins):  # which ROOT takes for not packed
        packed += b"ZL\x08" + (8).to_bytes(3, "little") + bytes(3) + zlib.compress(b"")
    key = struct.pack(">ihiIhh", key_bytes + len(packed), 4, len(rows) + len(begins), 0, key_bytes, 1)
    described = struct.pack(">HiiiiB", 3, 32000, 1000, n_entries, key_bytes + len(rows), 0)
    return key + bytes(key_bytes - len(key) - len(described)) + described + packed


def blocks_of(size: int) -> Callable[[bytes], list[bytes]]:
    def pack(data: bytes) -> list[bytes]:
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        packed = [zlib.compress(part) for part in parts]
        sizes = [[len(one).to_bytes(3, "little") for one in pair] for pair in zip(packed, parts, strict=True)]
        return [b"".join((b"ZL\x08", *size, block)) for size, block in zip(sizes, packed, strict=True)]

    return pack


@settings(max_examples=40, deadline=None)
@given(
    n_entries=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    length=st.integers(1, 12),
    header=st.sampled_from([4, 10]),
    dtype=st.sampled_from(["u2", "i2", "f4", "i1"]),
    block=st.integers(10, 90),
    large=st.booleans(),
    odd=st.integers(0, 40),
    data=st.data(),
)
def test_baskets_in_any_blocks_give_their_numbers_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory,
    n_entries: list[int],
    length: int,
    header: int,
    dtype: str,
    block: int,
    large: bool,
    odd: int,
    data: st.DataObject,
) -> None:
    total, kind = sum(n_entries), np.dtype(dtype)
    numbers = np.random.default_rng(length).integers(0, 100, (total, length)).astype(kind)
    counts = np.full(total, length)
    if odd < total:
        counts[odd] += 1
    key_bytes, content, places, first = 70, b"junk", [], 0
    for count in n_entries:
        stored = numbers[first : first + count].astype(kind.newbyteorder(">"))
        heads = [bytes(header - 4) + struct.pack(">i", n) for n in counts[first : first + count].tolist()]
        rows = b"".join(head + row.tobytes() for head, row in zip(heads, stored, strict=True))
        size = len(rows) // count
        begins = struct.pack(f">{count + 2}i", count + 1, *(key_bytes + size * np.arange(count)), 0)
        whole = basket(rows, key_bytes, begins, count, blocks_of(block))
        places.append(Place(len(content), len(whole), first, count))
        content, first = content + whole, first + count
    path = tmp_path_factory.getbasetemp() / "baskets"
    path.write_bytes(content)
    start = data.draw(st.integers(0, n_entries[0] - 1))
    stop = data.draw(st.integers(total - n_entries[-1] + 1, total).filter(lambda stop: stop > start))
    with pytest.MonkeyPatch.context() as patch, RegularReader(path) as reader:
        patch.setattr(regular, "_LARGE_BASKET_BYTES", 0 if large else 2**22)
        if odd < total:
            with pytest.raises(IrregularBasketError):
                reader.begin(places, Entries(header, kind, None), start, stop).result()
        else:
            got = reader.begin(places, Entries(header, kind, None), start, stop).result()
            assert got.dtype == kind
            np.testing.assert_array_equal(got, numbers[start:stop])


def test_entries_that_begin_elsewhere_are_refused(tmp_path: Path) -> None:
    rows = struct.pack(">i9hi9h", 9, *range(9), 9, *range(9))
    path = tmp_path / "basket"
    for second, good in ((92, True), (93, False)):
        whole = basket(rows, 70, struct.pack(">4i", 3, 70, second, 0), 2, blocks_of(100))
        path.write_bytes(whole)
        with RegularReader(path) as reader:
            pending = reader.begin([Place(0, len(whole), 0, 2)], Entries(4, np.dtype(np.int16), None), 0, 2)
            if good:
                assert pending.result().tolist() == [list(range(9))] * 2
            else:
                with pytest.raises(IrregularBasketError, match="begin elsewhere"):
                    pending.result()


def test_a_claim_that_no_basket_can_hold_is_refused(tmp_path: Path) -> None:
    whole = basket(struct.pack(">ih", 2**30, 1), 70, bytes(12), 1, blocks_of(100))
    (tmp_path / "basket").write_bytes(whole)
    with RegularReader(tmp_path / "basket") as reader, pytest.raises(IrregularBasketError, match="can hold"):
        reader.begin([Place(0, len(whole), 0, 1)], Entries(4, np.dtype(np.int16), None), 0, 1)


@pytest.mark.parametrize(
    ("at", "value", "problem"),
    [
        (0, 99, "a key contradicts the tree"),
        (6, 99, "the blocks that follow"),
        (61, 3, "a basket contradicts the tree"),
        (65, 70 + 42, "entries of another length"),
        (65, 70 + 99, "a basket contradicts the tree"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(at: int, value: int, problem: str, tmp_path: Path) -> None:
    rows = struct.pack(">i9hi9h", 9, *range(9), 9, *range(9))
    whole = bytearray(basket(rows, 70, struct.pack(">4i", 3, 70, 92, 0), 2, blocks_of(100)))
    struct.pack_into(">i", whole, at, value)
    (tmp_path / "basket").write_bytes(whole)
    with RegularReader(tmp_path / "basket") as reader, pytest.raises(IrregularBasketError, match=problem):
        reader.begin([Place(0, len(whole), 0, 2)], Entries(4, np.dtype(np.int16), 9), 0, 2).result()
