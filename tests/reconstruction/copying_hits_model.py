"""A frozen network that gives the traces of a hit that it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.runs.toy_hits import N_SAMPLES, toy_hits

from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.hits_domain import DOMAIN_KEY, learn_hits_domain
from discrimen.network.layers import Conv1D
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings

TRAINED = toy_hits(300, seed=9)
WHOLE = choose_hits_preparation(TRAINED, DetectorSettings(), reference="core", window=(0, N_SAMPLES))


def write_copying_hits_model(path: Path, *, masked: bool = False, window_start: int = 0) -> Path:
    """Freeze a network that copies its input; masked ones have seen hits without channel 3."""
    trained = TRAINED
    if masked:
        present = np.ones((300, 37), bool)
        present[:100, 3] = False
        trained = replace(TRAINED, present=present)
    channels = tuple(replace(channel, window_start=window_start) for channel in WHOLE.channels)
    preparation = replace(WHOLE, masked=masked, channels=channels, window_length=N_SAMPLES - window_start)
    n_samples = preparation.window_length
    copy = Conv1D(kernel=np.eye(n_samples, dtype=np.float32)[np.newaxis], bias=np.zeros(n_samples, np.float32))
    network = chain([copy])
    waveform = Output(name="reconstruction", kind="waveform", shape=preparation.shape, unit=PREPARED)
    domain = learn_hits_domain(trained, preparation)
    description = replace(
        ModelDescription(preparation=preparation, provenance={DOMAIN_KEY: domain.as_dict()}), outputs=(waveform,)
    )
    golden = golden_vectors(network, description, TRAINED.samples[:4].astype(np.int32))
    write_frozen(FrozenModel(description, network, golden), path)
    return path
