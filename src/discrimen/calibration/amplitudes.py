"""What of each pulse is calibrated: its charge, its height or the digitizer's energy, channel by channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.upright import blocks, charges_of, upright
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.array import by_settings, listed
from discrimen.pulses.detector import DetectorSettings, LightQuantity
from discrimen.pulses.list_mode import ListModeEvents
from discrimen.pulses.places import Place, board_and_channel, by_place

_SATURATED = PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Amplitudes:
    """One value a pulse.

    Parameters
    ----------
    value : ndarray of float64, shape (pulse,)
        In the unit of the quantity; NaN where a pulse has none.
    saturated : ndarray of bool, shape (pulse,)
        Whether the pulse touches a rail of the ADC or is flagged.
    board, channel : ndarray of int32, shape (pulse,)
        Zero where the file does not say.
    """

    value: NDArray[np.float64]
    saturated: NDArray[np.bool_]
    board: NDArray[np.int32]
    channel: NDArray[np.int32]


def choose_quantity(reader: Reader, wanted: LightQuantity | None) -> LightQuantity:
    """Return what to calibrate: what is wanted, else what the detector's calibration has, else its long gate.

    Raises
    ------
    SettingsError
        If list mode is to be calibrated in what it does not hold, or there are no gates.
    """
    settings = reader.info.settings
    known = None if settings.calibration is None else settings.calibration.quantity
    of_events = isinstance(reader, ListModeReader)
    quantity = wanted or known or ("energy" if of_events else "long_charge_adc_ns")
    if of_events and quantity != "energy":
        raise SettingsError(
            f"{reader.info.path}: list mode holds no {quantity}: calibrate the digitizer's long charge "
            "(--quantity energy)"
        )
    gated = [settings.of(*place).gates for place in listed(settings)] or [settings.gates]
    if quantity == "long_charge_adc_ns" and None in gated:
        raise SettingsError(
            f"{reader.info.path}: the long gate is not known: put "
            "'gates: {gate_start_ns: -20, short_gate_end_ns: ..., long_gate_end_ns: ...}' into --settings, or "
            "calibrate --quantity peak_adc or energy"
        )
    return quantity


def read_amplitudes(
    reader: Reader, quantity: LightQuantity, *, on_progress: Callable[[int], None] = lambda _: None
) -> Mapping[Place, list[Amplitudes]]:
    """Read a run, channel by channel.

    Raises
    ------
    SettingsError, DataError, FormatError
        If the file cannot be read, lacks what the quantity needs, or its pulses go the other way.
    """
    found: dict[Place, list[Amplitudes]] = {}
    of_events = isinstance(reader, ListModeReader)
    for part in reader.event_chunks() if isinstance(reader, ListModeReader) else reader.chunks():
        parts = [_of_events(part, reader)] if isinstance(part, ListModeEvents) else _of_pulses(part, reader, quantity)
        for read in parts:
            for place, which in by_place(read).items():
                found.setdefault(place, []).append(
                    Amplitudes(**{name: getattr(read, name)[which] for name in Amplitudes.__slots__})
                )
        on_progress(len(part))
    if not found:
        raise DataError(
            f"{reader.info.path}: no pulses to calibrate{'' if of_events else ' (or none with a waveform)'}: "
            "look into it with 'discrimen inspect'"
        )
    return found


def _of_events(events: ListModeEvents, reader: Reader) -> Amplitudes:
    if events.long_charge is None:
        raise SettingsError(f"{reader.info.path}: the list holds no charge: name its column with --column energy=NAME")
    return Amplitudes(value=events.long_charge, saturated=_flagged(events), **board_and_channel(events))


def _of_pulses(pulses: Pulses, reader: Reader, quantity: LightQuantity) -> list[Amplitudes]:
    parts = list(by_settings(pulses, reader.info.settings))
    several = len(parts) > 1
    return [_of_alike(pulses[at] if several else pulses, reader.info.path, own, quantity) for at, own in parts]


def _of_alike(pulses: Pulses, path: Path, settings: DetectorSettings, quantity: LightQuantity) -> Amplitudes:
    saturated = _saturated(pulses, settings)
    if quantity == "energy":
        return Amplitudes(value=pulses.column("energy"), saturated=saturated, **board_and_channel(pulses))
    known = settings.merged(sample_period_ns=pulses.require_sample_period_ns())
    preparation = choose_preparation(known, n_samples=pulses.n_samples)
    up, down = (np.concatenate(each) for each in zip(*_excursions(pulses, preparation), strict=True))
    if np.median(down) > np.median(up):
        raise SettingsError(
            f"{path}: the pulses go the other way than polarity {settings.polarity} "
            f"({np.median(down):.4g} ADC counts against {np.median(up):.4g}): correct polarity in --settings, or give "
            "--polarity"
        )
    value = up
    if quantity == "long_charge_adc_ns":
        assert settings.gates is not None
        value = charges_of(pulses, preparation, settings.gates).long_charge_adc_ns
    return Amplitudes(value=value.astype(np.float64), saturated=saturated, **board_and_channel(pulses))


def _excursions(pulses: Pulses, preparation: Any) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return the height of each pulse and how far it goes to the other side, block by block."""
    turned = (upright(samples, preparation).waveforms for samples in blocks(pulses.samples))
    return [(waveforms.max(axis=1), -waveforms.min(axis=1)) for waveforms in turned]


def _flagged(pulses: Pulses | ListModeEvents) -> NDArray[np.bool_]:
    nothing = np.zeros(len(pulses), np.bool_)
    return nothing if pulses.flags is None else (pulses.flags & np.uint32(_SATURATED)) != 0


def _saturated(pulses: Pulses, settings: DetectorSettings) -> NDArray[np.bool_]:
    saturated = _flagged(pulses)
    if settings.adc_bits is not None and pulses.samples.dtype.kind != "f":
        saturated |= (pulses.samples.max(axis=1) >= 2**settings.adc_bits - 1) | (pulses.samples.min(axis=1) <= 0)
    return saturated
