"""Compression: an auto-encoder whose code is to be stored in few bits, without losing what tells the classes apart.

The loss joins four terms (the first and the third after J. Balle, V. Laparra and E. P. Simoncelli, arXiv:1611.01704):

- the distortion, in a scale in which noise is alike at every height (:mod:`discrimen.models.stabilising`);
- the charges: what is between the integrals over windows of 4, 16, 64, ... samples, recorded and decoded, in units of
  their noise, and counted by the share that light has in that noise. The distortion leaves out the noise of single
  samples, which nobody misses; but energy and charge comparison are integrals, whose noise is part of a measurement;
- the rate: bits of the code under a mixture of logistic distributions for each of its numbers, with uniform noise of
  the width of the quantisation step in place of rounding while it is trained;
- the change of the logit of a frozen classifier, the teacher, if there is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.models.stabilising import in_stabilised_scale
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import Hits
from discrimen.training.examples import Examples
from discrimen.training.tasks.base import Learning, Targets
from discrimen.training.tasks.classless import refuse_options_of_classes
from discrimen.training.tasks.rate import rated_model
from discrimen.training.tasks.reconstruction import Reconstruction
from discrimen.training.tasks.teacher import Teacher, teacher_of

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

STEP = 1 / 16
"""Of the quantisation: what a network gives at first varies by about one, so a code begins with some four bits."""

RATE_WEIGHT = 0.015
CHARGE_WEIGHT = 4.0

_SHORTEST_WINDOW, _WINDOW_RATIO = 4, 4
_LEAST_LIGHT = 1e-3
TEACHER_WEIGHT = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Give the prepared waveform again, from a code of few bits.

    Parameters
    ----------
    teacher : str or None
        Path of a frozen classifier of the same pulses.
    teacher_weight : float
        Of the mean square change of its logit in the loss.
    rate_weight : float
        Of one bit of a pulse's code in the loss, where a mean square error of one (in noise of the electronics) of its
        samples counts 1.
    charge_weight : float
        Of the mean square error of the integrals, in units of their noise.
    step : float
        Width of a quantisation step of the code.
    """

    name: ClassVar[str] = "compression"
    teacher: str | None = None
    teacher_weight: float = TEACHER_WEIGHT
    rate_weight: float = RATE_WEIGHT
    charge_weight: float = CHARGE_WEIGHT
    step: float = STEP

    def __post_init__(self) -> None:
        for name in ("teacher_weight", "rate_weight", "charge_weight", "step"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise SettingsError(f"{name} must be positive and finite, got {value}")

    @property
    def classes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what is for classes; see :class:`~discrimen.training.tasks.base.Task`."""
        refuse_options_of_classes(self.name, config)

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return waveform and code; see :class:`~discrimen.training.tasks.base.Task`."""
        if code is None:
            raise SettingsError("compression needs an architecture with a code: take one of the auto-encoders")
        if preparation.scale != "none" or preparation.n_channels != 1 or preparation.alignment is not None:
            raise SettingsError(
                "compression is learnt on pulses of one channel in ADC counts, for the code carries their height: "
                "give --scale none, and no --align"
            )
        return Reconstruction().outputs(preparation, code=code)

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Put all pulses into one group; see :class:`~discrimen.training.tasks.base.Task`."""
        return Reconstruction().groups(pulses, targets)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every pulse; see :class:`~discrimen.training.tasks.base.Task`."""
        if targets:
            raise DataError(f"compression learns the recorded pulses, there is no target {', '.join(targets)}")
        return Reconstruction().examples(pulses, preparation, targets, config)

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Join distortion, rate and teacher; see :class:`~discrimen.training.tasks.base.Task`."""
        unit = noise_of(training.waveforms, preparation)
        spread = float(np.sqrt(np.square(in_stabilised_scale(np, training.waveforms, unit)).mean()))
        teacher = None if self.teacher is None else teacher_of(Path(self.teacher), preparation)
        terms = Terms(keras.ops, unit, teacher)

        def loss(targets: Any, values: Any) -> Any:
            whole = terms.distortion(targets, values) + self.rate_weight * terms.bits(targets, values)
            whole = whole + self.charge_weight * terms.charges(targets, values)
            return whole if teacher is None else whole + self.teacher_weight * terms.logit(targets, values)

        metrics = {"distortion": terms.distortion, "charge_error": terms.charges, "bits": terms.bits}
        if teacher is not None:
            metrics["teacher_logit_change"] = terms.logit
        return Learning(
            loss=loss,
            loss_label="distortion + charges + rate" + (" + teacher" if teacher else ""),
            metrics=tuple(keras.metrics.MeanMetricWrapper(term, name=name) for name, term in metrics.items()),
            input_spread=spread,
            stabilised_unit=unit,
            taught=lambda model: rated_model(keras, model, step=self.step),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "name": self.name,
            "teacher": self.teacher,
            "teacher_weight": self.teacher_weight,
            "rate_weight": self.rate_weight,
            "charge_weight": self.charge_weight,
            "step": self.step,
        }


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of the loss; the values are those of the waveform, and the bits of the code behind them.

    Parameters
    ----------
    ops : module
        ``keras.ops``, or ``numpy``.
    unit : float
        Noise of the electronics, in the scale of the waveforms.
    teacher : Teacher or None
        Whose logit is compared.
    """

    ops: Any
    unit: float
    teacher: Teacher | None

    def distortion(self, targets: Any, values: Any) -> Any:
        """Compare the samples in the stabilised scale."""
        wanted, found = (
            in_stabilised_scale(self.ops, each, self.unit) for each in (targets, self._waveforms(targets, values))
        )
        return self.ops.mean(self.ops.square(wanted - found), axis=(1, 2))

    def charges(self, targets: Any, values: Any) -> Any:
        """Compare integrals over windows of several lengths, each in units of its noise, where there is light."""
        errors = (targets - self._waveforms(targets, values)) / self.unit
        light = self.ops.maximum(targets / self.unit, 0)
        terms = []
        for length in window_lengths(targets.shape[2]):
            error, photons = (self._integrals(each, length) for each in (errors, light))
            noise = length + photons
            weight = photons / noise
            whole = self.ops.sum(weight * self.ops.square(error) / noise, axis=(1, 2))
            terms.append(whole / self.ops.maximum(self.ops.sum(weight, axis=(1, 2)), _LEAST_LIGHT))
        return sum(terms[1:], terms[0]) / len(terms)

    def _integrals(self, waveforms: Any, length: int) -> Any:
        whole = self.ops.pad(self.ops.cumsum(waveforms, axis=2), ((0, 0), (0, 0), (1, 0)))
        return whole[:, :, length:] - whole[:, :, :-length]

    def bits(self, targets: Any, values: Any) -> Any:
        """Return what the code costs."""
        return values[:, -1]

    def logit(self, targets: Any, values: Any) -> Any:
        """Compare what the teacher says."""
        assert self.teacher is not None
        wanted, found = (self.teacher.logits(each) for each in (targets, self._waveforms(targets, values)))
        return self.ops.sum(self.ops.square(wanted - found), axis=1)

    def _waveforms(self, targets: Any, values: Any) -> Any:
        return self.ops.reshape(values[:, :-1], self.ops.shape(targets))


def window_lengths(n_samples: int) -> list[int]:
    """Return the lengths of the windows that charges are compared in, in samples."""
    lengths, length = [], _SHORTEST_WINDOW
    while length < n_samples:
        lengths.append(length)
        length *= _WINDOW_RATIO
    return lengths or [n_samples]


def noise_of(waveforms: NDArray[np.float32], preparation: Preparation) -> float:
    """Return the noise of the electronics in the scale of prepared waveforms: their rms before the pulse.

    Raises
    ------
    DataError
        If the window shows fewer than two samples before the pulse, or these do not vary.
    """
    channel = preparation.only
    start, stop = (edge - channel.window_start for edge in (channel.baseline_start, channel.baseline_stop))
    before = waveforms[:, 0, max(start, 0) : max(stop, 0)]
    noise = float(np.sqrt(before.var(axis=1, ddof=1).mean())) if before.shape[1] > 1 else 0.0
    if not noise > 0:
        raise DataError(
            f"the noise before the pulse is what compression measures errors in; the window shows {before.shape[1]} "
            "samples of it, which do not vary: let window and baseline overlap (--window, --baseline-ns)"
        )
    return noise
