"""The auto-encoder of neighbours puts traces back into their channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.keras_jax import load_keras
from discrimen.models import build_model, check_options, code_width
from discrimen.models.neighbours_autoencoder import _put_back
from discrimen.models.neighbours_layer import neighbours_layer
from discrimen.network.layers import places_around
from discrimen.network.outputs import PREPARED, Output

SHAPE = (37, 6)
OPTIONS = {"hidden": (5,), "linear": 3, "far": 2}


def build(shape: tuple[int, int] = SHAPE, **options: Any) -> Any:
    waveform = (Output(name="reconstruction", kind="waveform", shape=shape, unit=PREPARED),)
    keras = load_keras("cpu").keras
    return build_model(keras, "neighbours_autoencoder", {**OPTIONS, **options}, shape=shape, outputs=waveform)


def test_what_is_seen_around_each_segment_goes_back_where_it_came_from() -> None:
    keras, options = load_keras("cpu").keras, check_options("neighbours_autoencoder", {})
    hits = np.random.default_rng(0).normal(size=(36, *SHAPE)).astype(np.float32)
    hits[np.arange(36), np.arange(36), -5:] += 20
    seen = np.asarray(neighbours_layer(keras)(6, 6, 5)(hits))
    near, which = seen[:, : 10 * 6].reshape(36, 10, 6), seen[:, 60:]
    back = _put_back(keras, keras.ops.array(near), keras.ops.array(which), channels=37, options=options, name="back")
    expected = np.zeros_like(hits)
    expected[:, 36] = hits[:, 36]
    for segment, places in enumerate(places_around(6, 6)):
        there = places[places >= 0]
        expected[segment, there] = hits[segment, there]
    np.testing.assert_allclose(np.asarray(back), expected, atol=1e-5)


def test_a_trace_far_away_is_of_no_concern_to_the_others() -> None:
    model = build()
    hit = np.random.default_rng(1).normal(size=(1, *SHAPE)).astype(np.float32)
    hit[0, 0, -5:] += 20  # segment 0 is hit, 21 lies at the other side
    other = hit.copy()
    other[0, 21] += 1
    changed = np.abs(np.asarray(model(other)) - np.asarray(model(hit)))[0].max(axis=1) > 1e-5
    assert np.flatnonzero(changed).tolist() == [21]


def test_it_has_no_code_and_wants_its_segments() -> None:
    assert code_width("neighbours_autoencoder", {}) is None
    with pytest.raises(SettingsError, match=r"neighbours_autoencoder wants 36 segments .* got 5 channels of 6"):
        build((5, 6))
