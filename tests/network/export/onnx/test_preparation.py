"""The preparation in the graph against :mod:`discrimen.network.prepare`: a network of no layers shows what it gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from tests.network.export.onnx.runtimes import RUNTIMES, Run

from discrimen.network.frozen_file import FrozenModel
from discrimen.network.golden import GoldenVectors
from discrimen.network.graph import Network
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import Alignment, Channel, Preparation, one_channel
from discrimen.network.prepare import prepare

pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")

from discrimen.network.export.onnx import onnx_model

ALIGNMENTS = {
    "fixed": None,
    "aligned": Alignment(position=6),
    "interpolated": Alignment(position=4, fraction=0.5, interpolate=True),
    "before the record": Alignment(position=30, interpolate=True),
    "far before": Alignment(position=5000),
    "behind the crossing": Alignment(position=-3, interpolate=True),
    "behind the record": Alignment(position=-5000),
}
SCALES = ["peak", "area", "none"]
GOLDEN = GoldenVectors(samples=np.zeros((1, 1, 1), np.int32), values=(np.ones((1, 1)),), tolerances=(1e-3,))


def preparation(alignment: Alignment | None, *, scale: Any = "peak", polarity: int = 1) -> Preparation:
    return one_channel(
        sample_period_ns=4.0,
        polarity=polarity,
        baseline_start=2,
        baseline_stop=11,
        window_start=7,
        window_length=24,
        alignment=alignment,
        scale=scale,
    )


def several(alignment: Alignment | None, *, scale: Any = "peak", reference: int | None = None) -> Preparation:
    """Three channels that differ in all that channels may differ in, and may be absent."""
    channels = (
        Channel(name="left", polarity=1, baseline_start=2, baseline_stop=11, window_start=7),
        Channel(name="right", polarity=-1, baseline_start=0, baseline_stop=8, window_start=3),
        Channel(name="sum", polarity=1, baseline_start=4, baseline_stop=10, window_start=12),
    )
    return Preparation(
        sample_period_ns=4.0,
        channels=channels,
        window_length=24,
        alignment=alignment,
        scale=scale,
        reference=reference,
        masked=True,
    )


def records(polarity: int, *, n_samples: int = 48, baseline_adc: float = 500.0, seed: int = 8) -> np.ndarray:
    """Pulses at places all over the record, some cut by its end; a flat one, an inverted one, one at the very start."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) - rng.uniform(11, n_samples - 2, (40, 1))
    shape = np.where(time > 0, np.exp(-time / 6) - np.exp(-time / 1.5), 0)
    raw = baseline_adc + polarity * rng.uniform(40, 900, (40, 1)) * shape + rng.normal(0, 1, shape.shape)
    raw[3] = baseline_adc
    raw[5] = 2 * baseline_adc - raw[5]
    raw[7] = baseline_adc + polarity * 400 * np.exp(-np.arange(n_samples) / 6)
    return raw.round()


def records_of_several(wanted: Preparation) -> tuple[np.ndarray, np.ndarray]:
    """Every combination of channels that are there, none among them; what is absent holds anything."""
    samples = np.stack(
        [records(channel.polarity, seed=seed) for seed, channel in enumerate(wanted.channels)], axis=1
    ).astype(np.int16)
    present = (np.arange(len(samples))[:, np.newaxis] >> np.arange(3)) % 2 == 1
    present[20:] = True
    samples[~present] = 30000
    return samples, present


def unlayered(wanted: Preparation) -> FrozenModel:
    output = Output(name="prepared", kind="waveform", shape=wanted.shape, unit=PREPARED)
    return FrozenModel(ModelDescription(preparation=wanted, outputs=(output,)), Network((), (0,)), GOLDEN)


def assert_prepares(
    run: Run, samples: np.ndarray, wanted: Preparation, *, tolerance: float, present: np.ndarray | None = None
) -> None:
    (found,) = run(onnx_model(unlayered(wanted), input_type=samples.dtype.name), samples, present)
    given = prepare(samples, wanted, present=present)
    expected = np.where(given.valid[:, np.newaxis], given.waveforms.reshape(len(samples), -1), np.nan)
    highest = np.abs(given.waveforms).max()
    assert_allclose(found, expected, atol=tolerance * max(1, highest))


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", ALIGNMENTS.values(), ids=ALIGNMENTS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("polarity", [1, -1])
def test_prepares_as_numpy_does(run: Run, alignment: Alignment | None, scale: Any, polarity: int) -> None:
    samples = records(polarity).astype(np.int16)
    assert_prepares(run, samples, preparation(alignment, scale=scale, polarity=polarity), tolerance=3e-6)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", ["fixed", "aligned", "interpolated", "before the record"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("reference", [None, 0, 1])
