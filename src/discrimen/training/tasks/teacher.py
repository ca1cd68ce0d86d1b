"""A frozen classifier as a judge of waveforms, differentiable: what its logit says of a prepared waveform."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from discrimen.errors import SettingsError
from discrimen.network.frozen_file import FrozenModel, read_frozen, require_frozen
from discrimen.network.graph import run
from discrimen.network.preparation import Preparation


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """A frozen classifier on waveforms that another model prepared.

    Parameters
    ----------
    frozen : FrozenModel
        The classifier.
    preparation : Preparation
        Of the waveforms: ADC counts above a baseline, pulses upwards.
    """

    frozen: FrozenModel
    preparation: Preparation

    def logits(self, waveforms: Any) -> Any:
        """Return one logit less their mean for each class, scaled so that two classes differ by their own logit.

        Parameters
        ----------
        waveforms : jax.Array, shape (pulse, 1, sample)
            Prepared by `preparation`.
        """
        import jax

        library = SimpleNamespace(**vars(jax.numpy), erf=jax.scipy.special.erf)
        prepared = self._prepared(jax.numpy, waveforms)
        given = run(self.frozen.network, prepared, xp=library)[self.frozen.description.scores_at]
        return (given - given.mean(axis=1, keepdims=True)) * math.sqrt(2)

    def _prepared(self, xp: Any, waveforms: Any) -> Any:
        """Prepare as the teacher does, from what is prepared already."""
        own, first = self.frozen.description.preparation, self.preparation.only.window_start
        channel = own.only
        start, stop = channel.baseline_start - first, channel.baseline_stop - first
        above = waveforms - waveforms[:, :, start:stop].mean(axis=2, keepdims=True)
        begin = channel.window_start - first
        window = above[:, :, begin : begin + own.window_length]
        if own.scale == "none":
            return window
        divisor = window.max(axis=2, keepdims=True) if own.scale == "peak" else window.sum(axis=2, keepdims=True)
        return window / xp.maximum(divisor, 1e-6)


def teacher_of(path: Path, preparation: Preparation) -> Teacher:
    """Read a frozen classifier that can judge the waveforms of a preparation.

    Raises
    ------
    FormatError
        If the file is no frozen model.
    SettingsError
        If it is no classifier, or sees the record in another way.
    """
    require_frozen(path)
    frozen = read_frozen(path)
    _ = frozen.description.scores_at
    own = frozen.description.preparation
    if own.n_channels != 1 or own.alignment is not None:
        raise SettingsError(f"{path}: a teacher must be of one channel, without alignment")
    theirs, mine, first = own.only, preparation.only, preparation.only.window_start
    last = first + preparation.window_length
    fits = (
        math.isclose(own.sample_period_ns, preparation.sample_period_ns, rel_tol=1e-6)
        and theirs.polarity == mine.polarity
        and first <= theirs.baseline_start < theirs.baseline_stop <= last
        and first <= theirs.window_start
        and theirs.window_start + own.window_length <= last
    )
    if not fits:
        raise SettingsError(
            f"{path}: this teacher sees {own.window_length} samples from {theirs.window_start} and the baseline "
            f"{theirs.baseline_range}, {own.sample_period_ns:g} ns, polarity {theirs.polarity:+d}; here samples "
            f"{first} to {last} are reconstructed, {preparation.sample_period_ns:g} ns, polarity {mine.polarity:+d}: "
            "train the teacher on pulses of the same settings"
        )
    return Teacher(frozen, preparation)
