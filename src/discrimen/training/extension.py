"""Extension downwards: pulses whose labels are known at high light teach at low light, thinned as photoelectrons are.

Labels exist only where the bands part. Below, the pulses of a class are those of above with fewer photoelectrons, as
far as the light of the class does not itself change with energy; see :func:`discrimen.simulation.thinning.thin`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.domain.light_noise import LightNoise, measure_light_noise
from discrimen.network.domain.measure import BATCH_PULSES, measure
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.pulses import Pulses
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.thinning import thin
from discrimen.training.examples import Examples

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

RECORD = "extend_down"
LOW_QUANTILE = 0.01
"""Labels begin where so few pulses are lower."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Extension:
    """Thins pulses to lights between a lowest one and their own, evenly in its logarithm.

    Parameters
    ----------
    light : ndarray of float64, shape (pulse,)
        Light of each pulse in `unit`.
    lowest : float
        Lowest light, in `unit`.
    unit : {"keVee", "ADC counts"}
        Of the light; heights are in ADC counts.
    labelled_from : float
        Where the light of the training pulses begins: their lowest hundredth lies below.
    noise : LightNoise
        Of the training pulses.
    digitisation : Digitisation
        Baseline window, range of the ADC.
    polarity : {1, -1}
        Of the pulses.
    """

    light: NDArray[np.float64]
    lowest: float
    unit: str
    labelled_from: float
    noise: LightNoise
    digitisation: Digitisation
    polarity: int

    def thinned(self, samples: NDArray[Any], pulse: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return raw waveforms of less light; pulses that are lower than the lowest light stay as they are.

        Parameters
        ----------
        samples : ndarray, shape (drawn, sample)
            As digitised.
        pulse : ndarray of int64, shape (drawn,)
            Which pulses they are.
        rng : numpy.random.Generator
            Source of lights, photoelectrons and noise.
        """
        least = np.minimum(self.lowest / self.light[pulse], 1.0)
        return thin(
            samples,
            least ** rng.random(len(pulse)),
            self.noise,
            self.digitisation,
            polarity=self.polarity,
            rng=rng,
        )

    def judging(
        self, examples: Examples, pulses: Pulses, preparation: Preparation, *, rng: np.random.Generator
    ) -> Examples:
        """Return the examples that judge with thinned waveforms, for what is learned of them is low light too."""
        prepared = prepare(self.thinned(pulses.samples[examples.pulse], examples.pulse, rng=rng), preparation)
        there = prepared.valid.reshape(-1, *[1] * (examples.waveforms.ndim - 1))
        return replace(examples, waveforms=np.where(there, prepared.waveforms, examples.waveforms))

    def record(self) -> dict[str, Any]:
        """Return what was done as plain data, for the model's provenance."""
        return {
            "lowest": self.lowest,
            "unit": self.unit,
            "labelled_from": self.labelled_from,
            "photoelectron_adc_samples": self.noise.photoelectron_adc,
            "variance_adc_per_adc": self.noise.variance_adc,
            "correlation": [round(float(value), 4) for value in self.noise.correlation],
            "noise_adc": self.noise.noise_adc,
            "n_pulses": self.noise.n_pulses,
        }


def check_extension(config: TrainingConfig) -> None:
    """Refuse wishes for an extension that cannot be met.

    Raises
    ------
    SettingsError
        If two lowest lights are given, one is no positive number, or pulses are balanced over what is extended.
    """
    wished = [light for light in (config.extend_down_kevee, config.extend_down_adc) if light is not None]
    if len(wished) > 1:
        raise SettingsError("the lowest light is given in keVee and in ADC counts: give one")
    if any(not (np.isfinite(light) and light > 0) for light in wished):
        raise SettingsError(f"the lowest light to extend down to must be positive, got {wished[0]:g}")
    if wished and config.balance in ("energy", "shape"):
        raise SettingsError(
            f"balance over {config.balance} weighs pulses by their own light, and extend_down gives them another: "
            "leave one of the two out, or balance over class"
        )


def extension_of(
    pulses: Pulses, training: Examples, config: TrainingConfig, *, preparation: Preparation, digitisation: Digitisation
) -> Extension | None:
    """Return what thins the pulses, as the configuration wants it.

    Parameters
    ----------
    pulses : Pulses
        All of them.
    training : Examples
        The part that teaches: it alone tells the number of photoelectrons.
    config : TrainingConfig
        How far down.
    preparation : Preparation
        Of the model.
    digitisation : Digitisation
        Baseline window, range of the ADC.

    Returns
    -------
    Extension or None
        None if none is wanted.

    Raises
    ------
    SettingsError
        If the light of the pulses is not known, or the labels reach as far down already.
    DataError
        If a class has no pulse of more light, or the number of photoelectrons cannot be told.
    """
    if not config.extends:
        return None
    if config.extend_down_kevee is not None:
        lowest, unit, light = config.extend_down_kevee, "keVee", _light_kevee(pulses, training)
    else:
        lowest, unit, light = float(config.extend_down_adc or 0), "ADC counts", _heights(pulses, preparation)
    labelled_from = _require_useful(light[training.pulse], training, config.task.classes, lowest, unit)
    try:
        noise = measure_light_noise(pulses.samples[training.pulse], preparation)
    except DataError as error:
        raise DataError(f"extend_down: {error}") from error
    return Extension(
        light=light,
        lowest=lowest,
        unit=unit,
        labelled_from=labelled_from,
        noise=noise,
        digitisation=digitisation,
        polarity=preparation.only.polarity,
    )


def extended_note(provenance: Mapping[str, Any]) -> str | None:
    """Say what a model knows of low light only from thinned pulses; None if nothing.

    Parameters
    ----------
    provenance : mapping
        Of the model.
    """
    known = provenance.get(RECORD)
    if not known:
        return None
    return (
        f"below {known['labelled_from']:.4g} {known['unit']} (down to {known['lowest']:.4g}) the model learnt from "
        "pulses of more light that were thinned, not from pulses with labels there: where the tail of a class changes "
        "with its light, scores and thresholds are off"
    )


def _light_kevee(pulses: Pulses, training: Examples) -> NDArray[np.float64]:
    light = None if pulses.energy_kevee is None else pulses.energy_kevee.astype(np.float64)
    if light is None or not np.all(np.isfinite(light[training.pulse])):
        raise SettingsError(
            "the light of the pulses is not known in keVee: calibrate the detector (discrimen calibrate) and label "
            "again, or give the lowest height in ADC counts"
        )
    return np.maximum(light, np.finfo(np.float64).tiny)


def _heights(pulses: Pulses, preparation: Preparation) -> NDArray[np.float64]:
    parts = [
        measure(pulses.samples[at : at + BATCH_PULSES], preparation).height_adc
        for at in range(0, len(pulses), BATCH_PULSES)
    ]
    return np.maximum(np.concatenate(parts), np.finfo(np.float64).tiny)


def _require_useful(
    light: NDArray[np.float64], training: Examples, classes: Sequence[str], lowest: float, unit: str
) -> float:
    """Return where the labels begin; refuse an extension that would do nothing."""
    begins = []
    for number, name in enumerate(classes):
        own = light[training.labels == number]
        if not len(own) or own.max() <= lowest:
            raise DataError(f"no training pulse labelled {name} has more light than {lowest:g} {unit}: nothing to thin")
        begins.append(float(np.quantile(own, LOW_QUANTILE)))
    if max(begins) <= lowest:
        raise SettingsError(
            f"labels reach down to {max(begins):.4g} {unit} already, extending them to {lowest:g} does nothing: leave "
            "it out, or go lower"
        )
    return max(begins)
