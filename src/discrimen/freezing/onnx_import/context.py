"""What the translation of one ONNX node may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.onnx_import.assembly import Assembly, Held
from discrimen.freezing.onnx_import.graph import Op, as_float32

Tensor = Held | NDArray[Any]
"""What a name in the graph stands for: something computed from the pulses, or a constant."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Context:
    """The network as it grows, and what the names of the graph stand for.

    Parameters
    ----------
    assembly : Assembly
        The network.
    tensors : dict of str to Tensor
        By name.
    used : frozenset of str
        Names that somebody reads.
    ends : frozenset of str
        Names whose values are outputs.
    opset : int
        Version of the operators.
    """

    assembly: Assembly
    tensors: dict[str, Tensor]
    used: frozenset[str]
    ends: frozenset[str]
    opset: int

    def tensor(self, op: Op, number: int) -> Tensor:
        """Return an input of a node."""
        name = op.input(number)
        if name not in self.tensors:
            raise SettingsError(f"{op.where}: its input {number} ('{name}') is not there")
        return self.tensors[name]

    def held(self, op: Op, number: int = 0) -> Held:
        """Return an input of a node that comes from the pulses."""
        tensor = self.tensor(op, number)
        if not isinstance(tensor, Held):
            raise SettingsError(f"{op.where}: its input {number} must come from the pulses, it is a constant")
        if tensor.logarithm:
            raise SettingsError(
                f"{op.where}: reads the output of a LogSoftmax, which is taken as a softmax at the very end alone"
            )
        return tensor

    def constant(self, op: Op, number: int) -> NDArray[Any] | None:
        """Return an input of a node that is a constant, None if it is left out."""
        if not op.input(number):
            return None
        tensor = self.tensor(op, number)
        if isinstance(tensor, Held):
            raise SettingsError(
                f"{op.where}: its input {number} ('{op.input(number)}') must be a constant, it comes from the pulses"
            )
        return tensor

    def weights(self, op: Op, number: int) -> NDArray[np.float32]:
        """Return an input of a node that is a constant of floats and must be there."""
        constant = self.constant(op, number)
        if constant is None:
            raise SettingsError(f"{op.where}: its input {number} is missing")
        return as_float32(constant)

    def bias(self, op: Op, number: int, length: int) -> NDArray[np.float32]:
        """Return an input of a node that is a bias, zeros if it is left out."""
        constant = self.constant(op, number)
        return np.zeros(length, np.float32) if constant is None else as_float32(constant).reshape(length)
