"""The frozen file survives the way there and back, and refuses to be anything but itself."""

from __future__ import annotations

import hashlib
import json
import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.network.domain.seen_pulses import seen_domain
from tests.network.networks import NETWORKS
from tests.network.pulses import frozen

from discrimen.errors import FormatError
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.domain.packing import pack_domain
from discrimen.network.frozen_file import FrozenModel, read_frozen, require_frozen, write_frozen

FEW_MUTATIONS, N_MUTATIONS = 150, 500
MODELS = ("two classes", "everything at once", "convolutional autoencoder")


def model_of(name: str) -> FrozenModel:
    model = frozen(*NETWORKS[name]())
    return replace(model, description=replace(model.description, provenance={"seed": 3}, architecture={"name": name}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_frozen(model_of("two classes"), tmp_path / "m.discrimen")
    return tmp_path / "m.discrimen"


def signed(content: bytes) -> bytes:
    """Return altered content with a checksum that fits again."""
    return content[:-32] + hashlib.sha256(content[:-32]).digest()


def test_a_trained_model_is_told_how_to_freeze(tmp_path: Path) -> None:
    require_frozen(tmp_path / "m.discrimen")
    (tmp_path / "m").mkdir()
    with pytest.raises(FormatError, match=rf"discrimen freeze {tmp_path / 'm'} -o m.discrimen, or not"):
        require_frozen(tmp_path / "m", otherwise=", or not")
    with pytest.raises(FormatError, match=r"expected a frozen model \(\*.discrimen\)$"):
        require_frozen(tmp_path / "run.lh5")


@pytest.mark.parametrize("name", MODELS)
def test_everything_comes_back(tmp_path: Path, name: str) -> None:
    written = model_of(name)
    write_frozen(written, tmp_path / "m.discrimen")
    read = read_frozen(tmp_path / "m.discrimen")
    assert read.description == written.description
    assert read.network.outputs == written.network.outputs
    assert read.golden.tolerances == written.golden.tolerances
    assert np.array_equal(read.golden.samples, written.golden.samples)
    ReferencePredictor(tmp_path / "m.discrimen")


def with_domain(path: Path) -> FrozenModel:
    """Write a model that knows its domain."""
    model = model_of("two classes")
    length = model.description.preparation.window_length
    domain = seen_domain()
    fitting = replace(
        domain,
        rows=tuple(range(len(domain.rows))),
        ranges=tuple(replace(each, edge=(0, length - 1)) for each in domain.ranges),
    )
    model = replace(model, description=replace(model.description, domain=fitting))
    write_frozen(model, path)
    return model


def test_a_domain_comes_back_and_a_file_without_it_has_none(tmp_path: Path, path: Path) -> None:
    written = with_domain(tmp_path / "d.discrimen")
    assert read_frozen(tmp_path / "d.discrimen").description == written.description
    assert read_frozen(path).description.domain is None
    assert b"domain" not in path.read_bytes()


def test_a_domain_that_contradicts_meta_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.discrimen"
    domain = with_domain(path).description.domain
    assert domain is not None
    content, packed = path.read_bytes(), pack_domain(domain)
    at = content.index(packed)
    path.write_bytes(signed(content[:at] + struct.pack("<3I", 1, 1, 1) + content[at + 12 :]))
    with pytest.raises(FormatError, match="different domains"):
        read_frozen(path)
    path.write_bytes(signed(content.replace(b"domain\0\0", b"dominion")))
    with pytest.raises(FormatError, match="different domains"):
        read_frozen(path)


@pytest.mark.parametrize("name", MODELS)
def test_same_model_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    first, again = tmp_path / "first.discrimen", tmp_path / "again.discrimen"
    write_frozen(model_of(name), first)
    write_frozen(read_frozen(first), again)
    assert again.read_bytes() == first.read_bytes()


def test_sections_are_aligned_for_a_memory_map(path: Path) -> None:
    content = path.read_bytes()
    (n_sections,) = struct.unpack_from("<I", content, 12)
    table = [struct.unpack_from("<8sQQ", content, 16 + 24 * number) for number in range(n_sections)]
    names = [name.rstrip(b"\0") for name, _, _ in table]
    assert names == [b"meta", b"input", b"layers", b"weights", b"outputs", b"golden"]
    assert all(start % 64 == 0 for _, start, _ in table)


@pytest.mark.parametrize("at", [0, 7, 8, 20, 200, -33, -1])
def test_altered_byte_is_refused(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError):
        read_frozen(path)


@pytest.mark.parametrize("length", [0, 3, 16, 47, 48, 500, -1, -32])
def test_truncated_file_is_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(FormatError):
        read_frozen(path)


@pytest.mark.parametrize(
    ("version", "mend"),
    [(2, "got 2; freeze the model again"), (4, "expected layout version 3, got 4; update discrimen")],
)
def test_another_version_says_what_to_do(path: Path, version: int, mend: str) -> None:
    content = bytearray(path.read_bytes())
    content[8:12] = struct.pack("<I", version)
    path.write_bytes(signed(bytes(content)))
    with pytest.raises(FormatError, match=mend):
        read_frozen(path)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b'"window_start": 0', b'"window_start": 1', "different preparations"),
        (b'"strict"', b'"lenien"', "different outputs"),
        (b'"discrimen_model": 2', b'"discrimen_model": 9', "model description of version 2, got 9"),
    ],
)
def test_meta_that_says_something_else_is_refused(path: Path, before: bytes, after: bytes, said: str) -> None:
    content = path.read_bytes()
    assert content.count(before) == 1
    assert len(before) == len(after)
    path.write_bytes(signed(content.replace(before, after)))
    with pytest.raises(FormatError, match=f"contradicts itself: .*{said}"):
        read_frozen(path)


