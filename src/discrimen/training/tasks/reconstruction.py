"""Reconstruction: the waveform itself, or a clean one, from what a network keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.models import code_cost_options
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import Restoration, gather_window
from discrimen.pulses.hits import Hits
from discrimen.training.examples import Examples, prepared_pulses
from discrimen.training.tasks.base import MANY_CHANNELS, Learning, Targets, input_spread
from discrimen.training.tasks.classless import refuse_options_of_classes
from discrimen.training.tasks.code_cost import learning_with_cost

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

CLEAN = "waveform"
"""Name of the target: raw samples of a clean record of each pulse, of the shape of the pulses' own."""
_LEAST_SQUARE = 1e-9
"""Of that of the pulses: what a network gives exactly teaches it no more."""


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Give the prepared waveform again, or the clean one that belongs to it.

    Parameters
    ----------
    with_code : bool
        Whether the code of an auto-encoder is an output too.
    """

    name: ClassVar[str] = "reconstruction"
    with_code: bool = True

    @property
    def classes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what is for classes; see :class:`~discrimen.training.tasks.base.Task`."""
        refuse_options_of_classes(self.name, config)

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return waveform and code; see :class:`~discrimen.training.tasks.base.Task`."""
        waveform = Output(name="reconstruction", kind="waveform", shape=preparation.shape, unit=PREPARED)
        if code is None or not self.with_code:
            return (waveform,)
        return waveform, Output(name="code", kind="code", shape=(code,), unit="1")

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Put all pulses into one group; see :class:`~discrimen.training.tasks.base.Task`."""
        return np.zeros(len(pulses), dtype=np.int64)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every pulse; see :class:`~discrimen.training.tasks.base.Task`."""
        waveforms, kept, restoration = prepared_pulses(pulses, preparation, np.arange(len(pulses)))
        wanted = waveforms
        if CLEAN in targets:
            clean = _checked_clean(targets[CLEAN], pulses)
            wanted = in_scale_of(clean[kept], preparation, restoration)
        if pulses.present is not None:
            wanted = np.where(pulses.present[kept][:, :, np.newaxis], wanted, np.float32(np.nan))
        return Examples(waveforms=waveforms, targets=wanted, pulse=kept, n_invalid=len(pulses) - len(kept))

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose the mean square, and what the code costs besides; see :class:`~discrimen.training.tasks.base.Task`."""
        ops, spread = keras.ops, input_spread(preparation, training)

        def mean_square(targets: Any, values: Any) -> Any:
            return _mean_known(ops, targets, ops.square((_known(ops, targets) - values) / spread))

        def mean_absolute(targets: Any, values: Any) -> Any:
            return _mean_known(ops, targets, ops.abs(_known(ops, targets) - values))

        def log_mean_square(targets: Any, values: Any) -> Any:
            return ops.log(mean_square(targets, values) + _LEAST_SQUARE)

        metric = keras.metrics.MeanMetricWrapper(mean_absolute, name="absolute_error")
        label = "mean square (prepared scale, squared)" if spread == 1 else "mean square (of that of the pulses)"
        plain = Learning(loss=mean_square, loss_label=label, metrics=(metric,), input_spread=spread)
        options = code_cost_options(config.architecture, config.options)
        if options is None and preparation.n_channels >= MANY_CHANNELS:
            # The same relative error of the network is below the noise of weak hits and far above that of strong ones.
            label = "mean logarithm of a hit's mean square"
            return replace(plain, loss=log_mean_square, loss_label=label)
        if options is None:
            return plain
        return learning_with_cost(keras, plain, (mean_square, mean_absolute), options, training)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {"name": self.name, "with_code": self.with_code}


def in_scale_of(clean: NDArray[Any], preparation: Preparation, restoration: Restoration) -> NDArray[np.float32]:
    """Prepare clean records by time, baseline and divisor of the noisy ones that belong to them.

    So the way back of the noisy pulse leads from the reconstruction to the clean record in ADC counts.

    Parameters
    ----------
    clean : ndarray, shape (pulse, channel, sample)
        Raw samples in ADC counts.
    preparation : Preparation
        Of the model.
    restoration : Restoration
        Of the noisy pulses.
    """
    windows = np.empty((len(clean), *preparation.shape), dtype=np.float32)
    for number, channel in enumerate(preparation.channels):
        above = channel.polarity * (clean[:, number] - restoration.baseline_adc[:, number, np.newaxis])
        windows[:, number] = gather_window(
            above.astype(np.float32),
            start=restoration.start + np.float32(channel.window_start),
            length=preparation.window_length,
            interpolate=preparation.alignment is not None and preparation.alignment.interpolate,
        )
    windows /= restoration.divisor[:, np.newaxis, np.newaxis].astype(np.float32)
    return windows


def _checked_clean(clean: NDArray[Any], pulses: Hits) -> NDArray[Any]:
    if clean.ndim == 2 and pulses.samples.shape[1] == 1:
        clean = clean[:, np.newaxis, :]
    if clean.shape != pulses.samples.shape:
        raise DataError(
            f"the clean waveforms must have the shape of the pulses {pulses.samples.shape}, got {clean.shape}"
        )
    return clean


def _known(ops: Any, targets: Any) -> Any:
    return ops.where(ops.isnan(targets), ops.zeros_like(targets), targets)


def _mean_known(ops: Any, targets: Any, errors: Any) -> Any:
    """Average over the samples of the channels that are there."""
    there = ops.cast(ops.logical_not(ops.isnan(targets)), "float32")
    return ops.sum(errors * there, axis=(1, 2)) / ops.maximum(ops.sum(there, axis=(1, 2)), 1.0)
