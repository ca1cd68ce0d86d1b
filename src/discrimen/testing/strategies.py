"""Hypothesis strategies: raw pulses as digitizers give them, preparations, and small frozen models with their proof."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError, require_module
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import class_scores
from discrimen.network.preparation import Alignment, Preparation, one_channel
from discrimen.pulses import COLUMNS, Label, Pulses

st = require_module("hypothesis.strategies", extra="testing")

_PERIODS_NS = (1.0, 2.0, 4.0, 8.0, 10.0)
_DTYPES = (np.uint16, np.int16, np.int32, np.float32, np.dtype(">u2"), np.dtype("<i4"))
_N_GOLDEN = 12
_ADC_MAX = 16383

Draw = Callable[[Any], Any]
SearchStrategy = Any
"""A strategy of Hypothesis, whose types a core install does not have."""


def preparations(*, n_samples: int = 60) -> SearchStrategy:
    """Return a strategy for preparations of one channel that fit records of some length.

    Parameters
    ----------
    n_samples : int
        Of the records, at least 20.

    Raises
    ------
    SettingsError
        If the records are shorter.
    """
    if n_samples < 20:
        raise SettingsError(f"expected records of at least 20 samples, got {n_samples}")
    return _preparations(n_samples)


@st.composite  # type: ignore[untyped-decorator]
def _preparations(draw: Draw, n_samples: int) -> Preparation:
    start = draw(st.integers(0, 3))
    stop = draw(st.integers(start + 2, n_samples // 3))
    begin = draw(st.integers(0, n_samples // 3))
    aligned = draw(st.none() | st.builds(Alignment, position=st.integers(2, 5), interpolate=st.booleans()))
    length = draw(st.integers(8, n_samples - max(begin, stop)))
    return one_channel(
        sample_period_ns=draw(st.sampled_from(_PERIODS_NS)),
        polarity=draw(st.sampled_from((-1, 1))),
        baseline_start=start,
        baseline_stop=stop,
        window_start=begin if aligned is None else 0,
        window_length=length,
        alignment=aligned,
        scale=draw(st.sampled_from(("peak", "area", "none"))),
    )


@st.composite  # type: ignore[untyped-decorator]
def pulses(
    draw: Draw,
    *,
    preparation: Preparation | None = None,
    n_pulses: tuple[int, int] = (1, 30),
    n_samples: int = 60,
    columns: Collection[str] | None = None,
    odd: bool = False,
) -> Pulses:
    """Return a strategy for pulses: of any polarity, height, sampling and type of samples that digitizers give.

    Parameters
    ----------
    preparation : Preparation, optional
        One of one channel that the pulses should suit: its polarity, sampling and place in the record.
    n_pulses : (int, int)
        Fewest and most.
    n_samples : int
        Of the records, where no preparation says it.
    columns : collection of str, optional
        Those of :data:`discrimen.pulses.COLUMNS` that there are; by default some or none, as it comes.
    odd : bool
        Whether flat records, cut-off pulses and pure noise may be among them.
    """
    made_for = preparation or draw(preparations(n_samples=n_samples))
    number, seed = draw(st.integers(*n_pulses)), draw(st.integers(0, 2**32 - 1))
    whole = made_for
    if preparation is None:
        whole = replace(made_for.with_only(window_start=0), window_length=n_samples, alignment=None)
    samples = made_up_pulses(whole, max(number, 1), seed=seed)[:number, 0]
    if odd:
        kinds = draw(st.lists(st.sampled_from(("pulse", "flat", "cut", "noise")), min_size=number, max_size=number))
        _spoil(samples, kinds, np.random.default_rng(seed))
    known = draw(st.sets(st.sampled_from(sorted(COLUMNS)))) if columns is None else columns
    rng = np.random.default_rng([seed, 1])
    return Pulses(
        samples=np.clip(samples, 0, _ADC_MAX).astype(draw(st.sampled_from(_DTYPES))),
        sample_period_ns=made_for.sample_period_ns,
        **{name: _column(name, number, rng) for name in sorted(known)},
    )


@st.composite  # type: ignore[untyped-decorator]
def frozen_models(
    draw: Draw, *, preparation: Preparation | None = None, classes: tuple[str, ...] = ("gamma", "neutron")
) -> FrozenModel:
    """Return a strategy for small frozen models: random weights, golden vectors, sometimes a threshold.

    Parameters
    ----------
    preparation : Preparation, optional
        Of one channel; by default any.
    classes : tuple of str
        Names of the classes.
    """
    prepared = preparation or draw(preparations())
    seed, hidden = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 8))
    activation = draw(st.sampled_from(("relu", "tanh", "sigmoid")))
    rng = np.random.default_rng(seed)
    shapes = [(prepared.window_length, len(classes))]
    if hidden:
        shapes = [(prepared.window_length, hidden), (hidden, len(classes))]
    dense = [
        Dense(
            kernel=rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out)).astype(np.float32),
            bias=rng.normal(0, 0.1, n_out).astype(np.float32),
            activation=activation if number + 1 < len(shapes) else "linear",
        )
        for number, (n_in, n_out) in enumerate(shapes)
    ]
    description = ModelDescription(preparation=prepared, outputs=(class_scores(classes),))
    threshold = draw(st.none() | st.floats(0.05, 0.95))
    if threshold is not None and "neutron" in classes:
        description = description.with_thresholds({"drawn": threshold})
    network = chain([Flatten(), *dense])
    golden = golden_vectors(network, description, made_up_pulses(prepared, _N_GOLDEN, seed=seed))
    return FrozenModel(description, network, golden)


def write_model(model: FrozenModel, path: Path | str) -> Path:
    """Write a frozen model into a ``*.discrimen``, for what takes files.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_frozen(model, Path(path))
    return Path(path)


def _spoil(samples: NDArray[Any], kinds: list[str], rng: np.random.Generator) -> None:
    for row, kind in zip(samples, kinds, strict=True):
        if kind == "flat":
            row[:] = row[0]
        elif kind == "cut":
            middle = (row.min() + row.max()) / 2
            row[:] = np.minimum(row, middle) if rng.random() < 0.5 else np.maximum(row, middle)
        elif kind == "noise":
            row[:] = rng.integers(0, _ADC_MAX, len(row))


def _column(name: str, n_pulses: int, rng: np.random.Generator) -> NDArray[Any]:
    dtype = COLUMNS[name]
    if name in ("entry", "timestamp_ps"):
        return np.cumsum(rng.integers(1, 10**6, n_pulses)).astype(dtype)
    if name == "label":
        return rng.choice([int(each) for each in Label], n_pulses).astype(dtype)
    if name == "neutron_probability":
        return rng.uniform(0, 1, n_pulses).astype(dtype)
    if dtype.kind == "f":
        return rng.normal(0, 1000, n_pulses).astype(dtype)
    return rng.integers(0, 16, n_pulses).astype(dtype)
