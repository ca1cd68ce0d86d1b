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


class Graph:
    """A graph that grows node by node; names are made here and never clash.

    Parameters
    ----------
    onnx : module
        The package ``onnx``.
    columns_by_gemm : bool
        Add a column to every column of a table by a matrix product with a row of ones: the same numbers, sooner in
        ONNX Runtime, whose sums go row by row where shapes differ, and later in OpenVINO.
    """

    def __init__(self, onnx: ModuleType, *, columns_by_gemm: bool = False) -> None:
        self._onnx = onnx
        self._columns_by_gemm = columns_by_gemm
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
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
        name = output or f"{operator}_{len(self._nodes)}"
        made = self._onnx.helper.make_node(operator, inputs, [""] * place + [name], name=name, **attributes)
        self._nodes.append(made)
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant array and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

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
        """Add a change of shape; the last of several in a row replaces those before it."""
        source = self._before_reshape.get(values, values)
        name = self.node("Reshape", source, self.integers(*shape))
        self._before_reshape[name] = source
        return name

    def cut(self, values: str, start: int, stop: int, *, axis: int) -> str:
        """Add the choice of a half open range along one axis."""
        return self.node("Slice", values, self.integers(start), self.integers(stop), self.integers(axis))

    def add_column(
        self, table: str, column: str, *, n_columns: int, signs: tuple[int, int] = (1, 1), output: str | None = None
    ) -> str:
        """Add a column of shape (pulse, 1) to every column of a table, each with its sign; not both are negative."""
        if self._columns_by_gemm:
            ones = self.constant(np.ones((1, n_columns), dtype=np.float32))
            table_sign, column_sign = map(float, signs)
            return self.node("Gemm", column, ones, table, output=output, alpha=column_sign, beta=table_sign)
        if signs == (1, 1):
            return self.node("Add", table, column, output=output)
        return self.node("Sub", *((table, column) if signs[0] > 0 else (column, table)), output=output)

    def finish(self, *, inputs: Any, outputs: Any, description: str) -> Any:
        """Return the ``GraphProto``, without what no output depends on."""
        needed = {output.name for output in outputs}
        nodes = []
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        constants = [constant for constant in self._constants if constant.name in needed]
        return self._onnx.helper.make_graph(
            nodes[::-1], "discrimen", inputs, outputs, initializer=constants, doc_string=description
        )
