from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.network import layers
from discrimen.network.graph import chain
from laboratory.work import intermediate_bytes, multiply_adds

WINDOW = (1, 75)


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def dense(n_in: int, n_out: int) -> layers.Dense:
    return layers.Dense(kernel=zeros(n_in, n_out), bias=zeros(n_out))


def test_the_reference_network_has_798() -> None:
    network = chain([layers.Flatten(), dense(75, 10), dense(10, 4), dense(4, 2)])
    assert multiply_adds(network, WINDOW) == 75 * 10 + 10 * 4 + 4 * 2 == 798


def test_a_convolution_counts_every_position_of_its_kernel() -> None:
    network = [
        layers.Reshape(steps=75, channels=1),
        layers.Conv1D(kernel=zeros(5, 1, 8), bias=zeros(8)),  # 71 positions
        layers.MaxPooling1D(size=2, stride=2),  # 35
        layers.Conv1D(kernel=zeros(5, 8, 8), bias=zeros(8), stride=2),  # 16
        layers.GlobalAveragePooling1D(),
        dense(8, 2),
    ]
    assert multiply_adds(chain(network), WINDOW) == 71 * 5 * 8 + 16 * 5 * 8 * 8 + 8 * 2


def test_same_padding_counts_as_data() -> None:
    network = [
        layers.Reshape(steps=75, channels=1),
        layers.Conv1D(kernel=zeros(5, 1, 8), bias=zeros(8), padding="same"),
    ]
    assert multiply_adds(chain(network), WINDOW) == 75 * 5 * 8


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3)])
def test_a_recurrent_layer_multiplies_input_and_state_at_every_step(kind: str, gates: int) -> None:
    kernels = {"kernel": zeros(1, gates * 16), "recurrent_kernel": zeros(16, gates * 16), "bias": zeros(gates * 16)}
    layer = layers.Lstm(**kernels) if kind == "lstm" else layers.Gru(**kernels, recurrent_bias=zeros(gates * 16))
    network = [layers.Reshape(steps=75, channels=1), layer, dense(16, 2)]
    assert multiply_adds(chain(network), WINDOW) == 75 * gates * 16 * (1 + 16) + 32


def test_a_dense_layer_on_steps_counts_each_step() -> None:
    assert multiply_adds(chain([layers.Reshape(steps=25, channels=3), dense(3, 4)]), WINDOW) == 25 * 12


def test_a_transposed_convolution_counts_every_input_step() -> None:
    layer = layers.Conv1DTranspose(kernel=zeros(4, 2, 1), bias=zeros(2), stride=2)
    assert multiply_adds(chain([layers.Reshape(steps=75, channels=1), layer]), WINDOW) == 75 * 8


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="does not fit"):
        multiply_adds(chain([dense(74, 10)]), WINDOW)


def test_a_recurrent_layer_holds_far_more_than_a_small_dense_one() -> None:
    lstm = layers.Lstm(kernel=zeros(1, 64), recurrent_kernel=zeros(16, 64), bias=zeros(64))
    recurrent = intermediate_bytes(chain([layers.Reshape(steps=75, channels=1), lstm, dense(16, 2)]), WINDOW)
    assert recurrent >= 4 * 75 * 64  # the gates of all steps
    assert intermediate_bytes(chain([layers.Flatten(), dense(75, 10), dense(10, 2)]), WINDOW) < recurrent / 10
