"""One point of the search space: drawn by Optuna, read as a training and a preparation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from discrimen.models import check_options
from discrimen.network.preparation import Alignment, Preparation
from discrimen.search.space import DEFAULTS, PREPARATION_NAMES, Choices, Dimension, SearchSpace, Value

if TYPE_CHECKING:
    from optuna.trial import Trial

PreparationMaker = Callable[..., Preparation]
"""Takes `scale` and `alignment`; the rest of the preparation is the same for all trials."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one trial tries.

    Parameters
    ----------
    parameters : mapping of str to value
        By the names that the study stores: ``architecture``, ``mlp.hidden``, ``training.batch_size``,
        ``preparation.scale``.
    """

    parameters: Mapping[str, Value]

    @property
    def architecture(self) -> str:
        """Name of the architecture."""
        return str(self.parameters["architecture"])

    def training(self) -> dict[str, Any]:
        """Return the fields of a training configuration that the trial chose."""
        return {
            "architecture": self.architecture,
            "options": self._section(self.architecture),
            "learning_rate": DEFAULTS["learning_rate"],
            **self._section("training"),
            "augment": self._section("augment"),
        }

    def preparation(self, make: PreparationMaker) -> Preparation:
        """Return the preparation that the trial chose."""
        return make_preparation(self._section("preparation"), make)

    def _section(self, section: str) -> dict[str, Value]:
        begin = f"{section}."
        return {name.removeprefix(begin): value for name, value in self.parameters.items() if name.startswith(begin)}


def make_preparation(chosen: Mapping[str, Value], make: PreparationMaker) -> Preparation:
    """Return the preparation of some values of :data:`~discrimen.search.space.PREPARATION_NAMES`."""
    values: dict[str, Any] = {name: chosen.get(name, DEFAULTS[name]) for name in PREPARATION_NAMES}
    alignment = None
    if values["align"] is not None:
        alignment = Alignment(
            fraction=values["align"], position=values["align_position"], interpolate=values["interpolate"]
        )
    return make(scale=values["scale"], alignment=alignment)


def draw(trial: Trial, space: SearchSpace) -> Candidate:
    """Let the study choose; options of an architecture, or of an alignment, only where there is one."""
    parameters: dict[str, Value] = {
        "architecture": trial.suggest_categorical("architecture", list(space.architectures))
    }
    chosen = space.architectures[str(parameters["architecture"])]
    sections = {
        str(parameters["architecture"]): chosen,
        "training": space.training,
        "augment": space.augment,
        "preparation": space.preparation,
    }
    for section, dimensions in sections.items():
        for name, dimension in _ordered(dimensions):
            if section == "preparation" and _is_idle(name, parameters):
                continue
            parameters[f"{section}.{name}"] = _suggest(trial, f"{section}.{name}", dimension)
    return Candidate(parameters)


def default_candidates(space: SearchSpace) -> list[Candidate]:
    """Return each architecture with all at its default, if the space holds that: what a search must beat."""
    found = []
    for architecture, options in space.architectures.items():
        parameters: dict[str, Value] = {"architecture": architecture}
        wanted = {f"{architecture}.{name}": _default_option(architecture, name, one) for name, one in options.items()}
        for section, dimensions in (("training", space.training), ("preparation", space.preparation)):
            wanted |= {f"{section}.{name}": _default_in(one, DEFAULTS[name]) for name, one in _ordered(dimensions)}
        wanted |= {f"augment.{name}": _default_in(one, 0) for name, one in space.augment.items()}
        if all(wanted.values()):
            parameters |= {name: values[0] for name, values in wanted.items()}
            idle = [name for name in parameters if _is_idle(name.removeprefix("preparation."), parameters)]
            found.append(Candidate({name: value for name, value in parameters.items() if name not in idle}))
    return found


def _ordered(dimensions: Mapping[str, Dimension]) -> list[tuple[str, Dimension]]:
    """Put the alignment first, for others depend on it."""
    return sorted(dimensions.items(), key=lambda item: item[0] != "align")


def _is_idle(name: str, parameters: Mapping[str, Value]) -> bool:
    """Whether an option of the alignment is asked for where there is none."""
    return name in ("align_position", "interpolate") and parameters.get("preparation.align") is None


def _suggest(trial: Trial, name: str, dimension: Dimension) -> Value:
    if isinstance(dimension, Choices):
        chosen: Value = trial.suggest_categorical(name, list(dimension.values))
        return chosen
    if dimension.whole:
        step = 1 if dimension.step is None else int(dimension.step)
        return int(trial.suggest_int(name, int(dimension.low), int(dimension.high), log=dimension.log, step=step))
    return float(trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log, step=dimension.step))


def _default_option(architecture: str, name: str, dimension: Dimension) -> tuple[Value, ...]:
    """Return the value of a dimension that means the option's default, if there is one."""
    default = getattr(check_options(architecture, {}), name)
    if isinstance(dimension, Choices):
        same = [
            value for value in dimension.values if getattr(check_options(architecture, {name: value}), name) == default
        ]
        return tuple(same[:1])
    return _default_in(dimension, default)


def _default_in(dimension: Dimension, default: Value) -> tuple[Value, ...]:
    return (default,) if default in dimension else ()
