"""What charge comparison and the preparation make of pulses, for an analysis of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.api.inputs import gates_of
from discrimen.errors import SettingsError
from discrimen.pulses import Pulses
from discrimen.pulses.array import by_settings
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.labelling.plane import Plane
    from discrimen.network.preparation import Alignment, Preparation, Scale
    from discrimen.network.prepare import Prepared
    from discrimen.pulse_shape.charge import Charges

Gates = GatesNs | tuple[float, float, float]


def charges(
    pulses: Pulses | Dataset, *, gates: Gates | None = None, settings: DetectorSettings | None = None
) -> Charges:
    """Integrate pulses over the long and the short gate of charge comparison, each channel with its own settings.

    Parameters
    ----------
    pulses : Pulses or Dataset
        As digitised.
    gates : GatesNs or (start, short end, long end), optional
        In ns from the leading edge; by default those of the settings.
    settings : DetectorSettings, optional
        Polarity, and baseline or pretrigger_ns; by default those of the data set.

    Returns
    -------
    Charges
        Charges in ADC ns and the PSD ``(Q_long - Q_short) / Q_long``, each of shape (pulse,).

    Raises
    ------
    SettingsError
        If gates, polarity, baseline or sampling period are not known.
    """
    from discrimen.network.prepare import choose_preparation
    from discrimen.pulse_shape.charge import Charges
    from discrimen.pulse_shape.upright import charges_of

    raw, known = _known(pulses, settings, gates)
    parts = [
        (at, charges_of(raw[at], choose_preparation(own, n_samples=raw.n_samples), _needed(own)))
        for at, own in by_settings(raw, known)
    ]
    order = np.argsort(np.concatenate([at for at, _ in parts]))
    columns = [found.table_columns() for _, found in parts]
    return Charges(**{name: np.concatenate([each[name] for each in columns])[order] for name in columns[0]})


def psd(
    pulses: Pulses | Dataset, *, gates: Gates | None = None, settings: DetectorSettings | None = None
) -> NDArray[np.float64]:
    """Return the PSD of charge comparison, ``(Q_long - Q_short) / Q_long``, shape (pulse,).

    NaN for a pulse without a leading edge or with a long charge that is not positive, and for one that the ADC cut
    off. Parameters and errors are those of :func:`charges`.
    """
    return _plane(pulses, gates, settings).psd


def light(
    pulses: Pulses | Dataset, *, gates: Gates | None = None, settings: DetectorSettings | None = None
) -> NDArray[np.float64]:
    """Return the light in keVee by the calibration in the settings, shape (pulse,).

    Parameters are those of :func:`charges`.

    Raises
    ------
    SettingsError
        If there is no calibration, or as :func:`charges`.
    """
    raw, known = _known(pulses, settings, gates)
    if known.calibration is None:
        raise SettingsError("the light is not calibrated: calibrate makes settings with a calibration")
    return _plane(raw, None, known).energy


def preparation(
    pulses: Pulses | Dataset,
    *,
    settings: DetectorSettings | None = None,
    scale: Scale = "peak",
    window_start: int = 0,
    window_length: int | None = None,
    alignment: Alignment | None = None,
) -> Preparation:
    """Describe how pulses become network input, as :func:`train` takes it.

    Parameters
    ----------
    pulses : Pulses or Dataset
        As digitised; the settings of a data set serve where none are given.
    settings : DetectorSettings, optional
        Must know polarity, and baseline or pretrigger_ns.
    scale, window_start, window_length, alignment
        See :class:`~discrimen.network.preparation.Preparation`; by default the whole record, scaled to its peak.

    Raises
    ------
    SettingsError
        If a setting is not known, or the window does not fit into the record.
    """
    from discrimen.network.prepare import choose_preparation

    raw, known = _known(pulses, settings, None)
    return choose_preparation(
        known,
        n_samples=raw.n_samples,
        scale=scale,
        window_start=window_start,
        window_length=window_length,
        alignment=alignment,
    )


def prepare(
    pulses: Pulses | Dataset | NDArray[Any], by: Preparation | None = None, *, settings: DetectorSettings | None = None
) -> Prepared:
    """Prepare pulses as a network sees them: above their baseline, upwards, cut and scaled.

    Parameters
    ----------
    pulses : Pulses, Dataset or ndarray of shape (pulse, sample)
        As digitised.
    by : Preparation, optional
        That of a model (``model.description.preparation``) or of :func:`preparation`; by default the latter's own.
    settings : DetectorSettings, optional
        As of :func:`preparation`.

    Raises
    ------
    SettingsError
        If an array is given without a preparation, or as :func:`preparation`.
    DataError
        If the records are shorter than the preparation needs.
    """
    from discrimen.network.prepare import prepare as prepare_samples

    if isinstance(pulses, Pulses | Dataset):
        by = by or preparation(pulses, settings=settings)
        return prepare_samples(_known(pulses, settings, None)[0].samples, by)
    if by is None:
        raise SettingsError("an array does not say how it was digitised: give a preparation with it")
    return prepare_samples(np.asarray(pulses), by)


def _plane(pulses: Pulses | Dataset, gates: Gates | None, settings: DetectorSettings | None) -> Plane:
    from discrimen.labelling.plane import plane_of_pulses

    raw, known = _known(pulses, settings, gates)
    for _, own in by_settings(raw, known):
        _needed(own)
    return plane_of_pulses(raw, known)


def _known(
    pulses: Pulses | Dataset, settings: DetectorSettings | None, gates: Gates | None
) -> tuple[Pulses, DetectorSettings]:
    raw = pulses.pulses if isinstance(pulses, Dataset) else pulses
    told = settings or (pulses.settings if isinstance(pulses, Dataset) else DetectorSettings())
    return raw, told.merged(sample_period_ns=raw.sample_period_ns, gates=gates_of(gates))


def _needed(settings: DetectorSettings) -> GatesNs:
    if settings.gates is None:
        raise SettingsError("the gates are not known: give gates=(start, short end, long end) in ns")
    return settings.gates
