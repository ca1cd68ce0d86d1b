"""Detector settings: what a run file does not say of the detector and the digitizer, from a small YAML file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from discrimen.errors import SettingsError
from discrimen.output.summary import brief, summary_html, summary_text

PolarityName = Literal["positive", "negative"]
LightQuantity = Literal["peak_adc", "long_charge_adc_ns", "energy"]
"""What light is calibrated in: height, charge over the long gate, or what the digitizer computed itself."""

SIMULATION_SECTION = "simulation"
"""What only the simulator reads of a detector file; see :mod:`discrimen.simulation.detector_file`."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowNs(_Section):
    """A stretch of the record in ns from its first sample, half open."""

    start_ns: Annotated[float, Field(ge=0)]
    stop_ns: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _ordered(self) -> WindowNs:
        if self.stop_ns <= self.start_ns:
            raise ValueError(f"stop_ns must lie after start_ns, got {self.start_ns} and {self.stop_ns}")
        return self


class GatesNs(_Section):
    """Charge-comparison gates in ns, relative to the constant-fraction crossing of each pulse."""

    gate_start_ns: float = -20.0
    short_gate_end_ns: float
    long_gate_end_ns: float

    @model_validator(mode="after")
    def _ordered(self) -> GatesNs:
        if not self.gate_start_ns < self.short_gate_end_ns < self.long_gate_end_ns:
            raise ValueError("gates must satisfy gate_start_ns < short_gate_end_ns < long_gate_end_ns")
        return self


class LightResolution(_Section):
    """Standard deviation of the light: sigma^2 = (constant L)^2 + statistical^2 L + noise^2, all in keVee."""

    constant: Annotated[float, Field(ge=0)] = 0.0
    statistical_per_sqrt_kevee: Annotated[float, Field(ge=0)] = 0.0
    noise_kevee: Annotated[float, Field(ge=0)] = 0.0

    def sigma_kevee(self, light_kevee: NDArray[Any]) -> NDArray[np.float64]:
        """Return the standard deviation at some light; same shape."""
        light = light_kevee.astype(np.float64)
        squared = (self.constant * light) ** 2 + self.statistical_per_sqrt_kevee**2 * light + self.noise_kevee**2
        sigma: NDArray[np.float64] = np.sqrt(squared)
        return sigma


class ChannelCalibration(_Section):
    """The line of one channel, as in :class:`LightCalibration`."""

    board: Annotated[int, Field(ge=0)] = 0
    channel: Annotated[int, Field(ge=0)]
    gain_kevee_per_unit: Annotated[float, Field(gt=0)]
    offset_kevee: float = 0.0
    resolution: LightResolution | None = None


class LightCalibration(_Section):
    """Light in keVee = gain_kevee_per_unit * quantity + offset_kevee: one line for all pulses, or one a channel."""

    quantity: LightQuantity
    gain_kevee_per_unit: Annotated[float, Field(gt=0)] | None = None
    offset_kevee: float = 0.0
    resolution: LightResolution | None = None
    channels: tuple[ChannelCalibration, ...] | None = None

    @model_validator(mode="after")
    def _one_or_each(self) -> LightCalibration:
        if (self.gain_kevee_per_unit is None) == (not self.channels):
            raise ValueError("give either gain_kevee_per_unit, for all channels, or channels with a gain each")
        if self.channels and (self.offset_kevee or self.resolution):
            raise ValueError("with channels, offset_kevee and resolution stand with each channel")
        places = [(each.board, each.channel) for each in self.channels or ()]
        if len(set(places)) < len(places):
            raise ValueError("a channel is calibrated twice")
        return self

    @property
    def in_words(self) -> str:
        """The line, or how many there are."""
        if self.channels:
            return f"{self.quantity} with a line for each of {len(self.channels)} channels"
        return f"{self.gain_kevee_per_unit:g} keVee * {self.quantity} + {self.offset_kevee:g} keVee"

    def light_kevee(
        self, quantity: NDArray[Any], *, board: NDArray[Any] | None = None, channel: NDArray[Any] | None = None
    ) -> NDArray[np.float64]:
        """Return the light that belongs to values of the quantity.

        Parameters
        ----------
        quantity : ndarray, shape (pulse,)
            Charge, height or energy.
        board, channel : ndarray of int, shape (pulse,), optional
            Where each pulse was digitised; zero if not given. Only lines by channel ask for it.

        Raises
        ------
        SettingsError
            If there is a line for each channel, and a pulse is of another one.
        """
        value = quantity.astype(np.float64)
        if self.gain_kevee_per_unit is not None:
            return np.asarray(self.gain_kevee_per_unit * value + self.offset_kevee)
        nowhere = np.zeros(len(value), np.int32)
        board, channel = (nowhere if where is None else where for where in (board, channel))
        gain, offset = np.full(len(value), np.nan), np.zeros(len(value))
        for each in self.channels or ():
            here = (board == each.board) & (channel == each.channel)
            gain[here], offset[here] = each.gain_kevee_per_unit, each.offset_kevee
        self._require_all(np.isnan(gain), board, channel)
        return gain * value + offset

    def _require_all(self, missing: NDArray[np.bool_], board: NDArray[Any], channel: NDArray[Any]) -> None:
        if missing.any():
            places = sorted(set(zip(board[missing].tolist(), channel[missing].tolist(), strict=True)))
            raise SettingsError(
                f"{int(missing.sum())} pulses are of {' and '.join(f'board {b} channel {c}' for b, c in places[:3])}"
                f"{' and others' if len(places) > 3 else ''}, which the calibration does not know: calibrate these "
                "channels too with 'discrimen calibrate', or leave out their pulses"
            )


