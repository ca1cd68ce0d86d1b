"""Generation: a conditional variational auto-encoder, whose decoder makes pulses of a class and a size."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.labelling.contamination import NAMES
from discrimen.models.conditional import build_conditional, taught_part
from discrimen.models.variational import kl_divergence
from discrimen.network.condition import LIGHT, SizeName, size_of
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import Hits
from discrimen.training.examples import Examples, prepared_pulses
from discrimen.training.tasks.base import Learning, Targets
from discrimen.training.tasks.classless import refuse_options_of_classes

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

RECONSTRUCTION, CODE, LOG_VARIANCE = "reconstruction", "code", "log_variance"
FEWEST, LEAST = 200, 50
"""Pulses of each class that a generator needs, and those below which it is none whatever is accepted."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Learn what pulses of a class and a size look like, and how they differ.

    The records that the network takes are those of :func:`discrimen.training.generator_records.generator_records`:
    the waveform in units of its spread, and behind it the condition.

    Parameters
    ----------
    classes : tuple of str
        In the order of the numbers in the column `label`, from 0; other numbers stand for no label. None: all pulses
        are of one kind, whatever it is, and labels are not looked at.
    beta : float
        What the divergence of the code from the standard normal distribution counts beside the reconstruction. In units
        of the spread 1 is the evidence lower bound itself.
    size : {"energy_kevee", "height_adc"}
        What says how large a pulse is: its light, or the highest sample above the baseline, which needs no calibration.
    fewest : int
        So many pulses of each class will do, :data:`LEAST` at least.
    """

    name: ClassVar[str] = "generation"
    classes: tuple[str, ...] = NAMES
    beta: float = 1.0
    size: SizeName = LIGHT.name
    fewest: int = FEWEST

    def __post_init__(self) -> None:
        size_of(self.size)
        if self.fewest < LEAST:
            raise SettingsError(
                f"a generator needs at least {LEAST} pulses of each class, {self.fewest} were to do: record more"
            )
        object.__setattr__(self, "classes", tuple(self.classes))
        if not (np.isfinite(self.beta) and self.beta > 0):
            raise SettingsError(f"beta must be positive and finite, got {self.beta}")

    @property
    def n_conditions(self) -> int:
        """Numbers of the condition."""
        return len(self.classes) + 1

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what is for classification alone; see :class:`~discrimen.training.tasks.base.Task`."""
        refuse_options_of_classes(self.name, config)

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return waveform, code and its variance; see :class:`~discrimen.training.tasks.base.Task`."""
        if code is None:
            raise SettingsError("a generator needs an auto-encoder: --architecture dense_autoencoder")
        n_samples = preparation.window_length - self.n_conditions
        return (
            Output(name=RECONSTRUCTION, kind="waveform", shape=(1, n_samples), unit=PREPARED),
            Output(name=CODE, kind="code", shape=(code + self.n_conditions,), unit="1"),
            Output(name=LOG_VARIANCE, kind="code", shape=(code,), unit="1"),
        )

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Return the class of each pulse; see :class:`~discrimen.training.tasks.base.Task`."""
        if not self.classes:
            return np.zeros(len(pulses), np.int64)
        labels = pulses.info.column("label").astype(np.int64)
        return np.where((labels >= 0) & (labels < len(self.classes)), labels, -1)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Take every record that can be used; see :class:`~discrimen.training.tasks.base.Task`."""
        groups = self.groups(pulses, targets)
        # Where records cannot be used, their label was taken from them.
        labelled = np.flatnonzero((groups >= 0) & (pulses.info.column("label") >= 0))
        records, kept, _ = prepared_pulses(pulses, preparation, labelled)
        return Examples(
            waveforms=records,
            targets=records[:, 0, : -self.n_conditions],
            pulse=kept,
            labels=groups[kept].astype(np.int32) if self.classes else None,
            n_unlabelled=len(pulses) - len(labelled),
            n_invalid=len(labelled) - len(kept),
        )

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose the evidence lower bound; see :class:`~discrimen.training.tasks.base.Task`.

        While the network is judged its code is not drawn, but the mean.
        """
        ops, n_samples, beta = keras.ops, training.targets.shape[1], self.beta
        spread = float(np.sqrt(np.square(training.targets, dtype=np.float64).mean())) or 1.0

        def misfit(targets: Any, values: Any) -> Any:
            return ops.sum(ops.square(targets - values[:, :n_samples]), axis=1) / 2

        def divergence(_: Any, values: Any) -> Any:
            mean, log_variance = ops.split(values[:, n_samples:], 2, axis=1)
            return kl_divergence(ops, mean, log_variance)

        def bound(targets: Any, values: Any) -> Any:
            return misfit(targets, values) + beta * divergence(targets, values)

        def build(keras: ModuleType, config: TrainingConfig, shape: tuple[int, int]) -> Any:
            return build_conditional(
                keras,
                config.architecture,
                config.options,
                shape=shape,
                n_conditions=self.n_conditions,
                input_spread=spread,
            )

        mean_of = keras.metrics.MeanMetricWrapper
        return Learning(
            loss=bound,
            loss_label="misfit + beta x divergence (nats)",
            metrics=(mean_of(divergence, name="divergence"), mean_of(misfit, name="misfit")),
            build=build,
            taught=lambda model: taught_part(keras, model, n_conditions=self.n_conditions),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        told = {"classes": list(self.classes), "beta": self.beta, "size": self.size, "fewest": self.fewest}
        return {"name": self.name, **told}
