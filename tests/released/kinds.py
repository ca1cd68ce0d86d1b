"""The models that are kept of a release: together they hold everything that a frozen file of this version can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import numpy as np
from tests.network.models import FLAT
from tests.network.networks import NETWORKS, given_as_codes
from tests.network.pulses import frozen
from tests.network.weights import Graph, Weights
from tests.reconstruction.coding_model import write_coding_model
from tests.reconstruction.separator_model import write_separator
from tests.reconstruction.small_generator import write_small_generator
from tests.scoring.small_hits_model import write_small_hits_model
from tests.scoring.small_model import write_small_model

from discrimen.network.activations import ACTIVATIONS
from discrimen.network.frozen_file import read_frozen, write_frozen
from discrimen.network.height_curve import HeightCurve
from discrimen.network.part_template import PartTemplate

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "cpp" / "examples" / "sample" / "bc501a_10ns.discrimen"
N_GOLDEN = 8


def _random(name: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        model = frozen(*NETWORKS[name](), n_pulses=N_GOLDEN)
        described = replace(model.description, provenance={"seed": 7}, architecture={"name": name})
        write_frozen(replace(model, description=described), path)

    return write


def _activations(path: Path) -> None:
    """Write a network with an output behind each activation."""
    w, g = Weights(), Graph()
    row = g(FLAT, 0)
    outputs = [g(w.dense(20, 3, name), row) for name in ACTIVATIONS]
    write_frozen(frozen(*given_as_codes(g.network(*outputs)), n_pulses=N_GOLDEN), path)


def _separator(path: Path) -> None:
    values = tuple(np.exp(-np.arange(240) / 70.0).tolist())
    write_separator(path, template=PartTemplate(values=values, least_distance=12.0))


RANDOM = (
    "two classes",
    "independent classes",
    "two channels",
    "channels as steps",
    "convolutional autoencoder",
    "variational autoencoder",
    "quantities with errors",
    "everything at once",
    "inner values given out",
    "convolution, causal, dilated",
    "convolution, two groups",
    "convolution, gru, convolution",
    "separable",
    "transposed, same",
    "largest, same",
    "average, same",
    "largest of all",
    "upsampling",
    "zeros in front and behind",
    "cropped",
    "neighbours in three rings",
    "layer normalisation",
    "slope of each channel",
    "lstm",
    "lstm, hard gates",
    "gru",
    "gru, reset before, hard gates, sequences",
    "simple recurrent, relu, sequences",
    "residual",
    "squeeze and excite",
    "one behind another",
    "bidirectional",
    "transformer",
    "activation tanh by itself",
)
"""Networks of random weights, by their names among the tests of layers."""

KINDS: dict[str, Callable[[Path], object]] = {
    "trained": lambda path: copyfile(SAMPLE, path),
    "domain": lambda path: write_small_model(
        path, domain=True, threshold=HeightCurve((50.0, 400.0), (0.3, 0.7)), channels=(0, 3)
    ),
    "activations": _activations,
    "compression": write_coding_model,
    "generator": write_small_generator,
    "positions": write_small_hits_model,
    "separator": _separator,
} | {name: _random(name) for name in RANDOM}
"""What writes each of them: a trained and frozen network, the sample of the engine, first."""


def write_kind(kind: str, path: Path) -> None:
    """Write a kind; all but the trained network with a few golden vectors only, to be small."""
    KINDS[kind](path)
    if kind != "trained":
        model = read_frozen(path)
        present = model.golden.present
        few = replace(
            model.golden,
            samples=model.golden.samples[:N_GOLDEN],
            present=None if present is None else present[:N_GOLDEN],
            values=tuple(each[:N_GOLDEN] for each in model.golden.values),
        )
        write_frozen(replace(model, golden=few), path)


def file_name(kind: str) -> str:
    """Return the name of a kind as it stands in a folder."""
    return kind.replace(",", "").replace(" ", "_")
