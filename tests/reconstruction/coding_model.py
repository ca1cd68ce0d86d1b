"""A frozen auto-encoder without training: principal components of the toy pulses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.network.domain import learn_domain
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import Network, Node
from discrimen.network.layers import Dense, Flatten, Reshape
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare

CODE = 4
COUNTS = replace(PREPARATION, scale="none")


def write_coding_model(
    path: Path,
    *,
    preparation: Preparation = COUNTS,
    domain: bool = True,
    provenance: dict[str, Any] | None = None,
    turned: bool = False,
) -> Path:
    """Freeze the projection to principal components and back; `turned` gives another code of the same pulses."""
    samples = toy_pulses(500, seed=5).samples
    waveforms = prepare(samples, preparation).waveforms[:, 0].astype(np.float64)
    mean = waveforms.mean(axis=0)
    _, _, directions = np.linalg.svd(waveforms - mean, full_matrices=False)
    kernel = directions[:CODE].T * (-1 if turned else 1)
    down = Dense(kernel=kernel.astype(np.float32), bias=(-mean @ kernel).astype(np.float32))
    up = Dense(kernel=kernel.T.astype(np.float32), bias=mean.astype(np.float32))
    layers = (Flatten(), down, up, Reshape(steps=1, channels=75))
    network = Network(tuple(Node(layer, (number,)) for number, layer in enumerate(layers)), (4, 2))
    outputs = (
        Output(name="reconstruction", kind="waveform", shape=(1, 75), unit=PREPARED),
        Output(name="code", kind="code", shape=(CODE,), unit="1"),
    )
    description = ModelDescription(
        preparation=preparation,
        outputs=outputs,
        provenance=provenance or {},
        domain=learn_domain(toy_pulses(2000, seed=5).samples, preparation) if domain else None,
    )
    golden = golden_vectors(network, description, toy_pulses(10).samples.astype(np.int32)[:, np.newaxis])
    write_frozen(FrozenModel(description, network, golden), path)
    return path
