"""What a network is trained for: the protocol of all tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import Hits
from discrimen.training.examples import Examples
from discrimen.training.remix import Remix

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

_AT_ONCE = 4096
MANY_CHANNELS = 8
"""From so many on most channels of a hit hold nothing."""

Loss = str | Callable[[Any, Any], Any]
Targets = Mapping[str, NDArray[Any]]
"""What the pulses' own columns do not hold, by name; which names there are, the task says."""


def _as_they_are(targets: NDArray[Any]) -> NDArray[Any]:
    return targets


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Learning:
    """How a network is taught.

    Parameters
    ----------
    loss : str or callable
        Keras' name of a loss, or ``loss(targets, values)`` for each pulse. The values are those of the outputs
        trained; of several, side by side.
    loss_label : str
        What the loss is, with its unit, for the picture.
    metrics : tuple
        Of Keras, told beside the loss; the first one is drawn.
    trained : tuple of int
        Positions of the outputs that have targets.
    packed : callable
        From the targets of a part to what the loss compares with.
    units : mapping of int to (mean, spread)
        Of the outputs that have a layer for their unit, see :func:`discrimen.models.heads.add_units`.
    input_spread : float
        How large prepared values are where they are ADC counts, else 1; see :func:`discrimen.models.build_model`.
    stabilised_unit : float, optional
        See there.
    taught : callable, optional
        From the network to what is compiled and fitted, of one output, with the network's layers within; by default
        the network with the outputs trained side by side.
    build : callable, optional
        ``build(keras, config, shape)`` builds the network where it is no body with heads; `units`, `input_spread` and
        `stabilised_unit` count for nothing then.
    begin_epoch : callable or None
        ``begin_epoch(taught, epoch)``, before each epoch, counted from 0.
    remix : Remix or None
        Puts the training examples together again in each epoch.
    finished : callable or None
        ``finished(description, model, validation)`` returns the description with what only the trained model tells.
    """

    loss: Loss
    loss_label: str
    metrics: tuple[Any, ...] = ()
    trained: tuple[int, ...] = (0,)
    packed: Callable[[NDArray[Any]], NDArray[Any]] = _as_they_are
    units: Mapping[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    input_spread: float = 1.0
    stabilised_unit: float | None = None
    taught: Callable[[Any], Any] | None = None
    build: Callable[[ModuleType, TrainingConfig, tuple[int, int]], Any] | None = None
    begin_epoch: Callable[[Any, int], None] | None = None
    remix: Remix | None = None
    finished: Callable[[ModelDescription, Any, Examples], ModelDescription] | None = None


def input_spread(preparation: Preparation, training: Examples) -> float:
    """Return the root mean square of prepared values that are ADC counts or of many channels, 1 for others.

    Of hits most channels hold nothing, and transients are small beside the area of the reference.
    """
    if preparation.scale != "none" and preparation.n_channels < MANY_CHANNELS:
        return 1.0
    waveforms = training.waveforms
    squares = sum(
        float(np.square(waveforms[first : first + _AT_ONCE], dtype=np.float64).sum())
        for first in range(0, len(waveforms), _AT_ONCE)
    )
    return float(np.sqrt(squares / waveforms.size)) or 1.0


class Task(Protocol):
    """What a network is trained for: its outputs, their targets, the loss, and what the split must keep."""

    @property
    def name(self) -> str:
        """Its name in :data:`discrimen.training.tasks.TASKS`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes by their number; none where the task has no classes, to which no test for classes applies then."""

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse a configuration with options that the task does not know.

        Raises
        ------
        SettingsError
            If there is one.
        """

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return what the model will give.

        Parameters
        ----------
        preparation : Preparation
            Of the model.
        code : int or None
            Width of the code of an auto-encoder.

        Raises
        ------
        SettingsError
            If an output contradicts itself.
        """

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Return for each pulse the class that the split keeps on both sides, 0 without classes, -1 if left out."""

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every pulse that has a target.

        Raises
        ------
        DataError
            If targets are missing or do not fit, or records are too short for the preparation.
        SettingsError
            If the sampling periods of pulses and preparation differ.
        """

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose how the network is taught from the training part alone.

        Raises
        ------
        DataError, SettingsError
            If nothing can be learned from it.
        """

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
