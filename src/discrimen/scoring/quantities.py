"""What names a pulse beside its scores: class, light or charge, and the pulse shape parameter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DiscrimenError
from discrimen.labelling.plane import plane_of_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.pulses import Pulses
from discrimen.pulses.detector import ChannelSettings, DetectorSettings, WindowNs
from discrimen.pulses.places import Place

NO_CLASS = -1
"""Of a pulse that has no scores."""

LIGHT, CHARGE, PSD = "energy_kevee", "long_charge_adc_ns", "psd"


class Gated:
    """Integrates the gates of charge comparison over the pulses of a run, chunk by chunk.

    Parameters
    ----------
    run : DetectorSettings
        Of the run; what it leaves open, gates too, is taken from the model, which was made for such pulses. Its
        calibration is not: that belongs to one detector and one high voltage.
    model : ModelDescription, or mapping of Place to ModelDescription
        What scores the run, or each channel: its settings, and polarity and baseline window of its preparation.

    Attributes
    ----------
    missing : str or None
        Why the quantities of some or of all pulses cannot be known.
    """

    def __init__(self, run: DetectorSettings, model: ModelDescription | Mapping[Place, ModelDescription]) -> None:
        self._settings = _of_each(run, model) if isinstance(model, Mapping) else run.filled_from(_trained(model))
        self._names: tuple[str, ...] | None = None
        self.missing: str | None = None

    def __call__(self, pulses: Pulses) -> dict[str, NDArray[np.float32]]:
        """Return light in keVee where the run is calibrated, else the charge over the long gate in ADC ns, and the PSD.

        Each has shape (pulse,), and NaN where a pulse has none; nothing is returned where the first pulses say that
        none can be known.
        """
        try:
            plane = plane_of_pulses(pulses, self._settings)
        except DiscrimenError as error:
            self.missing = self.missing or str(error)
            self._names = self._names or ()
            return {name: np.full(len(pulses), np.nan, np.float32) for name in self._names}
        if self._names is None:
            self._names = (LIGHT if plane.energy_unit == "keVee" else CHARGE, PSD)
        values = (plane.energy.astype(np.float32), plane.psd.astype(np.float32))
        return dict(zip(self._names, values, strict=False))


def _trained(model: ModelDescription) -> DetectorSettings:
    """Return what a model knows of the pulses that it was made for."""
    preparation, period_ns = model.preparation.only, model.preparation.sample_period_ns
    start, stop = preparation.baseline_start, preparation.baseline_stop
    prepared = DetectorSettings(
        polarity="positive" if preparation.polarity > 0 else "negative",
        baseline=WindowNs(start_ns=start * period_ns, stop_ns=stop * period_ns) if stop > start else None,
    )
    return prepared.filled_from(model.settings.model_copy(update={"calibration": None, "channels": None}))


def _of_each(run: DetectorSettings, models: Mapping[Place, ModelDescription]) -> DetectorSettings:
    """Return the settings of a run, each channel of which is filled from its own model."""
    channels = []
    for place, model in models.items():
        own = run.of(*place).filled_from(_trained(model).merged(gates=model.settings.of(*place).gates))
        shown = own.model_dump(include={"polarity", "pretrigger_ns", "baseline", "gates"}, exclude_none=True)
        channels.append(ChannelSettings.model_validate(place._asdict() | shown))
    return run.model_copy(update={"channels": tuple(channels)})


def class_numbers(
    scores: NDArray[np.float32], *, is_neutron: NDArray[np.bool_], neutron_class: int
) -> NDArray[np.int8]:
    """Return the class of each pulse, shape (pulse,): the neutron's by its threshold, else the best of the others.

    Parameters
    ----------
    scores : ndarray of float32, shape (pulse, class)
        NaN for a pulse without scores, which has the class -1.
    is_neutron : ndarray of bool, shape (pulse,)
        Whether the neutron score reaches its threshold.
    neutron_class : int
        Number of the neutron's class.
    """
    others = scores.copy()
    others[:, neutron_class] = -np.inf
    best: NDArray[np.int8] = others.argmax(axis=1).astype(np.int8)
    best[is_neutron] = neutron_class
    best[np.isnan(scores).any(axis=1)] = NO_CLASS
    return best
