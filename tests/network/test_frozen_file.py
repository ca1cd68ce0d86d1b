"""The frozen file survives the way there and back, and refuses to be anything but itself."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError
from discrimen.inference.reference_predictor import ReferencePredictor, score_exactly
from discrimen.network.frozen_file import FrozenModel, GoldenVectors, read_frozen, write_frozen
from discrimen.network.layers import Conv1D, Dense, Flatten, Layer, MaxPooling1D, Reshape, options_of, weights_of
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Alignment, Preparation

N_MUTATIONS = 3000


def layers() -> tuple[Layer, ...]:
    rng = np.random.default_rng(4)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    return (
        Reshape(steps=12, channels=1),
        Conv1D(kernel=weights(3, 1, 2), bias=weights(2), activation="relu", padding="same", dilation=2),
        MaxPooling1D(size=2, stride=2),
        Flatten(),
        Dense(kernel=weights(12, 2), bias=weights(2), activation="softmax"),
    )


def model() -> FrozenModel:
    preparation = Preparation(
        sample_period_ns=10.0,
        polarity=-1,
        baseline_start=0,
        baseline_stop=3,
        window_length=12,
        alignment=Alignment(fraction=0.4, position=2, interpolate=True),
    )
    spec = ModelSpec(preparation=preparation, thresholds={"95 %": 0.4}, provenance={"seed": 3})
    rng = np.random.default_rng(5)
    pulse = 1000 * np.exp(-np.arange(20) / 4) * (np.arange(20) > 0)
    shifted = np.concatenate([np.zeros(5), pulse])
    samples = (8000 - rng.uniform(0.5, 2, (9, 1)) * shifted + rng.normal(0, 2, (9, 25))).astype(np.int32)
    scores = score_exactly(layers(), spec, samples)
    return FrozenModel(spec, layers(), GoldenVectors(samples, scores, 1e-5))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_frozen(model(), tmp_path / "m.discrimen")
    return tmp_path / "m.discrimen"


def signed(content: bytes) -> bytes:
    """Return altered content with a checksum that fits again."""
    return content[:-32] + hashlib.sha256(content[:-32]).digest()


def test_everything_comes_back(path: Path) -> None:
    read, written = read_frozen(path), model()
    assert read.spec == written.spec
    assert np.array_equal(read.golden.samples, written.golden.samples)
    assert np.array_equal(read.golden.scores, written.golden.scores)
    assert len(read.layers) == len(written.layers)
    for one, other in zip(read.layers, written.layers, strict=True):
        assert type(one) is type(other)
        assert options_of(one) == options_of(other)
        assert all(np.array_equal(weights_of(one)[name], value) for name, value in weights_of(other).items())


def test_same_model_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    write_frozen(read_frozen(path), tmp_path / "again.discrimen")
    assert (tmp_path / "again.discrimen").read_bytes() == path.read_bytes()


def test_sections_are_aligned_for_a_memory_map(path: Path) -> None:
    content = path.read_bytes()
    (n_sections,) = struct.unpack_from("<I", content, 12)
    starts = [struct.unpack_from("<8sQQ", content, 16 + 24 * number)[1] for number in range(n_sections)]
    assert n_sections == 7
    assert all(start % 64 == 0 for start in starts)


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


def test_newer_version_says_what_to_do(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8:12] = struct.pack("<I", 2)
    path.write_bytes(signed(bytes(content)))
    with pytest.raises(FormatError, match="expected layout version 1, got 2; update discrimen"):
        read_frozen(path)


def test_model_that_breaks_its_promise_is_refused(tmp_path: Path) -> None:
    honest = model()
    golden = GoldenVectors(honest.golden.samples, honest.golden.scores[:, ::-1], 1e-5)
    write_frozen(FrozenModel(honest.spec, honest.layers, golden), tmp_path / "liar.discrimen")
    with pytest.raises(FormatError, match="off its own golden vectors"):
        ReferencePredictor(tmp_path / "liar.discrimen")


def test_missing_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot read"):
        read_frozen(tmp_path / "absent.discrimen")


def test_mutated_files_are_refused_or_keep_their_promise(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checksum is made to fit again, so that everything behind it is tried; memory stays that of the file."""
    rng = np.random.default_rng(6)
    content = path.read_bytes()
    target = tmp_path / "mutated.discrimen"
    refused = 0
    tracemalloc.start()
    for _ in range(N_MUTATIONS):
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
        print(f"\nfrozen file: {N_MUTATIONS} mutations: {refused} refused, {N_MUTATIONS - refused} loaded", end=" ")
    assert refused > N_MUTATIONS / 2
    assert peak_bytes < 64 * len(content) + 2**20
