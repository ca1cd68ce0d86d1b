"""Networks of random weights for measurements of time: every architecture at its default options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import Channel, Preparation, one_channel

PULSE = one_channel(sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_length=75)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network of the table of architectures at its default options, and the pulses it takes."""

    architecture: str
    preparation: Preparation
    outputs: tuple[Output, ...]
    loss: str

    def built(self, keras: Any) -> Any:
        """Return it in Keras, with random weights."""
        from discrimen.models import build_model

        return build_model(keras, self.architecture, {}, shape=self.preparation.shape, outputs=self.outputs)

    def freeze(self, path: Path) -> None:
        """Freeze it with random weights: how good it is does not matter here."""
        from discrimen.freezing.from_keras import network_of
        from discrimen.keras_jax import load_keras

        architecture = {"name": self.architecture, "options": {}}
        description = ModelDescription(preparation=self.preparation, outputs=self.outputs, architecture=architecture)
        session = load_keras("cpu")
        with session.on_device():
            session.keras.utils.set_random_seed(1)
            frozen = network_of(self.built(session.keras), description)
        golden = golden_vectors(frozen, description, made_up_pulses(self.preparation, 64))
        write_frozen(FrozenModel(description, frozen, golden), path)

    def targets(self, waveforms: Any, rng: np.random.Generator) -> Any:
        """Return what a training of these waveforms compares with."""
        if self.outputs[0].kind == "waveform":
            return waveforms
        return rng.integers(0, 2, len(waveforms)).astype(np.int32)


def networks() -> Mapping[str, Network]:
    """Return all architectures that the charts show: pulses of 75 samples, hits of 37 traces of 56 samples."""
    from discrimen.models import ARCHITECTURES, GAMMA_AND_NEUTRON

    found = {}
    for name, row in ARCHITECTURES.items():
        if name == "traces":
            continue  # what it does for other hits, neighbours does for 37 traces
        preparation = _crystal() if name.startswith("neighbours") else PULSE
        outputs: tuple[Output, ...] = GAMMA_AND_NEUTRON
        if row.decode is not None:
            outputs = (Output(name="reconstruction", kind="waveform", shape=preparation.shape, unit="prepared"),)
        loss = "sparse_categorical_crossentropy" if row.decode is None else "mean_squared_error"
        found[name] = Network(architecture=name, preparation=preparation, outputs=outputs, loss=loss)
    return found


def _crystal() -> Preparation:
    names = [f"{sector}{ring}" for sector in "ABCDEF" for ring in range(1, 7)]
    return Preparation(
        sample_period_ns=10.0,
        channels=tuple(
            Channel(name=name, polarity=1, baseline_start=0, baseline_stop=18, window_start=18)
            for name in (*names, "core")
        ),
        window_length=56,
        scale="area",
        reference=36,
    )
