"""What a model gives: outputs with a name, a kind, a shape and a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.activations import ACTIVATIONS, Activation, activate
from discrimen.network.height_curve import Cut, HeightCurve, plain_threshold

OutputKind = Literal["classes", "waveform", "quantity", "count", "code"]
OUTPUT_KINDS: tuple[str, ...] = get_args(OutputKind)
"""By number, as in the frozen file; numbers are never given again."""

PREPARED = "prepared"
"""Unit of a waveform in the scale of the prepared input; its preparation leads back to ADC counts."""


@dataclass(frozen=True, slots=True)
class ClassThreshold:
    """A score from which on a pulse counts as one of a class.

    Parameters
    ----------
    value : float or HeightCurve
        Between 0 and 1; a curve where it follows the height of the pulse.
    of : str
        The class.
    """

    value: Cut
    of: str = "neutron"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON: a curve as an object of its own."""
        return {"value": plain_threshold(self.value), "of": self.of}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClassThreshold:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If a name is unknown, or a value does not fit.
        """
        given = dict(values)
        if isinstance(given.get("value"), Mapping):
            given["value"] = HeightCurve.from_dict(given["value"])
        return cls(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a model.

    Parameters
    ----------
    name : str
        Differs from those of the other outputs.
    kind : {"classes", "waveform", "quantity", "count", "code"}
        Probabilities of classes, a waveform, quantities with a unit, numbers of something, or a code (what the
        bottleneck of an auto-encoder holds).
    shape : tuple of int
        Of one pulse: ``(class,)``, ``(channel, sample)`` for a waveform, one or two axes for the rest.
    unit : str
        Of its numbers; ``"1"`` for classes, counts and codes, :data:`PREPARED` for a waveform.
    names : tuple of str
        Of the classes, or of the components of a quantity.
    with_error : bool
        Whether a quantity comes with its standard deviation: the network gives the values, then as many deviations,
        in the same unit.
    activation : str
        What turns the network's last values into the output's: ``softmax`` or ``sigmoid`` for classes.
    thresholds : mapping of str to ClassThreshold
        By name; for classes only.
    """

    name: str
    kind: OutputKind
    shape: tuple[int, ...]
    unit: str
    names: tuple[str, ...] = ()
    with_error: bool = False
    activation: Activation = "linear"
    thresholds: Mapping[str, ClassThreshold] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        where = f"output {self.name!r}"
        if not self.name or "\0" in self.name:
            raise SettingsError(f"an output needs a name, got {self.name!r}")
        if self.kind not in OUTPUT_KINDS:
            raise SettingsError(f"{where}: kind must be one of {', '.join(OUTPUT_KINDS)}, got {self.kind!r}")
        if not self.unit:
            raise SettingsError(f"{where}: a unit is missing; '1' for numbers without one, '{PREPARED}' for a waveform")
        if len(self.shape) not in (1, 2) or min(self.shape) < 1:
            raise SettingsError(f"{where}: its shape must have one or two axes of 1 and more, got {self.shape}")
        if self.activation not in ACTIVATIONS:
            raise SettingsError(f"{where}: there is no activation {self.activation!r}")
        if self.with_error and self.kind != "quantity":
            raise SettingsError(f"{where}: only a quantity has an error, this is a {self.kind}")
        self._check_names(where)
        self._check_thresholds(where)

    def _check_names(self, where: str) -> None:
        if self.kind == "classes":
            if len(self.shape) != 1 or len(self.names) != self.shape[0] or len(self.names) < 2:
                raise SettingsError(f"{where}: two or more classes with a name each, got {self.shape}: {self.names}")
            if self.activation not in ("softmax", "sigmoid"):
                raise SettingsError(
                    f"{where}: scores of classes come by softmax or sigmoid, got {self.activation}; a network that "
                    "ends in linear values needs to be told which"
                )
        elif self.activation == "softmax":
            raise SettingsError(f"{where}: softmax makes probabilities of classes, this is a {self.kind}")
        elif self.names and (self.kind != "quantity" or len(self.names) != prod(self.shape)):
            raise SettingsError(f"{where}: {len(self.names)} names for a {self.kind} of {prod(self.shape)} values")
        if self.kind == "waveform" and len(self.shape) != 2:
            raise SettingsError(f"{where}: the shape of a waveform is (channel, sample), got {self.shape}")
        if len(set(self.names)) != len(self.names) or not all(self.names):
            raise SettingsError(f"{where}: each needs a name of its own, got {', '.join(map(repr, self.names))}")

    def _check_thresholds(self, where: str) -> None:
        if self.thresholds and self.kind != "classes":
            raise SettingsError(f"{where}: thresholds belong to scores of classes, this is a {self.kind}")
        for name, threshold in self.thresholds.items():
            if not name or not (isinstance(threshold.value, HeightCurve) or 0 <= threshold.value <= 1):
                raise SettingsError(
                    f"{where}: a threshold needs a name and a score between 0 and 1, got {name!r}: {threshold.value}"
                )
            if threshold.of not in self.names:
                raise SettingsError(f"{where}: threshold {name!r} is on the class {threshold.of!r}, which is not there")

    @property
    def n_values(self) -> int:
        """How many numbers the network gives for it."""
        return prod(self.shape) * (2 if self.with_error else 1)

    def finish(self, values: NDArray[Any]) -> NDArray[Any]:
        """Apply the output's activation to what the network gives.

        Parameters
        ----------
        values : ndarray of float, shape (pulse, n_values)
            What the network gives.

        Returns
        -------
        ndarray of float, shape (pulse, n_values)
            The output; values and then standard deviations of a quantity with its error.
        """
        finished: NDArray[Any] = activate(np, self.activation, values)
        return finished

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "unit": self.unit,
            "names": list(self.names),
            "with_error": self.with_error,
            "activation": self.activation,
            "thresholds": {name: threshold.as_dict() for name, threshold in self.thresholds.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Output:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If a name is unknown or missing, or a value does not fit.
        """
        given = dict(values)
        try:
            given["shape"], given["names"] = tuple(given["shape"]), tuple(given["names"])
            given["thresholds"] = {name: ClassThreshold.from_dict(each) for name, each in given["thresholds"].items()}
            return cls(**given)
        except (TypeError, KeyError, AttributeError) as error:
            raise SettingsError(f"this is no output of a model: {error}") from error


def class_scores(names: tuple[str, ...], *, name: str = "scores", activation: Activation = "softmax") -> Output:
    """Return an output of class probabilities."""
    return Output(name=name, kind="classes", shape=(len(names),), unit="1", names=names, activation=activation)
