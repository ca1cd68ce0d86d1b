"""A generator made by hand: exponential pulses, whose decay time is told by the class and whose height by the light."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.network.condition import HEIGHT, Condition
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.generator import Generator, Library, Stabilisation
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten, Reshape
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import one_channel
from discrimen.pulses.detector import DetectorSettings

N_SAMPLES, N_CODE, N_ROWS = 40, 2, 300
CONDITION = Condition(("gamma", "neutron"), 4.0, 0.5)
STABILISATION = Stabilisation(noise_adc=3.0, photon_adc=2.0)
LIGHT_KEVEE = (30.0, 300.0)
BASELINE_ADC = 8000.0
RECORD = one_channel(
    sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=8, window_length=N_SAMPLES, scale="none"
)


def small_generator(*, seed: int = 1, **changes: Any) -> Generator:
    """Return what belongs to the decoder of :func:`write_small_generator`; residuals are white, of spread 1."""
    rng = np.random.default_rng(seed)
    light = np.sort(rng.uniform(*LIGHT_KEVEE, (2, N_ROWS)), axis=1).astype(np.float32).ravel()
    library = Library(
        label=np.repeat([0, 1], N_ROWS).astype(np.int8),
        size=light,
        baseline_adc=np.full(2 * N_ROWS, BASELINE_ADC, np.float32),
        code_mean=rng.normal(0, 0.8, (2 * N_ROWS, N_CODE)).astype(np.float16),
        code_log_variance=np.full((2 * N_ROWS, N_CODE), np.log(0.36), np.float16),
        residual=rng.standard_normal((2 * N_ROWS, N_SAMPLES)).astype(np.float16),
    )
    values: dict[str, Any] = {
        "preparation": RECORD,
        "stabilisation": STABILISATION,
        "condition": CONDITION,
        "sample_type": "uint16",
        "n_training": (1000, 3000),
        "size_range": (LIGHT_KEVEE, LIGHT_KEVEE),
        "library": library,
    }
    return Generator(**(values | changes))


def heights_alone(**changes: Any) -> Generator:
    """Return a generator of pulses without classes, asked for by their height; for a decoder that knows no class."""
    generator = small_generator()
    first = {each.name: getattr(generator.library, each.name)[:N_ROWS] for each in fields(Library)}
    values: dict[str, Any] = {
        "condition": Condition((), 4.0, 0.5, HEIGHT),
        "n_training": (1000,),
        "size_range": (LIGHT_KEVEE,),
        "library": Library(**first),
    }
    return replace(generator, **(values | changes))


def mean_units(label: int, log_light: float = 0.0) -> Any:
    """Return what the decoder gives for a code of zeros, without its bias."""
    time = np.maximum(np.arange(N_SAMPLES) - 9, 0)
    gamma, own = (20 * np.where(np.arange(N_SAMPLES) < 9, 0, np.exp(-time / (4 + 4 * each))) for each in (0, label))
    return own + 0.2 * log_light * gamma


def write_small_generator(path: Path, *, generator: Generator | None = None, adc_bits: int | None = 14) -> Path:
    """Freeze the decoder: a dense layer, linear in code and condition."""
    generator = generator or small_generator()
    n_classes = len(generator.condition.classes)
    kernel = np.zeros((N_CODE + n_classes + 1, N_SAMPLES), np.float32)
    kernel[0] = 0.3 * mean_units(0) / 20
    for number in range(n_classes):
        kernel[2 + number] = mean_units(number)
    kernel[-1] = 0.2 * mean_units(0)
    kernel[1, 20:30] = 0.1
    bias = np.full(N_SAMPLES, 1e-3, np.float32) + (0 if n_classes else mean_units(0).astype(np.float32))
    dense = Dense(kernel=kernel, bias=bias)
    network = chain([Flatten(), dense, Reshape(steps=1, channels=N_SAMPLES)])
    preparation = one_channel(
        sample_period_ns=10.0, polarity=1, baseline_start=0, baseline_stop=0, window_length=len(kernel), scale="none"
    )
    waveform = Output(name="reconstruction", kind="waveform", shape=(1, N_SAMPLES), unit=PREPARED)
    settings = DetectorSettings(sample_period_ns=10.0, polarity="negative", adc_bits=adc_bits)
    description = replace(ModelDescription(preparation=preparation, settings=settings), outputs=(waveform,))
    codes = np.random.default_rng(0).normal(size=(50, 1, len(kernel))).astype(np.float32)
    golden = golden_vectors(network, description, codes)
    write_frozen(FrozenModel(description, network, golden, generator), path)
    return path
