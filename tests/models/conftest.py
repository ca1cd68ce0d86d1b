"""First weights that JAX need not compile a program for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from discrimen.keras_jax import load_keras


@pytest.fixture
def quick_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights from NumPy: JAX would compile a program of random numbers for each shape."""
    rng = np.random.default_rng(0)

    def drawn(_: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return rng.normal(scale=0.3, size=shape).astype(np.float32)

    initializers = load_keras("cpu").keras.initializers
    for each in (initializers.VarianceScaling, initializers.Orthogonal):
        monkeypatch.setattr(each, "__call__", drawn)
