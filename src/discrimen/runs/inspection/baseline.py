"""Where in the record the baseline of a run is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

_SAFE_SHARE = 0.8
"""Of what lies before the pulse."""

_MOST_LOOKED_AT = 2000
_RISEN_SHARE = 0.1
_EARLIEST_SHARE = 0.02


def baseline_window(pulses: Pulses, settings: DetectorSettings) -> tuple[int, int]:
    """Return first and last sample (exclusive) of the window that tells the baseline of a channel.

    The user's own window where there is one; else from the record's start, over the pre-trigger less a fifth where it
    is known, else over a twentieth of the record, and no further than the earliest pulses allow.

    Parameters
    ----------
    pulses : Pulses
        The first ones of the channel.
    settings : DetectorSettings
        What is known of it.

    Raises
    ------
    SettingsError
        If the user's window needs a sampling period that is unknown, or does not lie in the record.
    """
    period_ns = pulses.sample_period_ns
    if settings.baseline is not None:
        return _given_window(pulses, settings)
    if settings.pretrigger_ns and period_ns:
        return 0, min(pulses.n_samples, max(1, int(_SAFE_SHARE * settings.pretrigger_ns / period_ns)))
    quiet = int(_SAFE_SHARE * _earliest_rise(pulses.samples[:_MOST_LOOKED_AT]))
    return 0, max(1, min(pulses.n_samples // 20, quiet))


def _given_window(pulses: Pulses, settings: DetectorSettings) -> tuple[int, int]:
    window, period_ns = settings.baseline, pulses.sample_period_ns
    assert window is not None
    if period_ns is None:
        raise SettingsError("a baseline window in ns needs the sampling period, which is unknown: --sample-period-ns")
    start, stop = (round(edge / period_ns) for edge in (window.start_ns, window.stop_ns))
    if not 0 <= start < stop <= pulses.n_samples:
        raise SettingsError(
            f"the baseline window {window.start_ns:g}:{window.stop_ns:g} ns does not lie in records of "
            f"{pulses.n_samples * period_ns:g} ns ({pulses.n_samples} samples of {period_ns:g} ns)"
        )
    return start, stop


def _earliest_rise(samples: NDArray[np.generic]) -> float:
    """Return the sample at which the earliest pulses leave the baseline by a tenth of their excursion."""
    values = samples.astype(np.float64)
    departure = np.abs(values - values[:, :2].mean(axis=1, keepdims=True))
    risen = departure >= np.maximum(_RISEN_SHARE * departure.max(axis=1, keepdims=True), 1e-300)
    high = departure.max(axis=1) >= np.median(departure.max(axis=1))  # of small pulses the noise may reach a tenth
    return float(np.quantile(risen[high].argmax(axis=1), _EARLIEST_SHARE))
