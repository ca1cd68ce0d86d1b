"""Keras for tests that give every weight a value of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from discrimen.keras_jax import KerasSession, load_keras


@pytest.fixture(scope="module")
def session() -> Iterator[KerasSession]:
    """Return Keras with all new weights zero: JAX would compile a program of random numbers for each shape."""
    session = load_keras("cpu")

    def zeros(_: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return np.zeros(shape, dtype)

    with pytest.MonkeyPatch.context() as patch:
        for initializer in (session.keras.initializers.VarianceScaling, session.keras.initializers.Orthogonal):
            patch.setattr(initializer, "__call__", zeros)
        yield session
