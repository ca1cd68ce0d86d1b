"""Detector settings: what a run file does not say of the detector and the digitizer, from a small YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from discrimen.errors import SettingsError

PolarityName = Literal["positive", "negative"]

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


class LightCalibration(_Section):
    """Light in keVee = gain_kevee_per_unit * quantity + offset_kevee."""

    quantity: Literal["peak_adc", "long_charge_adc_ns", "energy"]
    gain_kevee_per_unit: Annotated[float, Field(gt=0)]
    offset_kevee: float = 0.0

    def light_kevee(self, quantity: NDArray[Any]) -> NDArray[np.float64]:
        """Return the light that belongs to values of the quantity."""
        light: NDArray[np.float64] = self.gain_kevee_per_unit * quantity.astype(np.float64) + self.offset_kevee
        return light


class DetectorSettings(_Section):
    """One detector and digitizer; every value may be left out, and is then taken from the run file or asked for."""

    name: str | None = None
    sample_period_ns: Annotated[float, Field(gt=0)] | None = None
    polarity: PolarityName | None = None
    pretrigger_ns: Annotated[float, Field(ge=0)] | None = None
    adc_bits: Annotated[int, Field(ge=1, le=32)] | None = None
    baseline: WindowNs | None = None
    gates: GatesNs | None = None
    calibration: LightCalibration | None = None

    def merged(self, **overrides: Any) -> DetectorSettings:
        """Return a copy in which each given value that is not None replaces the one here."""
        changes = {name: value for name, value in overrides.items() if value is not None}
        return validate_settings(self.model_dump(exclude_none=True) | changes, source="command line")

    def filled_from(self, other: DetectorSettings) -> DetectorSettings:
        """Return a copy in which each value that is None here is taken from `other`."""
        return validate_settings(
            other.model_dump(exclude_none=True) | self.model_dump(exclude_none=True), source="settings"
        )


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
    try:
        values: object = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot read detector settings: {' '.join(str(error).split())}") from error
    return {} if values is None else values
