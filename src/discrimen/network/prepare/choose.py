"""A preparation from what is known of the detector; what is not known is asked for, never guessed."""

from __future__ import annotations

import math

from discrimen.errors import SettingsError
from discrimen.network.preparation import Alignment, Preparation, Scale, one_channel
from discrimen.pulses.detector import DetectorSettings

PRETRIGGER_SHARE = 0.8
"""Share of the pre-trigger that serves as baseline window; the rest keeps off the pulse's leading edge."""


def choose_preparation(
    settings: DetectorSettings,
    *,
    n_samples: int,
    scale: Scale = "peak",
    window_start: int = 0,
    window_length: int | None = None,
    alignment: Alignment | None = None,
) -> Preparation:
    """Describe how pulses of a detector become network input.

    Parameters
    ----------
    settings : DetectorSettings
        Must know sample_period_ns, polarity, and either baseline or pretrigger_ns.
    n_samples : int
        Length of the records.
    scale, window_start, window_length, alignment
        See :class:`~discrimen.network.preparation.Preparation`; by default the window is the whole record.

    Raises
    ------
    SettingsError
        If a needed setting is unknown, or the window does not fit into the record.
    """
    period_ns = settings.sample_period_ns
    if period_ns is None:
        raise SettingsError("the sampling period is not known: give it with --sample-period-ns or in --settings")
    if settings.polarity is None:
        raise SettingsError("the polarity is not known: give --polarity positive or negative, or put it in --settings")
    start, stop = _baseline_window(settings, period_ns)
    length = n_samples - window_start if window_length is None else window_length
    preparation = one_channel(
        sample_period_ns=period_ns,
        polarity=1 if settings.polarity == "positive" else -1,
        baseline_start=start,
        baseline_stop=stop,
        window_start=window_start,
        window_length=length,
        alignment=alignment,
        scale=scale,
    )
    if preparation.shortest_record > n_samples:
        raise SettingsError(
            f"baseline and window reach to sample {preparation.shortest_record}, "
            f"but the records have {n_samples} samples of {period_ns:g} ns"
        )
    return preparation


def _baseline_window(settings: DetectorSettings, period_ns: float) -> tuple[int, int]:
    if settings.baseline is not None:
        start = round(settings.baseline.start_ns / period_ns)
        return start, max(start + 1, round(settings.baseline.stop_ns / period_ns))
    if settings.pretrigger_ns is not None:
        stop = math.floor(PRETRIGGER_SHARE * settings.pretrigger_ns / period_ns)
        if stop >= 1:
            return 0, stop
    raise SettingsError(
        "it is not known which samples lie before the pulse: give --baseline-ns START:STOP, "
        "or pretrigger_ns or baseline in --settings"
    )
