"""What an adopted network's outputs are: what its owner says of them, held against what the network gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast, get_args

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft
from discrimen.freezing.promised import before_activation
from discrimen.network.activations import Activation
from discrimen.network.layers import Shape
from discrimen.network.outputs import OUTPUT_KINDS, Output, OutputKind
from discrimen.network.preparation import Preparation

TWO_CLASSES = ("gamma", "neutron")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the owner of a network says of one output.

    Parameters
    ----------
    name : str
        What it should be called.
    kind : str
        One of :data:`~discrimen.network.outputs.OUTPUT_KINDS`.
    unit : str
        Of its numbers.
    names : tuple of str
        Of the classes, or of the components of a quantity.
    with_error : bool
        Whether the second half of its numbers are the standard deviations of the first.
    """

    name: str
    kind: OutputKind
    unit: str
    names: tuple[str, ...] = ()
    with_error: bool = False


def parse_promise(text: str, *, with_error: Sequence[str] = ()) -> Promise:
    """Parse ``NAME:KIND:UNIT[:names]``.

    Raises
    ------
    SettingsError
        If a part is missing; a unit is asked for, never guessed.
    """
    name, _, rest = text.partition(":")
    kind, _, rest = rest.partition(":")
    unit, _, names = rest.partition(":")
    if not name or kind not in OUTPUT_KINDS:
        raise SettingsError(
            f"expected NAME:KIND:UNIT with a kind of {', '.join(get_args(OutputKind))}, for example "
            f"energy:quantity:keVee; got '{text}'"
        )
    if not unit:
        raise SettingsError(
            f"output '{name}': its unit is missing: give {name}:{kind}:UNIT; 1 for classes, counts and codes, "
            "'prepared' for a waveform in the scale of the prepared input"
        )
    return Promise(
        name=name,
        kind=cast(OutputKind, kind),
        unit=unit,
        names=tuple(names.split(",")) if names else (),
        with_error=name in with_error,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a network gives as one output.

    Parameters
    ----------
    value : int
        Its number in the draft.
    labels : tuple of str
        Names of the classes that the file itself has.
    """

    value: int
    labels: tuple[str, ...] = ()


def outputs_of(
    draft: Draft,
    given: Sequence[Given],
    preparation: Preparation,
    *,
    promises: Sequence[Promise] = (),
    classes: tuple[str, ...] | None = None,
    from_logits: bool = False,
) -> tuple[Output, ...]:
    """Describe the outputs of a network.

    Parameters
    ----------
    draft : Draft
        Of the network.
    given : sequence of Given
        What it gives, in order.
    preparation : Preparation
        Of its input.
    promises : sequence of Promise
        What is said of each output; none: a single output of classes.
    classes : tuple of str, optional
        Without promises: the names of the classes; by default those in the file, or gamma and neutron where there are
        two.
    from_logits : bool
        Whether linear values should become probabilities by softmax (by the logistic function for a single one).

    Raises
    ------
    SettingsError
        If what is promised does not fit what is given, or something is not known.
    """
    if promises and classes is not None:
        raise SettingsError("classes are named by --classes, or by --output NAME:classes:1:names; give one of them")
    if not promises:
        promises = [_classes(draft, given, classes)]
    if len(promises) != len(given):
        raise SettingsError(
            f"the network gives {len(given)} outputs, {len(promises)} are described: give one --output for each, "
            "in order"
        )
    described = tuple(
        _described(draft, each.value, promise, preparation, from_logits=from_logits)
        for each, promise in zip(given, promises, strict=True)
    )
    if from_logits and not any(before_activation(draft, each.value)[0] == "linear" for each in given):
        raise SettingsError("--from-logits is for networks that end in linear values; this one ends in an activation")
    return described


def _classes(draft: Draft, given: Sequence[Given], classes: tuple[str, ...] | None) -> Promise:
    """Return the promise of a network of which nothing is said: probabilities of classes."""
    if len(given) != 1:
        raise SettingsError(
            f"the network gives {len(given)} outputs: say of each what it is, in order, with --output NAME:KIND:UNIT"
        )
    n_values = prod(draft.shapes[before_activation(draft, given[0].value)[1]])
    names = classes or given[0].labels or (TWO_CLASSES if n_values <= 2 else ())
    if not names:
        raise SettingsError(
            f"the network gives {n_values} values: name the classes with --classes A,B,..., in their order, or say "
            "what they are with --output NAME:KIND:UNIT"
        )
    return Promise(name="scores", kind="classes", unit="1", names=names)


def _described(draft: Draft, value: int, promise: Promise, preparation: Preparation, *, from_logits: bool) -> Output:
    activation, before = before_activation(draft, value)
    shape = draft.shapes[before]
    if promise.kind == "classes":
        activation = _class_activation(promise, activation, prod(shape), from_logits=from_logits)
        shape = (len(promise.names),)
    else:
        shape = _shape(promise, shape, preparation)
    return Output(
        name=promise.name,
        kind=promise.kind,
        shape=shape,
        unit=promise.unit,
        names=promise.names,
        with_error=promise.with_error,
        activation=activation,
    )


def _class_activation(promise: Promise, found: Activation, n_values: int, *, from_logits: bool) -> Activation:
    if not promise.names:
        raise SettingsError(f"output '{promise.name}': name its classes: {promise.name}:classes:1:gamma,neutron")
    if n_values != len(promise.names) and not (n_values == 1 and len(promise.names) == 2):
        raise SettingsError(
            f"output '{promise.name}': the network gives {n_values} values, {len(promise.names)} classes are named: "
            f"{', '.join(promise.names)}"
        )
    if found == "linear" and not from_logits:
        raise SettingsError(
            f"output '{promise.name}': the network ends in linear values: give --from-logits if their softmax (of "
            "one value: its sigmoid) gives the probabilities, as after a training with cross-entropy from logits"
        )
    if found == "linear" or (n_values == 1 and found == "sigmoid"):
        return "softmax"
    return found


def _shape(promise: Promise, shape: Shape, preparation: Preparation) -> Shape:
    n_values = prod(shape)
    if promise.with_error:
        if n_values % 2:
            raise SettingsError(f"output '{promise.name}': {n_values} values are no values with as many deviations")
        return (n_values // 2,)
    if promise.kind != "waveform":
        return shape
    n_channels = preparation.n_channels
    if n_values % n_channels or (len(shape) == 2 and n_channels not in shape):
        raise SettingsError(
            f"output '{promise.name}': the network gives values of shape {shape}, no waveform of {n_channels} channels"
        )
    return (n_channels, n_values // n_channels)
