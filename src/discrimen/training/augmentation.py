"""Augmentation: training pulses are changed again in every epoch, so that the network learns more than they show.

Distortions teach what does not matter; an extension teaches low light.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.simulation.distortion import DISTORTIONS, Digitisation, distort, require_size
from discrimen.training.extension import Extension


def check_augment(sizes: Mapping[str, float]) -> dict[str, float]:
    """Return the largest sizes in the order of :data:`~discrimen.simulation.distortion.DISTORTIONS`, zeros left out.

    Raises
    ------
    SettingsError
        If a name is unknown, or a size is negative or does not fit.
    """
    for name, size in sizes.items():
        require_size(name, size)
        if size < 0:
            raise SettingsError(
                f"augment {name}: give the largest size, 0 or more (both signs are drawn), got {size:g}"
            )
        if name == "gain":
            require_size(name, -size)
    return {name: float(sizes[name]) for name in DISTORTIONS if sizes.get(name)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Augmentation:
    """Distorts raw training pulses and prepares them again.

    Parameters
    ----------
    samples : ndarray, shape (example, sample)
        Raw waveforms, as digitised.
    waveforms : ndarray of float32, shape (example, 1, window sample)
        The same, prepared without distortion.
    largest : mapping of str to float
        Largest size of each distortion. Sizes are drawn for each pulse, uniform between the negative and the positive
        largest, for noise and jitter (whose size is an rms) between 0 and the largest.
    preparation : Preparation
        Of the model.
    digitisation : Digitisation
        Sampling period, baseline window, range of the ADC.
    pulse : ndarray of int64, shape (example,), optional
        Which pulse each example is; an extension asks for it.
    extension : Extension, optional
        Thins the pulses before they are distorted.
    """

    samples: NDArray[Any]
    waveforms: NDArray[np.float32]
    largest: Mapping[str, float]
    preparation: Preparation
    digitisation: Digitisation
    pulse: NDArray[np.int64] | None = None
    extension: Extension | None = None

    def draw(self, at: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return new network input; a pulse that its distortion makes impossible to prepare stays undistorted.

        Parameters
        ----------
        at : ndarray of int64, shape (drawn,)
            Positions of the examples to distort; one that is named twice is distorted in two ways.
        rng : numpy.random.Generator
            Source of sizes, noise and jitter.

        Returns
        -------
        ndarray of float32, shape (drawn, 1, window sample)
        """
        prepared = prepare(self.distorted(at, rng=rng), self.preparation)
        drawn = prepared.waveforms
        drawn[~prepared.valid] = self.waveforms[at[~prepared.valid]]
        return drawn

    def distorted(self, at: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return raw waveforms, shape (drawn, sample), distorted as :meth:`draw` does."""
        sizes: dict[str, float | NDArray[np.float64]] = {
            name: rng.uniform(-most if DISTORTIONS[name].signed else 0.0, most, len(at))
            for name, most in self.largest.items()
        }
        samples = self.samples[at]
        if self.extension is not None and self.pulse is not None:
            samples = self.extension.thinned(samples, self.pulse[at], rng=rng)
        return distort(samples, sizes, self.digitisation, rng=rng) if sizes else samples
