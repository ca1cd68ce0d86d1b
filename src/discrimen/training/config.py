"""How to train: everything that is chosen before the first epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from discrimen.errors import SettingsError
from discrimen.keras_jax import DEVICES, Device
from discrimen.models import check_options

OptimizerName = Literal["adam", "sgd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How to train a network.

    Parameters
    ----------
    architecture : str
        A name in :data:`discrimen.models.ARCHITECTURES`.
    options : mapping
        Options of the architecture that differ from their defaults.
    optimizer : {"adam", "sgd"}
        How the weights follow the gradient.
    learning_rate : float or None
        None takes the optimizer's own default (Adam 0.001, SGD 0.01).
    epochs : int
        At most so many passes over the training pulses.
    batch_size : int
        Pulses to one step of the optimizer.
    validation_share : float
        Share of the pulses of each class that judges the network and is never trained on.
    shuffle : bool
        Present the training pulses in a new order in each epoch. The validation pulses are drawn at random anyway.
    patience : int or None
        Stop after so many epochs without a lower validation loss; None never stops early.
    seed : int
        Of the split, the first weights and the order of the pulses.
    device : {"cpu", "gpu"}
        What computes.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """

    architecture: str = "mlp"
    options: Mapping[str, Any] = field(default_factory=dict)
    optimizer: OptimizerName = "adam"
    learning_rate: float | None = None
    epochs: int = 200
    batch_size: int = 100
    validation_share: float = 0.1
    shuffle: bool = True
    patience: int | None = 20
    seed: int = 0
    device: Device = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", check_options(self.architecture, self.options).model_dump(mode="json"))
        if self.optimizer not in get_args(OptimizerName):
            raise SettingsError(f"optimizer must be adam or sgd, got {self.optimizer!r}")
        if self.device not in DEVICES:
            raise SettingsError(f"device must be one of {', '.join(DEVICES)}, got {self.device!r}")
        rate = self.learning_rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise SettingsError(f"learning_rate must be positive and finite, got {rate}")
        if not 0 < self.validation_share < 1:
            raise SettingsError(f"validation_share must lie between 0 and 1, got {self.validation_share}")
        for name in ("epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingsError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.seed < 2**32:
            raise SettingsError(f"seed must lie between 0 and {2**32 - 1}, got {self.seed}")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)
