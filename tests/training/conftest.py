"""Trainings of the same network compile the same program: compile it once for all tests."""

from __future__ import annotations

import pytest

from discrimen.keras_jax import load_keras


@pytest.fixture(scope="session", autouse=True)
def compile_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = load_keras("cpu").jax.config
    config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    config.update("jax_persistent_cache_min_compile_time_secs", 0)
