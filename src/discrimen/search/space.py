"""The space that a search looks in: what may be chosen, as data that a user can edit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from discrimen.errors import SettingsError
from discrimen.models import ARCHITECTURES, check_options
from discrimen.network.preparation import Alignment
from discrimen.simulation.distortion import DISTORTIONS
from discrimen.training import TrainingConfig
from discrimen.training.balance import DEFAULT_CAP

Value = bool | int | float | str | None

BUILT_IN_SPACE = Path(__file__).with_name("space.yaml")
TRAINING_NAMES = (
    "learning_rate",
    "learning_rate_decay",
    "batch_size",
    "optimizer",
    "shuffle",
    "balance",
    "balance_by",
    "balance_cap",
)
"""Options of the training that may be searched: those that change neither the judges nor what the loss means."""
AUGMENT_NAMES = tuple(DISTORTIONS)
PREPARATION_NAMES = ("scale", "align", "align_position", "interpolate")
DEFAULTS: Mapping[str, Value] = {
    "learning_rate": 0.001,
    "learning_rate_decay": "none",
    "batch_size": 100,
    "optimizer": "adam",
    "shuffle": True,
    "balance": "none",
    "balance_by": "weights",
    "balance_cap": DEFAULT_CAP,
    "scale": "peak",
    "align": None,
    "align_position": 10,
    "interpolate": False,
}
"""What holds where the space does not say otherwise, as for ``discrimen train``; 0.001 is Adam's own rate."""


