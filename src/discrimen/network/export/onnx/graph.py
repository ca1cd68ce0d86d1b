"""Collects the nodes and constants of an ONNX graph."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET = 18
"""Known to ONNX Runtime since 1.14 and to OpenVINO since 2023.1."""
IR_VERSION = 8
"""The oldest layout of the file that may hold this operator set: old runtimes read it too."""
PREFIX = "/"
"""Of all names that are made here: outputs of a model must not begin with it."""


class Graph:
    """A graph that grows node by node; names are made here and never clash.

    Parameters
    ----------
    onnx : module
        The package ``onnx``.
    """

    def __init__(self, onnx: ModuleType) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Any] = {}
        self._before_reshape: dict[str, str] = {}

    def node(self, operator: str, *inputs: str, output: str | None = None, place: int = 0, **attributes: Any) -> str:
        """Add a node and return the name of its output.

        Parameters
        ----------
        operator : str
            Of the standard operator set.
        *inputs : str
            Names; an empty one stands for an optional input that is left out.
        output : str, optional
            Name of the output; by default one is made.
        place : int
            Which of the operator's outputs is wanted; those before it are left out.
        **attributes
            Of the operator.
        """
        name = output or f"{PREFIX}{operator}_{len(self._nodes)}"
        made = self._onnx.helper.make_node(operator, inputs, [""] * place + [name], name=name, **attributes)
        self._nodes.append(made)
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant array and return its name; equal ones are one."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._constants:
            name = f"{PREFIX}constant_{len(self._constants)}"
            self._constants[key] = self._onnx.numpy_helper.from_array(np.asarray(values, order="C"), name)
        return str(self._constants[key].name)

    def integers(self, *values: int) -> str:
        """Add a constant row of int64, as shapes and axes are, and return its name."""
        return self.constant(np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        """Add a constant float32 without axes and return its name."""
        return self.constant(np.array(value, dtype=np.float32))

    def cast(self, values: str, dtype: type[np.generic]) -> str:
        """Add a change of type."""
        return self.node("Cast", values, to=self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def reshape(self, values: str, *shape: int) -> str:
        """Add a change of each pulse's shape; the last of several in a row replaces those before it."""
        source = self._before_reshape.get(values, values)
        name = self.node("Reshape", source, self.integers(0, *shape))
        self._before_reshape[name] = source
        return name

    def cut(self, values: str, start: int, stop: int, *, axis: int) -> str:
        """Add the choice of a half open range along one axis."""
        return self.node("Slice", values, self.integers(start), self.integers(stop), self.integers(axis))

    def finish(self, *, inputs: Any, outputs: Any, description: str) -> Any:
        """Return the ``GraphProto``, without what no output depends on."""
        needed = {output.name for output in outputs}
        nodes = []
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        constants = [constant for constant in self._constants.values() if constant.name in needed]
        return self._onnx.helper.make_graph(
            nodes[::-1], "discrimen", inputs, outputs, initializer=constants, doc_string=description
        )
