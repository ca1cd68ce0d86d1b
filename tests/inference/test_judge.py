"""Every engine tells pulses outside of a domain as the reference does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.network.domain.seen_pulses import ALIGNED, PREPARATION, records

from discrimen.errors import SettingsError
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.domain import Domain, learn_domain, outside
from discrimen.network.domain.measure import measure, residuals
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation

FALLING = replace(PREPARATION, channels=(replace(PREPARATION.only, polarity=-1),))
PREPARATIONS = {
    "peak": PREPARATION,
    "area": replace(PREPARATION, scale="area"),
    "none": replace(PREPARATION, scale="none"),
    "aligned": ALIGNED,
    "falling": FALLING,
}
NEAR = 0.01
"""Of a limit of the shape, in single precision: it comes of differences of squares."""


def odd_records(polarity: int) -> NDArray[Any]:
    """Return pulses like the trained ones, and some of every other kind."""
    kinds: list[dict[str, Any]] = [
        *({} for _ in range(4)),
        *({"edge": edge} for edge in (3, 18, 23, 40)),
        *({"noise_adc": noise} for noise in (0.2, 9.0)),
        *({"heights_adc": heights} for heights in ((10, 250), (5000, 30_000))),
        {"decay": 3.0},
        {"polarity": -1},
    ]
    parts = [records(150, seed=10 + seed, **kind) for seed, kind in enumerate(kinds)]
    samples = np.concatenate([*parts, np.full((1, parts[0].shape[1]), 2000, np.uint16)]).astype(np.int32)
    return samples if polarity > 0 else 2**14 - 1 - samples


def write_model(path: Path, preparation: Preparation) -> Domain:
    seen = records(4000, seed=1).astype(np.int32)
    seen = seen if preparation.only.polarity > 0 else 2**14 - 1 - seen
    domain = learn_domain(seen, preparation, adc_bits=14)
    assert domain is not None
    rng = np.random.default_rng(3)
    kernel = rng.standard_normal((preparation.window_length, 2)).astype(np.float32) / 10
    network = chain([Flatten(), Dense(kernel=kernel, bias=np.zeros(2, np.float32))])
    description = ModelDescription(preparation=preparation, domain=domain)
    golden = golden_vectors(network, description, seen[:20, np.newaxis])
    write_frozen(FrozenModel(description, network, golden), path)
    return domain


def is_plain(samples: NDArray[Any], preparation: Preparation, domain: Domain) -> NDArray[np.bool_]:
    """Say which pulses no rounding can bring to the other side of a limit of the shape."""
    measured = measure(samples, preparation)
    limits = np.array([each.residual for each in domain.ranges])[domain.range_of(measured.height_adc)]
    off = np.abs(residuals(measured.shape, domain)[:, np.newaxis] / np.maximum(limits, 1e-9) - 1)
    plain: NDArray[np.bool_] = (off > NEAR).all(axis=1)
    return plain


@pytest.mark.parametrize("name", PREPARATIONS)
@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512"])
def test_the_engine_gives_the_flags_of_the_reference(tmp_path: Path, name: str, instruction_set: str) -> None:
    preparation = PREPARATIONS[name]
    domain = write_model(tmp_path / "m.discrimen", preparation)
    try:
        engine = NativePredictor(tmp_path / "m.discrimen", threads=1, instruction_set=instruction_set)
    except SettingsError as error:
        pytest.skip(str(error))
    samples = odd_records(preparation.only.polarity)
    samples = samples[is_plain(samples, preparation, domain)]
    wanted = outside(samples, preparation, domain)
    assert len(set(wanted.tolist())) > 8
    assert 0.1 < (wanted == 0).mean() < 0.6
    for dtype in (np.int16, np.uint16, np.int32, np.float32):
        scores, flags, _ = engine.judge(samples.astype(dtype))
        assert np.array_equal(flags, wanted)
        np.testing.assert_array_equal(scores, engine.predict(samples.astype(dtype)))
        each = [engine.judge(samples[at : at + 1].astype(dtype)).outside for at in range(0, len(samples), 11)]
        assert np.array_equal(np.concatenate([one for one in each if one is not None]), wanted[::11])


def test_strided_samples_and_several_threads_give_the_same_flags(tmp_path: Path) -> None:
    write_model(tmp_path / "m.discrimen", PREPARATION)
    samples = np.tile(odd_records(1), (6, 1))
    one, many = (NativePredictor(tmp_path / "m.discrimen", threads=threads) for threads in (1, 3))
    wanted = one.judge(samples).outside
    strided = np.repeat(samples.astype(np.int16), 2, axis=1)[:, ::2]
    assert np.array_equal(many.judge(samples).outside, wanted)
    assert np.array_equal(one.judge(strided).outside, wanted)


@pytest.mark.parametrize("load", [NativePredictor, ReferencePredictor])
def test_a_file_without_a_domain_judges_nothing(tmp_path: Path, load: Any) -> None:
    write_model(tmp_path / "m.discrimen", PREPARATION)
    model = read_frozen(tmp_path / "m.discrimen")
    write_frozen(replace(model, description=replace(model.description, domain=None)), tmp_path / "n.discrimen")
    scores, flags, _ = load(tmp_path / "n.discrimen").judge(records(5, seed=2))
    assert scores.shape == (5, 2)
    assert flags is None
