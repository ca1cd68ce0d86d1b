"""Logits with two bands that part as pulses grow, and a network of one layer that needs no training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.training.toy_pulses import PREPARATION

from discrimen.adaptation.measured import Measured
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.height_curve import Cut
from discrimen.network.layers import Dense, Flatten
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Logits and heights with the truth."""

    logit: NDArray[np.float64]
    peak_adc: NDArray[np.float64]
    label: NDArray[np.int8]

    def measured(self) -> Measured:
        flat = np.ones(len(self.logit))
        return Measured(
            logit=self.logit, peak_adc=self.peak_adc, baseline_adc=100 * flat, noise_adc=flat, label=self.label
        )


def two_bands(n_pulses: int, *, neutron_share: float = 0.4, shift: float = 3.0, seed: int = 0) -> Bands:
    """Gaussian bands around shift - 3 and shift + 3, as wide as statistics at each height would make them."""
    rng = np.random.default_rng(seed)
    peak_adc = 100 + rng.exponential(700, n_pulses)
    label = (rng.random(n_pulses) < neutron_share).astype(np.int8)
    width = np.sqrt(0.3 + 900 / peak_adc)
    return Bands(shift + np.where(label == 1, 3.0, -3.0) + width * rng.standard_normal(n_pulses), peak_adc, label)


def frozen_model(path: Path, *, thresholds: Mapping[str, Cut] | None = None, **changes: Any) -> FrozenModel:
    """Write a network of one layer that takes the tail of a toy pulse for the sign of a neutron."""
    tail = np.zeros((75, 2), np.float32)
    tail[22:60, 1] = 1.5
    network = chain([Flatten(), Dense(kernel=tail, bias=np.array([0.0, -9.0], np.float32))])
    description = ModelDescription(preparation=PREPARATION, **changes).with_thresholds(thresholds or {})
    model = FrozenModel(description, network, golden_vectors(network, description, made_up_pulses(PREPARATION, 64)))
    write_frozen(model, path)
    return model
