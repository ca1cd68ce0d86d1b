"""How to train: everything that is chosen before the first epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from discrimen.errors import SettingsError
from discrimen.keras_jax import Device, gpu_number
from discrimen.labelling.contamination import check_contamination
from discrimen.models import code_cost_options, code_width, complete_options
from discrimen.models.own_file import is_own, own_file
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses
from discrimen.pulses.hits import Hits, as_hits
from discrimen.training.augmentation import check_augment
from discrimen.training.balance import DEFAULT_CAP, BalanceBy, BalanceName, check_balance
from discrimen.training.extension import check_extension
from discrimen.training.split import SPLIT_WISHES, Split, SplitWish, split_pulses
from discrimen.training.tasks import Classification, Targets, Task, task_from_dict

OptimizerName = Literal["adam", "sgd"]
Decay = Literal["none", "cosine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How to train a network.

    Parameters
    ----------
    task : Task
        What for: a :class:`~discrimen.training.tasks.Classification`, a
        :class:`~discrimen.training.tasks.Reconstruction` or a :class:`~discrimen.training.tasks.Regression`.
    architecture : str
        A name in :data:`discrimen.models.ARCHITECTURES`, or ``mine.py:build``, see :mod:`discrimen.models.own_file`.
    options : mapping
        Options of the architecture that differ from their defaults.
    optimizer : {"adam", "sgd"}
        How the weights follow the gradient.
    learning_rate : float or None
        None takes the optimizer's own default (Adam 0.001, SGD 0.01).
    learning_rate_decay : {"none", "cosine"}
        Whether the rate falls from epoch to epoch, as half a cosine over `epochs`, towards 0.
    epochs : int
        At most so many passes over the training pulses.
    batch_size : int
        Pulses to one step of the optimizer.
    validation_share : float
        Share of the pulses that judges the network and is never trained on; by run it can be more.
    split : {"auto", "run", "time", "pulse"}
        What stays together in training or validation, see :mod:`discrimen.training.split`.
    validation_runs : sequence of str
        The runs that judge, by number of run or name of file; none for a choice by the seed.
    shuffle : bool
        Present the training pulses in a new order in each epoch.
    patience : int or None
        Stop after so many epochs without a lower validation loss; None never stops early.
    contamination : mapping of str to float, optional
        Share of wrong labels, ``{"gamma": 0.05, "neutron": 0.1}``; the loss is corrected for it, see
        :mod:`discrimen.training.loss`.
    soft_labels : bool
        Whether the column `neutron_probability`, where the pulses have it, is what the network learns.
    balance : {"none", "class", "energy", "shape"}
        Over what rare training pulses count more, see :mod:`discrimen.training.balance`.
    balance_by : {"weights", "resampling"}
        By weights of the loss, or by drawing the pulses of each epoch again.
    balance_cap : float
        Highest weight of a pulse, where the mean is 1.
    augment : mapping of str to float
        Largest distortion of the training pulses by its name, drawn again in each epoch, see
        :mod:`discrimen.training.augmentation`.
    extend_down_kevee, extend_down_adc : float or None
        Light, or height, that the training pulses are thinned down to, see :mod:`discrimen.training.extension`.
    seed : int
        Of the split, the first weights and the order of the pulses.
    device : str
        What computes.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """

    task: Task = field(default_factory=Classification)
    architecture: str = "patches"
    options: Mapping[str, Any] = field(default_factory=dict)
    optimizer: OptimizerName = "adam"
    learning_rate: float | None = None
    learning_rate_decay: Decay = "none"
    epochs: int = 200
    batch_size: int = 100
    validation_share: float = 0.1
    split: SplitWish = "auto"
    validation_runs: Sequence[str] = ()
    shuffle: bool = True
    patience: int | None = 20
    contamination: Mapping[str, float] | None = None
    soft_labels: bool = True
    balance: BalanceName = "none"
    balance_by: BalanceBy = "weights"
    balance_cap: float = DEFAULT_CAP
    augment: Mapping[str, float] = field(default_factory=dict)
    extend_down_kevee: float | None = None
    extend_down_adc: float | None = None
    seed: int = 0
    device: Device = "cpu"

    def __post_init__(self) -> None:
        if is_own(self.architecture):
            own_file(self.architecture)
        object.__setattr__(self, "options", complete_options(self.architecture, self.options))
        if self.contamination is not None:
            object.__setattr__(self, "contamination", check_contamination(self.contamination))
        check_balance(self.balance, self.balance_by, self.balance_cap, contamination=self.contamination)
        object.__setattr__(self, "augment", check_augment(self.augment))
        check_extension(self)
        self.task.require_fitting(self)
        if self.task.name != "reconstruction" and code_cost_options(self.architecture, self.options) is not None:
            raise SettingsError(
                f"{self.architecture} with beta or decorrelation needs --task reconstruction: others have no decoder"
            )
        if self.optimizer not in get_args(OptimizerName):
            raise SettingsError(f"optimizer must be adam or sgd, got {self.optimizer!r}")
        if self.learning_rate_decay not in get_args(Decay):
            raise SettingsError(f"learning_rate_decay must be none or cosine, got {self.learning_rate_decay!r}")
        gpu_number(self.device)
        rate = self.learning_rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise SettingsError(f"learning_rate must be positive and finite, got {rate}")
        if not 0 < self.validation_share < 1:
            raise SettingsError(f"validation_share must lie between 0 and 1, got {self.validation_share}")
        if self.split not in SPLIT_WISHES:
            raise SettingsError(f"split must be one of {', '.join(SPLIT_WISHES)}, got {self.split!r}")
        if isinstance(self.validation_runs, str):
            raise SettingsError(f"validation_runs must be a sequence of names, got the string {self.validation_runs!r}")
        object.__setattr__(self, "validation_runs", tuple(map(str, self.validation_runs)))
        for name in ("epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingsError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.seed < 2**32:
            raise SettingsError(f"seed must lie between 0 and {2**32 - 1}, got {self.seed}")

    @property
    def extends(self) -> bool:
        """Whether the training pulses are thinned."""
        return self.extend_down_kevee is not None or self.extend_down_adc is not None

    @property
    def renews_pulses(self) -> bool:
        """Whether the training pulses are others in each epoch."""
        return bool(self.augment) or self.extends

    def outputs(self, preparation: Preparation) -> tuple[Output, ...]:
        """Return what the model will give.

        Parameters
        ----------
        preparation : Preparation
            Of the model.

        Raises
        ------
        SettingsError
            If an output contradicts itself.
        """
        return self.task.outputs(preparation, code=code_width(self.architecture, self.options))

    def split_of(
        self,
        pulses: Pulses | Hits,
        *,
        files: Sequence[Mapping[str, Any]] = (),
        targets: Targets | None = None,
    ) -> Split:
        """Choose which pulses judge the network.

        Parameters
        ----------
        pulses : Pulses or Hits
            With what the task learns from.
        files : sequence of mapping
            The files they come from, see :class:`discrimen.runs.dataset.Dataset`.
        targets : mapping of str to ndarray, optional
            What their columns do not hold, see :func:`discrimen.training.train`.

        Raises
        ------
        DataError, SettingsError
            As :func:`discrimen.training.split.split_pulses`.
        """
        of_channels = as_hits(pulses)
        return split_pulses(
            of_channels.info,
            groups=self.task.groups(of_channels, targets or {}),
            classes=self.task.classes,
            files=files,
            wish=self.split,
            validation_share=self.validation_share,
            validation_runs=self.validation_runs,
            seed=self.seed,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in kept.items()}
        return plain | {"task": self.task.as_dict(), "validation_runs": list(self.validation_runs)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If a name is unknown, or a value does not fit.
        """
        try:
            return cls(**{**values, "task": task_from_dict(values["task"])})
        except (TypeError, KeyError) as error:
            raise SettingsError(f"this is no configuration of a training: {error}") from error
