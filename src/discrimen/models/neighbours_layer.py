"""Keras' counterpart of :class:`discrimen.network.layers.Neighbours`, for training."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from discrimen.network.layers import N_AROUND, places_around


@cache
def neighbours_layer(keras: ModuleType) -> Any:
    """Return the class of the layer; Keras can read saved networks that hold one from then on."""
    ops = keras.ops

    @keras.saving.register_keras_serializable(package="discrimen")
    class Neighbours(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """See :class:`discrimen.network.layers.Neighbours`."""

        def __init__(self, sectors: int, rings: int, last: int, **options: Any) -> None:
            super().__init__(**options)
            self.sectors, self.rings, self.last = sectors, rings, last

        def call(self, values: Any) -> Any:
            channels, samples = values.shape[1:]
            n_segments = self.sectors * self.rings
            hit = ops.argmax(ops.sum(values[:, :n_segments, samples - self.last :], axis=2), axis=1)
            table = places_around(self.sectors, self.rings)
            places = ops.take(np.where(table < 0, channels, table).astype(np.int32), hit, axis=0)
            padded = ops.concatenate([values, ops.zeros_like(values[:, :1])], axis=1)
            around = ops.take_along_axis(padded, places[:, :, None], axis=1)
            seen = ops.concatenate([around, values[:, n_segments:]], axis=1)
            flat = ops.reshape(seen, (-1, (N_AROUND + channels - n_segments) * samples))
            return ops.concatenate([flat, ops.one_hot(hit, n_segments, dtype=values.dtype)], axis=1)

        def compute_output_shape(self, shape: Any) -> tuple[Any, int]:
            n_segments = self.sectors * self.rings
            return (shape[0], (N_AROUND + shape[1] - n_segments) * shape[2] + n_segments)

        def get_config(self) -> dict[str, Any]:
            config: dict[str, Any] = super().get_config()
            return config | {"sectors": self.sectors, "rings": self.rings, "last": self.last}

    return Neighbours