class ChannelSettings(_Section):
    """What one channel of an array has of its own; anything else holds for all channels."""

    board: Annotated[int, Field(ge=0)] = 0
    channel: Annotated[int, Field(ge=0)]
    polarity: PolarityName | None = None
    pretrigger_ns: Annotated[float, Field(ge=0)] | None = None
    baseline: WindowNs | None = None
    gates: GatesNs | None = None

    @property
    def own(self) -> dict[str, Any]:
        """The values that are its own, by name."""
        return self.model_dump(exclude_none=True, exclude={"board", "channel"})


class DetectorSettings(_Section):
    """One detector and digitizer; every value may be left out, and is then taken from the run file or asked for."""

    name: str | None = None
    sample_period_ns: Annotated[float, Field(gt=0)] | None = None
    polarity: PolarityName | None = None
    pretrigger_ns: Annotated[float, Field(ge=0)] | None = None
    adc_bits: Annotated[int, Field(ge=1, le=32)] | None = None
    dead_time_ns: Annotated[float, Field(ge=0)] | None = None
    baseline: WindowNs | None = None
    gates: GatesNs | None = None
    calibration: LightCalibration | None = None
    channels: tuple[ChannelSettings, ...] | None = None

    @model_validator(mode="after")
    def _each_once(self) -> DetectorSettings:
        places = [(each.board, each.channel) for each in self.channels or ()]
        if len(set(places)) < len(places):
            raise ValueError("channels: a channel stands twice")
        return self

    def summary(self) -> dict[str, str]:
        """Return what is known, for people."""
        every = {name: getattr(self, name) for name in type(self).model_fields}
        known = {name: brief(value) for name, value in every.items() if value is not None}
        if self.calibration is not None:
            known["calibration"] = self.calibration.in_words
        if self.baseline is not None:
            known["baseline"] = f"{self.baseline.start_ns:g} to {self.baseline.stop_ns:g} ns"
        if self.gates is not None:
            start, short, long = self.gates.gate_start_ns, self.gates.short_gate_end_ns, self.gates.long_gate_end_ns
            known["gates"] = f"from {start:g} to {short:g} and to {long:g} ns"
        return known

    def __repr__(self) -> str:
        return summary_text(type(self).__name__, self.summary())

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        return summary_html(type(self).__name__, self.summary())

    def of(self, board: int, channel: int) -> DetectorSettings:
        """Return what holds for one channel: its own values, else those of all."""
        for each in self.channels or ():
            if (each.board, each.channel) == (board, channel):
                own = {name: getattr(each, name) for name in each.own}
                return self.model_copy(update={**own, "channels": None})
        return self.model_copy(update={"channels": None})

    def merged(self, **overrides: Any) -> DetectorSettings:
        """Return a copy in which each given value that is not None replaces the one here, that of a channel too."""
        changes = {name: value for name, value in overrides.items() if value is not None}
        known = self._without_own(changes).model_dump(exclude_none=True)
        return validate_settings(known | changes, source="command line")

    def filled_from(self, other: DetectorSettings) -> DetectorSettings:
        """Return a copy in which each value that is None here is taken from `other`, channels included."""
        known = self.model_dump(exclude_none=True)
        return validate_settings(other._without_own(known).model_dump(exclude_none=True) | known, source="settings")

    def _without_own(self, names: Collection[str]) -> DetectorSettings:
        """Return a copy whose channels have no values of their own of these names."""
        if self.channels is None:
            return self
        blank = {name: None for name in names if name in ("polarity", "pretrigger_ns", "baseline", "gates")}
        return self.model_copy(update={"channels": tuple(each.model_copy(update=blank) for each in self.channels)})


def validate_settings(values: object, *, source: str) -> DetectorSettings:
    """Check a mapping against the schema.

    Raises
    ------
    SettingsError
        With every fault: where, what was expected, what came.
    """
    try:
        return DetectorSettings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{source}: {faults_of(error)}") from error


def faults_of(error: ValidationError) -> str:
    """Return every fault that a check of a schema found: where, and what was expected."""
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'top'}: {fault['msg']}" for fault in error.errors())


def read_settings(path: Path | str) -> DetectorSettings:
    """Read detector settings from a YAML file; its section `simulation` is left to the simulator.

    Raises
    ------
    SettingsError
        If the file cannot be read, is no YAML mapping, or does not fit the schema.
    """
    values = read_yaml(path)
    if isinstance(values, dict):
        values.pop(SIMULATION_SECTION, None)
    return validate_settings(values, source=str(path))


def read_yaml(path: Path | str) -> object:
    """Read what a YAML file holds, an empty mapping where it is empty.

    Raises
    ------
    SettingsError
        If the file cannot be read or is no YAML.
    """
    import yaml  # models and most run files do without

    try:
        values: object = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot read detector settings: {' '.join(str(error).split())}") from error
    return {} if values is None else values
