"""The preparation in the graph against :mod:`discrimen.network.prepare`: a network of no layers shows what it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from tests.network.export.onnx.networks import frozen
from tests.network.export.onnx.runtimes import RUNTIMES, Run

from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import prepare

pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")

from discrimen.network.export.onnx import Runtime, onnx_model

ALIGNMENTS = {
    "fixed": None,
    "aligned": Alignment(position=6),
    "interpolated": Alignment(position=4, fraction=0.5, interpolate=True),
    "before the record": Alignment(position=30, interpolate=True),
    "far before": Alignment(position=5000),
    "behind the crossing": Alignment(position=-3, interpolate=True),
    "behind the record": Alignment(position=-5000),
}


def preparation(alignment: Alignment | None, *, scale: Any = "peak", polarity: int = 1) -> Preparation:
    return Preparation(
        sample_period_ns=4.0,
        polarity=polarity,
        baseline_start=2,
        baseline_stop=11,
        window_start=7,
        window_length=24,
        alignment=alignment,
        scale=scale,
    )


def records(polarity: int, *, n_samples: int = 48, baseline_adc: float = 500.0) -> np.ndarray:
    """Pulses at places all over the record, some cut by its end; a flat one, an inverted one, one at the very start."""
    rng = np.random.default_rng(8)
    time = np.arange(n_samples) - rng.uniform(11, n_samples - 2, (40, 1))
    shape = np.where(time > 0, np.exp(-time / 6) - np.exp(-time / 1.5), 0)
    raw = baseline_adc + polarity * rng.uniform(40, 900, (40, 1)) * shape + rng.normal(0, 1, shape.shape)
    raw[3] = baseline_adc
    raw[5] = 2 * baseline_adc - raw[5]
    raw[7] = baseline_adc + polarity * 400 * np.exp(-np.arange(n_samples) / 6)
    return raw.round()


def assert_prepares(
    run: Run, samples: np.ndarray, wanted: Preparation, *, tolerance: float, runtime: Runtime = "any"
) -> None:
    network = frozen((), wanted, n_classes=wanted.window_length)
    model = onnx_model(network, input_type=samples.dtype.name, runtime=runtime)
    given = prepare(samples, wanted)
    expected = np.where(given.valid[:, np.newaxis], given.waveforms, np.nan)
    highest = np.abs(given.waveforms).max()
    assert_allclose(run(model, samples), expected, atol=tolerance * max(1, highest))


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", ALIGNMENTS.values(), ids=ALIGNMENTS)
@pytest.mark.parametrize("scale", ["peak", "area", "none"])
@pytest.mark.parametrize("polarity", [1, -1])
def test_prepares_as_numpy_does(run: Run, alignment: Alignment | None, scale: Any, polarity: int) -> None:
    samples = records(polarity).astype(np.int16)
    assert_prepares(run, samples, preparation(alignment, scale=scale, polarity=polarity), tolerance=3e-6)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", [None, Alignment(position=6)], ids=["fixed", "aligned"])
@pytest.mark.parametrize("polarity", [1, -1])
def test_graph_for_one_runtime_prepares_the_same_in_all(run: Run, alignment: Alignment | None, polarity: int) -> None:
    samples = records(polarity).astype(np.int16)
    wanted = preparation(alignment, polarity=polarity)
    assert_prepares(run, samples, wanted, tolerance=3e-6, runtime="onnxruntime")


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_takes_other_types_of_samples(run: Run, dtype: str) -> None:
    """A baseline of 16 bits is rounded to 0.004 ADC counts, which is 1e-4 of the lowest of these peaks."""
    samples = records(1, baseline_adc=61000).astype(dtype)
    assert samples.max() > 2**15
    assert_prepares(run, samples, preparation(Alignment(position=5, interpolate=True)), tolerance=2e-4)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", [None, Alignment(position=5)], ids=["fixed", "aligned"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_sample_that_is_no_number_scores_nan(run: Run, alignment: Alignment | None, bad: float) -> None:
    samples = records(1).astype(np.float32)
    samples[[9, 11], [8, 30]] = bad
    assert not prepare(samples, preparation(alignment)).valid[[9, 11]].any()
    assert_prepares(run, samples, preparation(alignment), tolerance=3e-6)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
def test_shortest_record_is_enough(run: Run) -> None:
    fixed = preparation(None)
    assert_prepares(run, records(1, n_samples=31).astype(np.int16), fixed, tolerance=3e-6)
    shortest = Preparation(
        sample_period_ns=1.0,
        polarity=1,
        baseline_start=0,
        baseline_stop=1,
        window_length=3,
        alignment=Alignment(position=1, interpolate=True),
    )
    assert_prepares(run, np.array([[5], [-2]], dtype=np.int16), shortest, tolerance=0)
    assert_prepares(run, np.array([[0, 9], [0, -9]], dtype=np.int16), shortest, tolerance=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-40, 40), min_size=14, max_size=14), st.sampled_from([1, -1]), st.integers(-3, 9))
def test_any_record_is_prepared_as_by_numpy(record: list[int], polarity: int, position: int) -> None:
    """Values so small that all is exact: baseline of four, fraction of a half; peaks that occur twice, ties, flats."""
    wanted = Preparation(
        sample_period_ns=1.0,
        polarity=polarity,
        baseline_start=0,
        baseline_stop=4,
        window_length=6,
        alignment=Alignment(position=position, fraction=0.5, interpolate=True),
        scale="none",
    )
    assert_prepares(RUNTIMES["onnxruntime"], np.array([record], dtype=np.int16), wanted, tolerance=1e-5)


def test_highest_bit_turned_over_makes_int16_of_uint16() -> None:
    samples = records(1, baseline_adc=40000).astype(np.uint16)
    wanted = preparation(None, scale="none")
    model = onnx_model(frozen((), wanted, n_classes=wanted.window_length))
    turned = (samples ^ np.uint16(0x8000)).view(np.int16)
    expected = prepare(samples, wanted)
    got = RUNTIMES["onnxruntime"](model, turned)
    assert_allclose(got[expected.valid], expected.waveforms[expected.valid], atol=0.004)
