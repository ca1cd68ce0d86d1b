"""What a trained model is, beside its weights: preparation, outputs, architecture, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from discrimen.errors import SettingsError
from discrimen.network.domain import Domain
from discrimen.network.height_curve import Cut, HeightCurve
from discrimen.network.outputs import ClassThreshold, Output, OutputKind, class_scores
from discrimen.network.part_template import PartTemplate
from discrimen.network.preparation import Preparation
from discrimen.output.files import complete_or_absent
from discrimen.output.summary import Summarised
from discrimen.pulses.detector import DetectorSettings, validate_settings

DESCRIPTION_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ModelDescription(Summarised):
    """Description of a trained model.

    Parameters
    ----------
    preparation : Preparation
        From raw samples to network input.
    outputs : tuple of Output
        What the model gives; by default the probabilities of gamma and neutron.
    architecture : mapping
        Name and options that built the network, and its number of parameters.
    settings : DetectorSettings
        The detector that the model was trained for.
    provenance : mapping
        Hashes of the training data, versions, date, seed.
    domain : Domain or None
        What pulses the model has seen; None where that is not known.
    part_template : PartTemplate or None
        Of a model that separates pulses: the shape that is fitted to those that lie apart; None: nothing is fitted.
    """

    preparation: Preparation
    outputs: tuple[Output, ...] = (class_scores(("gamma", "neutron")),)
    architecture: Mapping[str, Any] = field(default_factory=dict)
    settings: DetectorSettings = field(default_factory=DetectorSettings)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    domain: Domain | None = None
    part_template: PartTemplate | None = None

    def __post_init__(self) -> None:
        names = [output.name for output in self.outputs]
        if not names or len(set(names)) != len(names):
            raise SettingsError(f"each output needs a name of its own, got {', '.join(map(repr, names)) or 'none'}")
        if self.follows_height and self.preparation.n_channels != 1:
            raise SettingsError(
                "thresholds that follow the height of the pulse are for models of one channel, this one has "
                f"{self.preparation.n_channels}"
            )

    def summary(self) -> dict[str, str]:
        """Return outputs, thresholds, architecture and input, for people."""
        prepared = self.preparation
        channels = f"{prepared.n_channels} channels x " if prepared.n_channels > 1 else ""
        named = self.architecture.get("architecture") or self.architecture.get("name")
        thresholds = [name for output in self.outputs for name in output.thresholds]
        return {
            "outputs": ", ".join(f"{each.name} ({', '.join(each.names) or each.kind})" for each in self.outputs),
            **({"thresholds": ", ".join(thresholds)} if thresholds else {}),
            **({"architecture": str(named)} if named else {}),
            "input": f"{channels}{prepared.window_length} samples, every {prepared.sample_period_ns:g} ns, "
            f"scale {prepared.scale}",
        }

    @property
    def scores_at(self) -> int:
        """Position of the first output of class probabilities among the outputs.

        Raises
        ------
        SettingsError
            If there is none.
        """
        return self._first("classes", "probabilities of classes")

    @property
    def waveform_at(self) -> int:
        """Position of the first waveform among the outputs.

        Raises
        ------
        SettingsError
            If there is none.
        """
        return self._first("waveform", "a waveform")

    @property
    def code_at(self) -> int:
        """Position of the first code among the outputs.

        Raises
        ------
        SettingsError
            If there is none.
        """
        return self._first("code", "the code of an auto-encoder")

    def _first(self, kind: OutputKind, what: str) -> int:
        for number, output in enumerate(self.outputs):
            if output.kind == kind:
                return number
        given = ", ".join(f"{output.name} ({output.kind})" for output in self.outputs)
        raise SettingsError(f"this is for models that give {what}; this one gives {given}")

    @property
    def scores(self) -> Output:
        """The first output of class probabilities; see :attr:`scores_at`."""
        return self.outputs[self.scores_at]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the scores; see :attr:`scores_at`."""
        return self.scores.names

    @property
    def neutron_class(self) -> int:
        """Position of the neutron score among the scores.

        Raises
        ------
        SettingsError
            If there are no classes, or none of them is the neutron's.
        """
        if "neutron" not in self.classes:
            raise SettingsError(f"this is for models with a class neutron; this one has {', '.join(self.classes)}")
        return self.classes.index("neutron")

    @property
    def follows_height(self) -> bool:
        """Whether a threshold follows the height of the pulse."""
        thresholds = (each.value for output in self.outputs for each in output.thresholds.values())
        return any(isinstance(value, HeightCurve) for value in thresholds)

    @property
    def thresholds(self) -> Mapping[str, Cut]:
        """Named thresholds on the neutron score."""
        return {name: each.value for name, each in self.scores.thresholds.items() if each.of == "neutron"}

    def with_thresholds(self, thresholds: Mapping[str, Cut]) -> ModelDescription:
        """Return the description with these thresholds on the neutron score, and no others."""
        at = self.scores_at
        scores = replace(self.scores, thresholds={name: ClassThreshold(value) for name, value in thresholds.items()})
        return replace(self, outputs=(*self.outputs[:at], scores, *self.outputs[at + 1 :]))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "discrimen_model": DESCRIPTION_VERSION,
            "preparation": self.preparation.as_dict(),
            "outputs": [output.as_dict() for output in self.outputs],
            "architecture": dict(self.architecture),
            "settings": self.settings.model_dump(exclude_none=True),
            "provenance": dict(self.provenance),
            **({} if self.domain is None else {"domain": self.domain.as_dict()}),
            **({} if self.part_template is None else {"part_template": self.part_template.as_dict()}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelDescription:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If it is no model description, or one of another version.
        """
        version = values.get("discrimen_model")
        if version != DESCRIPTION_VERSION:
            raise SettingsError(
                f"expected a model description of version {DESCRIPTION_VERSION}, got {version!r}; "
                "train or freeze it again"
            )
        try:
            preparation, domain = Preparation.from_dict(values["preparation"]), values.get("domain")
            template = values.get("part_template")
            return cls(
                preparation=preparation,
                outputs=tuple(Output.from_dict(output) for output in values["outputs"]),
                architecture=values["architecture"],
                settings=validate_settings(values["settings"], source="model description"),
                provenance=values["provenance"],
                domain=None if domain is None else Domain.from_dict(domain, preparation),
                part_template=None if template is None else PartTemplate.from_dict(template),
            )
        except KeyError as error:
            raise SettingsError(f"the model description lacks {error}") from error


def write_description(description: ModelDescription, path: Path | str) -> None:
    """Write a model description as JSON."""
    with complete_or_absent(path) as part:
        part.write_text(json.dumps(description.as_dict(), indent=2) + "\n", encoding="utf-8")


def read_description(path: Path | str) -> ModelDescription:
    """Read a model description.

    Raises
    ------
    SettingsError
        If the file cannot be read or is no model description.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot read the model description: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: expected a model description, got a JSON {type(values).__name__}")
    return ModelDescription.from_dict(values)