def test_a_reader_needs_no_json(path: Path) -> None:
    """All but the provenance lies in the other sections too."""
    content = path.read_bytes()
    _, start, length = struct.unpack_from("<8sQQ", content, 16)
    meta = json.loads(content[start : start + length])
    rest = content[start + length :]
    for name in ("signal", *meta["outputs"][0]["names"], *meta["outputs"][0]["thresholds"]):
        assert name.encode() + b"\0" in rest


def test_model_that_breaks_its_promise_is_refused(tmp_path: Path) -> None:
    honest = model_of("two classes")
    golden = replace(honest.golden, values=tuple(values[:, ::-1] for values in honest.golden.values))
    write_frozen(replace(honest, golden=golden), tmp_path / "liar.discrimen")
    with pytest.raises(FormatError, match="off its own golden vectors"):
        ReferencePredictor(tmp_path / "liar.discrimen")


def test_missing_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot read"):
        read_frozen(tmp_path / "absent.discrimen")


@pytest.mark.parametrize("n_mutations", [FEW_MUTATIONS, pytest.param(N_MUTATIONS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["two classes", "everything at once", "bidirectional"])
def test_mutated_files_are_refused_or_keep_their_promise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, n_mutations: int
) -> None:
    """The checksum is made to fit again, so that everything behind it is tried; memory stays that of the file."""
    rng = np.random.default_rng(6)
    target = tmp_path / "mutated.discrimen"
    write_frozen(frozen(*NETWORKS[name](), n_pulses=4), target)
    content = target.read_bytes()
    refused = 0
    tracemalloc.start()
    for _ in range(n_mutations):
        data = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(0, len(data) - 32))
            width = int(rng.choice([1, 2, 4, 8]))
            value = int(rng.choice([0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 2**63 - 1])) % 256**width
            data[at : at + width] = value.to_bytes(width, "little")
        target.write_bytes(signed(bytes(data)))
        try:
            ReferencePredictor(target)
        except FormatError as error:
            refused += "\n" not in str(error)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with capsys.disabled():
        print(f"\n{name}: {n_mutations} mutations: {refused} refused, {n_mutations - refused} loaded", end=" ")
    assert refused > n_mutations / 2
    assert peak_bytes < 64 * len(content) + 2**21
