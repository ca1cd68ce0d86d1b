import numpy as np
import pytest

from discrimen.keras_jax import load_keras
from discrimen.models.variational import drawn_code, kl_divergence, mean_and_log_variance


@pytest.fixture(scope="module")
def keras():
    return load_keras("cpu").keras


def _model(keras, width=3):
    values = keras.Input((2 * width,))
    mean, log_variance = mean_and_log_variance(keras, values, width)
    return keras.Model(values, [mean, log_variance, drawn_code(keras, mean, log_variance)])


def test_a_code_of_known_spread_is_drawn_in_training_and_is_its_mean_elsewhere(keras):
    values = np.tile(np.array([1.0, -2.0, 0.5, 0.0, -2.0, -40.0], np.float32), (20_000, 1))
    model = _model(keras)
    mean, log_variance, code = (np.asarray(each) for each in model(values))
    np.testing.assert_array_equal(code, mean)
    drawn = np.asarray(model(values, training=True)[2])
    np.testing.assert_allclose(drawn.mean(axis=0), [1.0, -2.0, 0.5], atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), np.exp(log_variance[0] / 2), rtol=0.03)
    assert log_variance[0, 1] == pytest.approx(-2.0, rel=0.02)
    assert log_variance[0, 2] > -10.0  # bounded


def test_the_divergence_is_that_of_normal_distributions(keras):
    mean, variance = np.array([[0.0, 0.0], [1.0, -0.5]], np.float32), np.array([[1.0, 1.0], [0.25, 2.0]], np.float32)
    found = np.asarray(kl_divergence(keras.ops, mean, np.log(variance)))
    points = np.linspace(-15, 15, 20_001)
    step = points[1] - points[0]

    def one(m, v):
        density = np.exp(-((points - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
        known = density > 0
        log_ratio = -((points - m) ** 2) / (2 * v) - np.log(v) / 2 + points**2 / 2
        return (density[known] * log_ratio[known]).sum() * step

    expected = [sum(one(m, v) for m, v in zip(*row, strict=True)) for row in zip(mean, variance, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_saved_network_loads_without_code(keras, tmp_path):
    model = _model(keras)
    model.save(tmp_path / "code.keras")
    again = keras.saving.load_model(tmp_path / "code.keras", compile=False, safe_mode=True)
    values = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(again(values)[2], model(values)[2])
