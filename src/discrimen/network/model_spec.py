"""What a trained model is, beside its weights: preparation, classes, architecture, thresholds, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discrimen.errors import SettingsError
from discrimen.network.preparation import Preparation
from discrimen.output.files import complete_or_absent
from discrimen.pulses.detector import DetectorSettings, validate_settings

SPEC_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Description of a trained model.

    Parameters
    ----------
    preparation : Preparation
        From raw samples to network input.
    classes : tuple of str
        Meaning of the network's outputs, in their order.
    architecture : mapping
        Name and options that built the network, and its number of parameters.
    settings : DetectorSettings
        The detector that the model was trained for.
    thresholds : mapping of str to float
        Named thresholds on the neutron score.
    provenance : mapping
        Hashes of the training data, versions, date, seed.
    """

    preparation: Preparation
    classes: tuple[str, ...] = ("gamma", "neutron")
    architecture: Mapping[str, Any] = field(default_factory=dict)
    settings: DetectorSettings = field(default_factory=DetectorSettings)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.classes)) != len(self.classes) or not all(self.classes):
            raise SettingsError(f"each class needs a name of its own, got {', '.join(map(repr, self.classes))}")
        for name, value in self.thresholds.items():
            if not name or not 0 <= value <= 1:
                raise SettingsError(f"a threshold needs a name and a score between 0 and 1, got {name!r}: {value}")

    @property
    def neutron_class(self) -> int:
        """Position of the neutron score among the outputs."""
        return self.classes.index("neutron")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "discrimen_model": SPEC_VERSION,
            "preparation": self.preparation.as_dict(),
            "classes": list(self.classes),
            "architecture": dict(self.architecture),
            "settings": self.settings.model_dump(exclude_none=True),
            "thresholds": dict(self.thresholds),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSpec:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If it is no model description, or one of a newer version.
        """
        version = values.get("discrimen_model")
        if version != SPEC_VERSION:
            raise SettingsError(f"expected a model description of version {SPEC_VERSION}, got {version!r}")
        try:
            return cls(
                preparation=Preparation.from_dict(values["preparation"]),
                classes=tuple(values["classes"]),
                architecture=values["architecture"],
                settings=validate_settings(values["settings"], source="model description"),
                thresholds=values["thresholds"],
                provenance=values["provenance"],
            )
        except KeyError as error:
            raise SettingsError(f"the model description lacks {error}") from error


def write_spec(spec: ModelSpec, path: Path | str) -> None:
    """Write a model description as JSON."""
    with complete_or_absent(path) as part:
        part.write_text(json.dumps(spec.as_dict(), indent=2) + "\n", encoding="utf-8")


def read_spec(path: Path | str) -> ModelSpec:
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
    return ModelSpec.from_dict(values)