def test_prepares_channels_of_which_some_are_absent(
    run: Run, alignment: str, scale: Any, reference: int | None
) -> None:
    wanted = several(ALIGNMENTS[alignment], scale=scale, reference=reference)
    samples, present = records_of_several(wanted)
    valid = prepare(samples, wanted, present=present).valid
    assert valid.any()
    assert not valid[0]
    assert_prepares(run, samples, wanted, tolerance=3e-6, present=present)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("reference", [None, 1])
def test_channels_that_must_all_be_there_need_no_mask(run: Run, reference: int | None) -> None:
    wanted = replace(several(ALIGNMENTS["interpolated"], reference=reference), masked=False)
    assert_prepares(run, records_of_several(wanted)[0], wanted, tolerance=3e-6)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", ["fixed", "interpolated"])
@pytest.mark.parametrize("baseline_adc", [300, 61000])
def test_same_counts_give_the_same_values_whatever_their_type(run: Run, alignment: str, baseline_adc: int) -> None:
    """To 1e-6 of the highest sample: the height of the baseline is no matter."""
    wanted = preparation(ALIGNMENTS[alignment], scale="none")
    samples = records(1, baseline_adc=baseline_adc)
    given = prepare(samples.astype(np.uint16), wanted)
    expected = np.where(given.valid[:, np.newaxis], given.waveforms[:, 0], np.nan)
    offsets = {"uint16": 0, "int16": min(0, 30000 - baseline_adc), "float32": 0}
    for input_type, offset in offsets.items():
        model = onnx_model(unlayered(wanted), input_type=input_type)
        (found,) = run(model, (samples + offset).astype(input_type))
        assert_allclose(found, expected, atol=1e-6 * np.nanmax(expected))


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("polarity", [1, -1])
def test_input_without_a_baseline_is_taken_as_it_is(run: Run, polarity: int) -> None:
    code = np.random.default_rng(4).normal(0, 2, (9, 6)).astype(np.float32)
    code[2] = 0
    wanted = one_channel(
        sample_period_ns=1.0, polarity=polarity, baseline_start=0, baseline_stop=0, window_length=6, scale="none"
    )
    assert prepare(code, wanted).valid.all()
    assert_prepares(run, code, wanted, tolerance=0)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", [None, Alignment(position=5)], ids=["fixed", "aligned"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_sample_that_is_no_number_gives_nan(run: Run, alignment: Alignment | None, scale: Any, bad: float) -> None:
    samples = records(1).astype(np.float32)
    samples[[9, 11, 13], [8, 30, 47]] = bad
    wanted = preparation(alignment, scale=scale)
    assert not prepare(samples, wanted).valid[[9, 11]].any()
    assert prepare(samples, wanted).valid[13] == (alignment is None)
    assert_prepares(run, samples, wanted, tolerance=3e-6)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("alignment", [None, Alignment(position=5)], ids=["fixed", "aligned"])
@pytest.mark.parametrize("reference", [None, 1])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_sample_that_is_no_number_matters_where_it_counts(
    run: Run, alignment: Alignment | None, reference: int | None
) -> None:
    """Not in a channel that is absent, nor behind the window of one that is not the reference."""
    wanted = several(alignment, reference=reference)
    counts, present = records_of_several(wanted)
    samples = counts.astype(np.float32)
    samples[~present] = np.nan
    samples[21:24, [0, 1, 2], 15] = np.nan
    samples[np.arange(25, 40), np.arange(15) % 3, 47] = np.nan
    assert_prepares(run, samples, wanted, tolerance=3e-6, present=present)


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
def test_shortest_record_is_enough(run: Run) -> None:
    fixed = preparation(None)
    assert_prepares(run, records(1, n_samples=31).astype(np.int16), fixed, tolerance=3e-6)
    shortest = one_channel(
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
    wanted = one_channel(
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
    turned = (samples ^ np.uint16(0x8000)).view(np.int16)
    expected = prepare(samples, wanted)
    (found,) = RUNTIMES["onnxruntime"](onnx_model(unlayered(wanted)), turned)
    assert_allclose(found[expected.valid], expected.waveforms[expected.valid][:, 0], atol=1e-3)