@dataclass(frozen=True, slots=True)
class Choices:
    """One of these values, in no order."""

    values: tuple[Value, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def samples(self) -> tuple[Value, ...]:
        """Return values that must all be valid for the dimension to be."""
        return self.values

    def as_data(self) -> Any:
        """Return plain data, as in the YAML file."""
        return list(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number between two ends, both included; whole where both ends (and the step) are.

    Parameters
    ----------
    low, high : int or float
        The ends.
    log : bool
        Whether ratios count and not differences.
    step : int or float or None
        Only every so many; not with `log`.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        numbers = [self.low, self.high, *([] if self.step is None else [self.step])]
        if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
            raise SettingsError(f"low, high and step must be numbers, got {numbers}")
        if not (all(map(math.isfinite, numbers)) and self.low < self.high):
            raise SettingsError(f"low must be finite and below high, got {self.low} and {self.high}")
        if not isinstance(self.log, bool) or (self.log and (self.low <= 0 or self.step is not None)):
            raise SettingsError("log must be true or false; with true, low must be positive and there is no step")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise SettingsError(f"step must be positive and fit between low and high, got {self.step}")

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return (not self.whole or float(value).is_integer()) and math.isclose(steps, round(steps), abs_tol=1e-9)

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(number, int) for number in (self.low, self.high, self.step or 1))

    def samples(self) -> tuple[Value, ...]:
        """Return values that must all be valid for the dimension to be."""
        return (self.low, self.high)

    def as_data(self) -> Any:
        """Return plain data, as in the YAML file."""
        named = {"low": self.low, "high": self.high, "log": self.log or None, "step": self.step}
        return {name: value for name, value in named.items() if value is not None}


Dimension = Choices | Range


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """What may be chosen.

    Parameters
    ----------
    architectures : mapping of str to mapping of str to Dimension
        Each architecture with those of its options that are not at their defaults.
    training : mapping of str to Dimension
        Names among :data:`TRAINING_NAMES`.
    augment : mapping of str to Dimension
        Largest distortions of the training pulses, names among :data:`AUGMENT_NAMES`; 0 is none.
    preparation : mapping of str to Choices
        Names among :data:`PREPARATION_NAMES`; choices alone, so that every preparation is known beforehand.
    """

    architectures: Mapping[str, Mapping[str, Dimension]]
    training: Mapping[str, Dimension]
    augment: Mapping[str, Dimension]
    preparation: Mapping[str, Choices]

    def limited_to(self, architectures: Sequence[str]) -> SearchSpace:
        """Return the space with some of its architectures.

        Raises
        ------
        SettingsError
            If one of them is not in the space.
        """
        unknown = sorted(set(architectures) - set(self.architectures))
        if unknown:
            raise SettingsError(f"the space has {', '.join(self.architectures)}, but no {', '.join(unknown)}")
        kept = {name: options for name, options in self.architectures.items() if name in architectures}
        return replace(self, architectures=kept)

    def preparations(self) -> Iterator[dict[str, Value]]:
        """Yield every preparation that can be chosen, as the values of :data:`PREPARATION_NAMES`."""
        names = list(self.preparation)
        for values in product(*(self.preparation[name].values for name in names)):
            chosen = dict(zip(names, values, strict=True))
            yield {name: chosen.get(name, DEFAULTS[name]) for name in PREPARATION_NAMES}

    def as_data(self) -> dict[str, Any]:
        """Return plain data, as in the YAML file."""
        return {
            "architectures": {
                architecture: {name: dimension.as_data() for name, dimension in options.items()}
                for architecture, options in self.architectures.items()
            },
            "training": {name: dimension.as_data() for name, dimension in self.training.items()},
            "augment": {name: dimension.as_data() for name, dimension in self.augment.items()},
            "preparation": {name: dimension.as_data() for name, dimension in self.preparation.items()},
        }


def read_space(path: Path | str = BUILT_IN_SPACE) -> SearchSpace:
    """Read a space from a YAML file.

    Raises
    ------
    SettingsError
        If the file cannot be read, or says something that is no space: where, what was expected, what came.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot read a search space: {' '.join(str(error).split())}") from error
    try:
        return parse_space(values)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def parse_space(values: object) -> SearchSpace:
    """Check plain data and return the space it describes.

    Raises
    ------
    SettingsError
        If it is none.
    """
    sections = _mapping(values, "top", known=("architectures", "training", "augment", "preparation"))
    architectures = _mapping(sections.get("architectures"), "architectures", known=tuple(ARCHITECTURES))
    if not architectures:
        raise SettingsError("architectures: name at least one")
    space = SearchSpace(
        architectures={name: _options(name, given) for name, given in architectures.items()},
        training=_dimensions(sections.get("training"), "training", known=TRAINING_NAMES),
        augment=_dimensions(sections.get("augment"), "augment", known=AUGMENT_NAMES),
        preparation=_preparation(sections.get("preparation")),
    )
    for name, dimension in space.augment.items():
        for value in dimension.samples():
            _checked(f"augment.{name}", TrainingConfig, augment={name: value})
    for name, dimension in space.training.items():
        for value in dimension.samples():
            _checked(f"training.{name}", TrainingConfig, **{name: value})
    return space


def _options(architecture: str, given: object) -> dict[str, Dimension]:
    known = tuple(ARCHITECTURES[architecture].options.model_fields)
    options = _dimensions(given, f"architectures.{architecture}", known=known)
    for name, dimension in options.items():
        for value in dimension.samples():
            check_options(architecture, {name: value})
    return options


def _preparation(given: object) -> dict[str, Choices]:
    chosen = {}
    for name, dimension in _dimensions(given, "preparation", known=PREPARATION_NAMES).items():
        if isinstance(dimension, Range):
            raise SettingsError(f"preparation.{name}: list the values; a range is not possible here")
        if name == "align":
            for fraction in dimension.values:
                _checked("preparation.align", Alignment, fraction=0.3 if fraction is None else fraction, position=0)
        chosen[name] = dimension
    return chosen


def _checked(where: str, kind: Any, **values: Any) -> None:
    try:
        kind(**values)
    except (SettingsError, TypeError) as error:
        raise SettingsError(f"{where}: {error}") from error


def _dimensions(given: object, where: str, *, known: tuple[str, ...]) -> dict[str, Dimension]:
    named = _mapping(given, where, known=known)
    return {name: _dimension(value, f"{where}.{name}") for name, value in named.items()}


def _dimension(given: object, where: str) -> Dimension:
    if isinstance(given, Mapping):
        ends = _mapping(given, where, known=("low", "high", "log", "step"))
        if not {"low", "high"} <= set(ends):
            raise SettingsError(f"{where}: a range needs low and high, got {dict(ends)}")
        try:
            return Range(**ends)
        except SettingsError as error:
            raise SettingsError(f"{where}: {error}") from error
    values: list[Any] = given if isinstance(given, list) else [given]
    if not values or any(not isinstance(value, Value) for value in values):
        raise SettingsError(f"{where}: expected a value, a list of values, or low and high; got {given!r}")
    if len({repr(value) for value in values}) < len(values):
        raise SettingsError(f"{where}: a value is there twice: {values}")
    return Choices(tuple(values))


def _mapping(given: object, where: str, *, known: tuple[str, ...]) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where}: expected names with values, got {given!r}")
    strange = [str(name) for name in given if name not in known]
    if strange:
        raise SettingsError(f"{where}: expected {', '.join(known)}; got {', '.join(strange)}")
    return given
