"""A frozen network with random weights that locates toy hits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.runs.toy_hits import toy_hits

from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.hits_domain import DOMAIN_KEY, learn_hits_domain
from discrimen.network.layers import Dense, Neighbours
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings


def write_small_hits_model(path: Path) -> Path:
    """Freeze the layer of neighbours and a dense layer; it knows the toy hits."""
    hits = toy_hits(200, seed=8)
    preparation = choose_hits_preparation(hits, DetectorSettings(), reference="core")
    neighbours = Neighbours(sectors=6, rings=6, last=3)
    (n_values,) = neighbours.shape(preparation.shape)
    kernel = np.random.default_rng(2).standard_normal((n_values, 6)).astype(np.float32)
    network = chain([neighbours, Dense(kernel=kernel, bias=np.zeros(6, np.float32))])
    position = Output(name="position", kind="quantity", shape=(3,), unit="mm", names=("x", "y", "z"), with_error=True)
    description = ModelDescription(
        preparation=preparation,
        outputs=(position,),
        provenance={DOMAIN_KEY: learn_hits_domain(hits, preparation).as_dict()},
    )
    write_frozen(FrozenModel(description, network, golden_vectors(network, description, hits.samples)), path)
    return path
