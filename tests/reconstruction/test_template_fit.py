"""The plain way to part two pulses: a fit of two templates."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.pulse_shape.template import Template
from discrimen.reconstruction.template_fit import RIDGES, better_order, choose_ridge, fit_two

N_SAMPLES = 60


def pulse(at: np.ndarray, *, decay: float = 6.0) -> np.ndarray:
    late = np.arange(N_SAMPLES) - np.asarray(at, float)[..., np.newaxis]
    shape = np.where(late > 0, np.exp(-late / decay) - np.exp(-late / 1.5), 0)
    return (shape / 0.6).astype(np.float32)


def template(decay: float = 6.0) -> Template:
    return Template.of(100 * pulse(np.linspace(10, 11, 64), decay=decay))


def test_a_template_has_the_shape_of_its_pulses() -> None:
    wave = 300 * pulse(np.array([20.3]))
    fitted = fit_two(wave, [template()], ridge=1e-4)
    assert np.abs(fitted.parts.sum(axis=1) - wave).max() < 6


@pytest.mark.parametrize("delay", [5.0, 17.4])
def test_two_pulses_apart_are_found(delay: float) -> None:
    truth = np.stack([200 * pulse(np.array([10.2])), 90 * pulse(np.array([10.2 + delay]))], axis=1)
    fitted = fit_two(truth.sum(axis=1), [template()], ridge=1e-5)
    assert fitted.crossing[0, 1] - fitted.crossing[0, 0] == pytest.approx(delay, abs=0.1)
    square, _ = better_order(fitted.parts, truth)
    assert np.sqrt(square / np.square(truth).sum())[0] < 0.03


def test_a_ridge_keeps_near_pulses_alike_and_none_is_negative() -> None:
    rng = np.random.default_rng(1)
    near = 100 * pulse(np.full(10, 12.0)) + 100 * pulse(np.full(10, 12.2)) + rng.normal(0, 1, (10, N_SAMPLES))
    heights = fit_two(near.astype(np.float32), [template()], ridge=0.01).height_adc
    assert heights.min() >= 0
    np.testing.assert_allclose(heights[:, 0] / heights.sum(axis=1), 0.5, atol=0.1)


def test_the_templates_tell_the_kind() -> None:
    kinds = [template(), template(decay=14.0)]
    wave = 200 * pulse(np.array([10.0])) + 150 * pulse(np.array([32.0]), decay=14.0)
    assert fit_two(wave, kinds, ridge=1e-5).template.tolist() == [[0, 1]]


def test_the_ridge_is_the_one_nearest_to_the_truth() -> None:
    truth = np.stack([100 * pulse(np.full(6, 12.0)), 100 * pulse(np.full(6, 12.1))], axis=1).astype(float)
    rng = np.random.default_rng(2)
    waves = (truth.sum(axis=1) + rng.normal(0, 1, (6, N_SAMPLES))).astype(np.float32)
    ridge = choose_ridge(waves, truth, [template()])
    assert ridge in RIDGES
    assert ridge > 0


def test_the_better_order_counts() -> None:
    truth = np.zeros((2, 2, 3))
    truth[:, 0] = 1
    square, crossed = better_order(truth[:, ::-1], truth)
    assert square.tolist() == [0, 0]
    assert crossed.all()


def test_too_few_pulses_make_no_template() -> None:
    with pytest.raises(DataError, match="a template needs 8 pulses"):
        Template.of(np.zeros((20, N_SAMPLES), np.float32))
