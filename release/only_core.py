"""Plug-in of pytest for an environment without extras: a test that asks for one is skipped, anything else counts."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from discrimen.errors import MissingExtraError

EXTRAS = (
    "scipy", "sklearn", "matplotlib", "mplhep", "jinja2", "keras", "jax", "uproot", "awkward", "pyarrow", "pandas",
    "onnx", "onnxruntime", "openvino", "optuna", "pooch", "hdf5plugin", "isal", "zmq", "tornado", "dask", "distributed",
    "PIL", "lh5", "lgdo", "tensorboardX", "numba", "iminuit",
)  # fmt: skip
"""What extras and the tools of the full test suite bring."""

_MISSING = re.compile(rf"No module named '({'|'.join(EXTRAS)})[.']")


def asks_for_extra(error: BaseException) -> bool:
    """Say whether a module of an extra is missing, and nothing else is wrong."""
    return isinstance(error, MissingExtraError) or (
        isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in EXTRAS
    )


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Skip a module of tests that imports an extra."""
    report = yield
    if report.failed and (found := _MISSING.search(str(report.longrepr))):
        report.outcome = "skipped"
        report.longrepr = (str(report.nodeid), 0, f"needs {found[1]}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test whose fixtures ask for an extra."""
    yield from _skipping()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that asks for an extra."""
    yield from _skipping()


def _skipping() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not asks_for_extra(error):
            raise
        pytest.skip(f"needs an extra: {error}")
