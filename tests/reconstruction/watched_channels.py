"""Pulses of a made-up channel, and a frozen network that gives the mean pulse back, as an auto-encoder would."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.formats.table import open_writer
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten, Reshape
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.prepare import prepare
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.simulation.distortion import Digitisation

SETTINGS = DetectorSettings(polarity="negative", adc_bits=14)
DIGITISATION = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=12, adc_bits=14)
N_COMPONENTS = 4


@cache
def good_samples(n_pulses: int, seed: int) -> NDArray[Any]:
    """Return raw records of both classes, mixed."""
    samples = toy_pulses((n_pulses + 1) // 2, seed=seed).samples[:n_pulses]
    return samples[np.random.default_rng(seed).permutation(n_pulses)]


def as_pulses(samples: NDArray[Any], *, channel: int | None = None) -> Pulses:
    """Return records as pulses of a run, a millisecond apart."""
    number = np.arange(len(samples))
    pulses = Pulses(samples=samples, sample_period_ns=10.0, entry=number, timestamp_ps=10**9 * number)
    if channel is None:
        return pulses
    return pulses.replace(board=np.zeros(len(samples), np.int32), channel=np.full(len(samples), channel, np.int32))


def written(path: Path, samples: NDArray[Any], *, channel: int | None = None) -> Path:
    """Write records as a run file."""
    with open_writer(path, SETTINGS) as writer:
        writer.write(as_pulses(samples, channel=channel))
    return path


def write_projecting_model(path: Path) -> Path:
    """Freeze a linear auto-encoder: the mean of prepared pulses and their principal components."""
    prepared = prepare(good_samples(4000, 1), PREPARATION).waveforms[:, 0]
    mean = prepared.mean(axis=0)
    components = np.linalg.svd(prepared - mean, full_matrices=False)[2][:N_COMPONENTS]
    project = components.T @ components
    dense = Dense(kernel=project.astype(np.float32), bias=(mean - mean @ project).astype(np.float32))
    network = chain([Flatten(), dense, Reshape(steps=1, channels=75)])
    waveform = Output(name="reconstruction", kind="waveform", shape=(1, 75), unit=PREPARED)
    description = replace(ModelDescription(preparation=PREPARATION), outputs=(waveform,))
    golden = golden_vectors(network, description, good_samples(10, 2).astype(np.int32)[:, np.newaxis])
    write_frozen(FrozenModel(description, network, golden), path)
    return path
