"""Detector files that the simulator can run: detector settings, and beside them what the pulses are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from discrimen.errors import SettingsError
from discrimen.output.provenance import command_line
from discrimen.pulses.detector import SIMULATION_SECTION, DetectorSettings, faults_of, read_yaml, validate_settings
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import Digitizer, FrontEnd, Ringing, Trigger
from discrimen.simulation.own_detector import OwnDetector
from discrimen.simulation.scintillator import DETECTORS, Scintillator
from discrimen.simulation.sources import LightSpectrum

_Positive = Annotated[float, Field(gt=0)]
_NotNegative = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RingingSection(_Section):
    """As in :class:`~discrimen.simulation.digitizer.Ringing`."""

    cosine_per_ns: float
    sine_per_ns: float
    decay_ns: _Positive
    period_ns: _Positive


class FrontEndSection(_Section):
    """As in :class:`~discrimen.simulation.digitizer.FrontEnd`."""

    time_constant_ns: _Positive
    sigma_ns: _Positive
    second_time_constant_ns: _Positive | None = None
    ringing: RingingSection | None = None


class LightSection(_Section):
    """The light of the pulses, as a table of its cumulative probability."""

    kevee: list[_Positive]
    cumulative: list[Annotated[float, Field(ge=0, le=1)]]

    @model_validator(mode="after")
    def _rising(self) -> LightSection:
        same = len(self.kevee) == len(self.cumulative) >= 2
        if not same or np.any(np.diff(self.kevee) <= 0) or np.any(np.diff(self.cumulative) < 0):
            raise ValueError("kevee must rise, cumulative not fall, both with the same number of values, at least two")
        return self


class SimulationSection(_Section):
    """What the simulator needs beside the detector settings.

    `gamma_tail` and `neutron_tail` are the delayed shares of the light relative to those of the known scintillator; the
    rest is as in :class:`~discrimen.simulation.digitizer.Digitizer` and
    :class:`~discrimen.simulation.config.SimulationConfig`.
    """

    scintillator: str
    gamma_tail: _Positive = 1.0
    neutron_tail: _Positive = 1.0
    front_end: FrontEndSection
    n_samples: Annotated[int, Field(ge=4, le=4096)]
    baseline_adc: float
    baseline_spread_adc: _NotNegative
    noise_adc: _NotNegative
    noise_power: list[_NotNegative] = []
    adc_step: Annotated[int, Field(ge=1)] = 1
    gain_adc_per_kevee: _Positive
    gain_is_relative: bool = True
    light: LightSection
    trigger: Trigger = "constant_fraction"
    threshold_adc: _Positive = 1.0
    trigger_jitter_ns: _NotNegative = 0.0
    pileup_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    pile_up_resolving_ns: _Positive = 30.0
    charge_divisor: Annotated[int, Field(ge=1)] = 1
    fitted: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _known(self) -> SimulationSection:
        if self.scintillator not in DETECTORS:
            raise ValueError(f"unknown scintillator {self.scintillator!r}; choose one of: {', '.join(DETECTORS)}")
        return self


class DetectorFile(_Section):
    """Detector settings and what the simulator needs beside them."""

    settings: DetectorSettings
    simulation: SimulationSection

    @model_validator(mode="after")
    def _complete(self) -> DetectorFile:
        for name in ("sample_period_ns", "polarity", "pretrigger_ns", "adc_bits"):
            if getattr(self.settings, name) is None:
                raise ValueError(f"{name} is missing, which the simulator needs")
        return self

    def config(self, n_pulses: int, **changes: Any) -> SimulationConfig:
        """Return the configuration of a simulation of this detector; each change replaces a value of the file."""
        light = self.simulation.light
        own = OwnDetector(
            name=self.settings.name or self.simulation.scintillator,
            scintillator=self._scintillator(),
            digitizer=self._digitizer(),
            light=LightSpectrum(np.array(light.kevee), np.array(light.cumulative)),
        )
        values: dict[str, Any] = {
            "spectrum": "run",
            "energy_min_kevee": light.kevee[0],
            "energy_max_kevee": light.kevee[-1],
            "trigger_jitter_ns": self.simulation.trigger_jitter_ns,
            "pileup_fraction": self.simulation.pileup_fraction,
        }
        return SimulationConfig(n_pulses=n_pulses, own=own, **(values | changes))

    def _scintillator(self) -> Scintillator:
        section = self.simulation
        return DETECTORS[section.scintillator].with_tails(section.gamma_tail, section.neutron_tail)

    def _digitizer(self) -> Digitizer:
        section, front_end = self.simulation, self.simulation.front_end
        ringing = None if front_end.ringing is None else Ringing(**front_end.ringing.model_dump())
        values = self.settings.model_dump() | section.model_dump()
        values |= {
            "name": self.settings.name or "own",
            "noise_power": tuple(section.noise_power),
            "front_end": FrontEnd(**(front_end.model_dump() | {"ringing": ringing})),
        }
        return Digitizer(**{field.name: values[field.name] for field in fields(Digitizer)})


def is_detector_file(name: str) -> bool:
    """Tell whether a detector is named by a file, not by the name of a scintillator."""
    return name not in DETECTORS and (Path(name).suffix.lower() in (".yaml", ".yml") or Path(name).is_file())


def read_detector_file(path: Path | str) -> DetectorFile:
    """Read a detector file that can be simulated.

    Raises
    ------
    SettingsError
        If the file cannot be read, has no section `simulation`, or does not fit the schema.
    """
    values = read_yaml(path)
    if not isinstance(values, Mapping) or SIMULATION_SECTION not in values:
        raise SettingsError(
            f"{path}: no section '{SIMULATION_SECTION}', which tells the simulator what the pulses are made of; "
            f"make such a file with discrimen simulate --like RUN -o {path}"
        )
    plain = {name: value for name, value in values.items() if name != SIMULATION_SECTION}
    settings = validate_settings(plain, source=str(path))
    try:
        return DetectorFile.model_validate({"settings": settings, "simulation": values[SIMULATION_SECTION]})
    except ValidationError as error:
        raise SettingsError(f"{path}: {faults_of(error)}") from error


def detector_yaml(file: DetectorFile) -> str:
    """Return a detector file as text; the same text is read by every option `--settings`."""
    values = file.settings.model_dump(exclude_none=True)
    values[SIMULATION_SECTION] = file.simulation.model_dump(exclude_none=True)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return f"# Made by: {command_line()}\n{text}"
