"""Two pulses of one shape that lie apart in a record."""

from __future__ import annotations

import numpy as np

from discrimen.pulse_shape.apart import fit_apart, in_time, share_out
from discrimen.pulse_shape.template import Template

N_SAMPLES = 80


def pulse(at: np.ndarray) -> np.ndarray:
    late = np.arange(N_SAMPLES) - at[..., np.newaxis]
    return np.where(late > 0, np.exp(-late / 8) - np.exp(-late / 2), 0)


TEMPLATE = Template.aligned((100 * pulse(np.linspace(10, 12, 400))).astype(np.float32))


def pairs(delay: float, n_pulses: int = 20) -> np.ndarray:
    rng = np.random.default_rng(1)
    at = 12 + rng.random((n_pulses, 1)) + np.array([0.0, delay])
    return (rng.uniform(40, 200, (n_pulses, 2, 1)) * pulse(at)).astype(np.float32)


def test_times_and_heights_are_found_from_a_wrong_begin() -> None:
    truth = pairs(9.3)
    records = truth.sum(axis=1)
    crossing, parts = in_time(truth)
    wrong = crossing + np.array([0.7, -1.1])
    fitted = fit_apart(TEMPLATE, records, 0.8 * parts, wrong)
    error = np.sqrt(np.square(fitted.parts - parts).sum(axis=(1, 2)) / np.square(parts).sum(axis=(1, 2)))
    assert error.max() < 0.03
    np.testing.assert_allclose(fitted.distance, (wrong[:, 1] - wrong[:, 0]), atol=1e-4)
    np.testing.assert_allclose(fitted.parts.sum(axis=1), records, atol=1e-3)


def test_parts_that_explain_more_of_the_record_are_no_distance_apart() -> None:
    truth = pairs(15.0)
    truth[:, 1] *= np.linspace(1, 3, N_SAMPLES).astype(np.float32)  # of another shape
    crossing, parts = in_time(truth)
    assert (fit_apart(TEMPLATE, truth.sum(axis=1), parts, crossing).distance == 0).all()
    assert (fit_apart(TEMPLATE, truth.sum(axis=1), 0.5 * parts, crossing).distance > 14).all()


def test_a_pulse_alone_is_no_pair() -> None:
    alone = (100 * pulse(np.full(5, 20.4))).astype(np.float32)
    begin = np.tile([20.9, 34.0], (5, 1))
    parts = np.stack([0.7 * alone, 0.1 * alone], axis=1)
    fitted = fit_apart(TEMPLATE, alone - np.float32(1e-3), parts, begin)
    assert (fitted.distance == 0).all()


def test_no_record_is_no_work() -> None:
    nothing = np.zeros((0, 2, N_SAMPLES), np.float32)
    assert fit_apart(TEMPLATE, nothing[:, 0], nothing, np.zeros((0, 2))).parts.shape == nothing.shape


def test_parts_get_what_is_left_by_their_size() -> None:
    parts = np.array([[[3.0, 0.0, 0.0], [1.0, 0.0, 2.0]]], np.float32)
    shared = share_out(parts, np.array([[8.0, 2.0, 4.0]], np.float32))
    np.testing.assert_allclose(shared[0], [[6.0, 1.0, 0.0], [2.0, 1.0, 4.0]], atol=0.02)


def test_a_part_without_an_edge_comes_last() -> None:
    late = pairs(20.0, 1)[:, 1]
    crossing, parts = in_time(np.stack([np.zeros_like(late), late], axis=1))
    assert np.isfinite(crossing[0, 0])
    assert np.isnan(crossing[0, 1])
    np.testing.assert_array_equal(parts[0, 0], late[0])
