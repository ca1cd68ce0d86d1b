"""Batch normalisation folded into its neighbours, so that it costs a frozen network nothing.

When scores are computed, batch normalisation is a fixed line for each channel (Ioffe and Szegedy, arXiv:1502.03167,
algorithm 2), as are other normalisations and changes of scale, and a line before or after a linear layer is another
linear layer. All is computed in float64 and rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from discrimen.freezing.draft import Draft, Scaling, Step
from discrimen.network import layers as kinds
from discrimen.network.layers import Layer

_ALIKE_FOR_LINES = (kinds.GlobalAveragePooling1D, kinds.AveragePooling1D, kinds.Cropping1D, kinds.Reverse)
"""Layers that give the same whether a line for each channel comes before or behind them."""

Linear = kinds.Dense | kinds.Conv1D | kinds.Conv1DTranspose


def folded(draft: Draft, outputs: Sequence[int]) -> tuple[int, ...]:
    """Fold every scaling into a layer beside it, and every activation into the linear layer before it.

    A scaling goes into the layer before it if that is linear, without an activation; else into the layer behind it if
    that sees no padding, past a mean or a flattening if there is one between them, or past :class:`Neighbours`; else it
    becomes a layer of its own.
    Layers are joined only where nothing else reads the value between them.

    Parameters
    ----------
    draft : Draft
        Is altered.
    outputs : sequence of int
        The values that are given out.

    Returns
    -------
    tuple of int
        The numbers of these values now.
    """
    ends = list(outputs)
    draft.forget_unneeded(outputs)
    for number, step in enumerate(draft.steps):
        value = number + 1
        if not step.inputs:
            continue
        before = draft.step_behind(step.inputs[0])
        if before is not None and _joined_backward(before, step) and _read_once(draft, ends, step.inputs[0]):
            before.layer = _both(before.layer, step.layer)
        elif isinstance(step.layer, Scaling) and (reader := _only_reader(draft, ends, value)) is not None:
            reader.layer = _both(step.layer, reader.layer)
        elif isinstance(step.layer, Scaling) and _moved_past_neighbours(draft, ends, value, step.layer):
            pass
        else:
            if isinstance(step.layer, Scaling) and not _moved_behind_reader(draft, ends, value, step.layer):
                step.layer = _as_layer(step.layer, along_steps=len(draft.shapes[value]) == 2)
            continue
        _read_instead(draft, ends, value, step.inputs[0])
    return tuple(ends)


def _joined_backward(before: Step, step: Step) -> bool:
    linear = isinstance(before.layer, Linear) and before.layer.activation == "linear"
    return linear and isinstance(step.layer, Scaling | kinds.Activate)


def _only_reader(draft: Draft, ends: list[int], value: int) -> Step | None:
    """Return what alone reads the value of a scaling, if the scaling can go into it."""
    readers = draft.readers(value)
    if len(readers) != 1 or value in ends:
        return None
    layer = readers[0].layer
    fits = isinstance(layer, Scaling | kinds.Dense) or (isinstance(layer, kinds.Conv1D) and _sees_no_padding(layer))
    return readers[0] if fits else None


def _moved_behind_reader(draft: Draft, ends: list[int], value: int, scaling: Scaling) -> bool:
    """Let a scaling and the layer that alone reads it change places, if that leads the scaling on to another layer."""
    if not _read_once(draft, ends, value):
        return False
    step, (reader,) = draft.steps[value - 1], draft.readers(value)
    behind = draft.steps.index(reader) + 1
    if isinstance(reader.layer, kinds.Flatten):
        further = draft.readers(behind)
        if not (_read_once(draft, ends, behind) and isinstance(further[0].layer, kinds.Dense)):
            return False
        n_steps = draft.shapes[value][0]
        scaling = Scaling(scale=np.tile(scaling.scale, n_steps), shift=np.tile(scaling.shift, n_steps))
    elif not isinstance(reader.layer, _ALIKE_FOR_LINES):
        return False
    step.layer, reader.layer = reader.layer, scaling
    step.origin, reader.origin = reader.origin, step.origin
    draft.shapes[value] = draft.shapes[behind]
    return True


def _moved_past_neighbours(draft: Draft, ends: list[int], value: int, scaling: Scaling) -> bool:
    """Let the dense layers behind the only reader of a scaling, the layer of neighbours, see the values unscaled.

    Which segment was hit is the same only if all values have one factor above 0, and nothing is added to them.
    """
    factor = scaling.scale[0]
    if (
        scaling.shift.any()
        or not (scaling.scale == factor).all()
        or not factor > 0
        or not _read_once(draft, ends, value)
    ):
        return False
    (neighbours,) = draft.readers(value)
    if not isinstance(neighbours.layer, kinds.Neighbours):
        return False
    behind = draft.steps.index(neighbours) + 1
    n_values = draft.shapes[behind][0]
    n_traces = n_values - neighbours.layer.sectors * neighbours.layer.rings
    readers = draft.readers(behind)
    dense = [step for step in readers if isinstance(step.layer, kinds.Dense)]
    if behind in ends or not all(step in dense or _sees_none_of(draft, ends, step, n_traces) for step in readers):
        return False
    scale = np.where(np.arange(n_values) < n_traces, factor, 1.0)
    for step in dense:
        step.layer = _both(Scaling(scale=scale, shift=np.zeros(n_values)), step.layer)
    return True


def _sees_none_of(draft: Draft, ends: list[int], step: Step, n_values: int) -> bool:
    """Tell whether a step only makes a column of values, of which the first ones are cropped at once."""
    value = draft.steps.index(step) + 1
    in_a_column = isinstance(step.layer, kinds.Reshape) and draft.shapes[value][1:] == (1,)
    layers = [reader.layer for reader in draft.readers(value)]
    cropped = all(isinstance(layer, kinds.Cropping1D) and layer.front >= n_values for layer in layers)
    return in_a_column and value not in ends and cropped


def _read_once(draft: Draft, ends: list[int], value: int) -> bool:
    return len(draft.readers(value)) == 1 and value not in ends


def _read_instead(draft: Draft, ends: list[int], value: int, other: int) -> None:
    """Let whatever reads a value read another one, and take out what made it."""
    for step in draft.steps:
        step.inputs = tuple(other if read == value else read for read in step.inputs)
    ends[:] = [other if read == value else read for read in ends]
    draft.steps[value - 1].inputs = ()


def _both(first: Layer | Scaling, second: Layer | Scaling) -> Layer | Scaling:
    """Join two neighbours into one."""
    if isinstance(first, Scaling):
        if isinstance(second, Scaling):
            return Scaling(scale=first.scale * second.scale, shift=first.shift * second.scale + second.shift)
        assert isinstance(second, kinds.Dense | kinds.Conv1D)
        return _scaled_inputs(second, first)
    assert isinstance(first, Linear)
    if isinstance(second, Scaling):
        return _scaled_outputs(first, second)
    assert isinstance(second, kinds.Activate)
    return replace(first, activation=second.activation)


def _sees_no_padding(layer: kinds.Conv1D) -> bool:
    return layer.padding == "valid" or len(layer.kernel) == 1


# A scaling in float64 makes the weights that it is multiplied with float64, until they are rounded in the end.


def _scaled_outputs(layer: Linear, scaling: Scaling) -> Layer:
    outputs_last = not isinstance(layer, kinds.Conv1DTranspose)
    kernel: Any = layer.kernel * (scaling.scale if outputs_last else scaling.scale[:, np.newaxis])
    bias: Any = layer.bias * scaling.scale + scaling.shift
    return replace(layer, kernel=kernel, bias=bias)


def _scaled_inputs(layer: kinds.Dense | kinds.Conv1D, scaling: Scaling) -> Layer:
    scale, shift = scaling.scale[:, np.newaxis], scaling.shift[:, np.newaxis]
    if isinstance(layer, kinds.Conv1D) and layer.groups > 1:
        _, n_in, n_out = layer.kernel.shape
        # Each output channel sees the input channels of its group alone.
        scale, shift = (
            np.repeat(line.reshape(layer.groups, n_in), n_out // layer.groups, axis=0).T for line in (scale, shift)
        )
    kernel: Any = layer.kernel * scale
    shifts: Any = (layer.kernel * shift).reshape(-1, layer.kernel.shape[-1]).sum(axis=0)
    return replace(layer, kernel=kernel, bias=layer.bias + shifts)


def _as_layer(scaling: Scaling, *, along_steps: bool) -> Layer:
    scale: Any = scaling.scale
    shift: Any = scaling.shift
    if along_steps:
        # A group for each channel: of a record that lies along the channels a whole kernel has the square of its size.
        return kinds.Conv1D(kernel=scale[np.newaxis, np.newaxis], bias=shift, groups=len(scale))
    return kinds.Dense(kernel=np.diag(scale), bias=shift)
