"""Figures of a code: which latents vary, how they correlate, and the plane that shows most."""

from __future__ import annotations

import json

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.metrics.latents import latent_plane, latents_of, latents_words
from discrimen.output.plain import json_text
from discrimen.pulses import Label


def code(n_pulses: int = 20_000) -> np.ndarray:
    """Four latents: the second follows the first by a correlation of 0.8, the third hardly varies, the last not."""
    first, second, third = np.random.default_rng(1).normal(size=(3, n_pulses))
    return np.column_stack([first, 3 + 2 * (0.8 * first + 0.6 * second), 0.01 * third, np.full(n_pulses, 5.0)])


def test_correlations_and_activity_are_those_of_the_pulses() -> None:
    found = latents_of(code())
    assert found.active.tolist() == [True, True, False, False]
    assert found.deviation[:2] == pytest.approx([1, 2], rel=0.02)
    np.testing.assert_allclose(found.correlation[:3, :3], np.corrcoef(code()[:, :3].T), atol=1e-9)
    assert np.isnan(found.correlation[3]).all()
    value, places = found.largest or (0.0, ())
    assert value == pytest.approx(0.8, abs=0.01)
    assert places == (0, 1)
    assert latents_words(found.summary()) == (
        "2 of 4 latents are active, the largest correlation of two of them is +0.80 (latents 0 and 1)"
    )


def test_negative_correlations_are_large_too() -> None:
    values = code()
    values[:, 1] *= -1
    assert (latents_of(values).largest or (0.0, ()))[0] == pytest.approx(-0.8, abs=0.01)


def test_pulses_without_a_code_are_left_out() -> None:
    values = code(100)
    values[7, 2] = np.nan
    assert latents_of(values).n_pulses == 99
    with pytest.raises(DataError, match="two pulses with a code or more, got 1"):
        latents_of(values[6:8])


def test_the_plane_shows_the_latents_that_part_the_classes() -> None:
    values = np.random.default_rng(2).normal(size=(4000, 4))
    label = np.where(np.arange(4000) % 2, Label.GAMMA, Label.NEUTRON)
    values[label == Label.NEUTRON, 2] += 2
    values[label == Label.NEUTRON, 1] -= 1
    found = latents_of(values, label)
    assert found.class_auc is not None
    assert found.class_auc[[2, 1]] == pytest.approx([0.92, 0.76], abs=0.02)
    plane = latent_plane(values, found)
    np.testing.assert_array_equal(plane.points, values[:, [2, 1]])
    assert plane.names[0] == f"latent 2 (AUC {found.class_auc[2]:.2f})"


def test_without_classes_the_plane_has_the_principal_components() -> None:
    plane = latent_plane(code(), latents_of(code(), np.full(20_000, Label.UNKNOWN)))
    assert plane.points.std(axis=0) ** 2 == pytest.approx([1.8, 1.0], rel=0.05)
    assert np.corrcoef(plane.points.T)[0, 1] == pytest.approx(0, abs=1e-6)
    assert plane.names[0] == "principal component 1 (60%)"


def test_a_single_latent_has_neither_plane_nor_correlation() -> None:
    found = latents_of(code()[:, :1])
    assert found.largest is None
    assert latents_words(found.summary()) == "1 of 1 latents are active"
    with pytest.raises(DataError, match="two numbers or more"):
        latent_plane(code()[:, :1], found)


def test_the_figures_are_plain_data() -> None:
    told = json.loads(json_text(latents_of(code(50)).as_dict()))
    assert told["correlation"][3] == [None] * 4
    assert told["n_active"] == 2
