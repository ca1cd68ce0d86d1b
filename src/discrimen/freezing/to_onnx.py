"""A frozen model to an ONNX file that was tried before it appears."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from discrimen.errors import DataError
from discrimen.inference.onnx_source import golden_difference
from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.inference.reference_predictor import score_exactly
from discrimen.network.export.onnx import write_onnx
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import sha256_of_file


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxExport:
    """What was written.

    Parameters
    ----------
    path : Path
        The ONNX file.
    worst_difference : float or None
        Largest difference between its scores and the golden ones; None if ONNX Runtime, which computes them, is not
        installed.
    """

    path: Path
    worst_difference: float | None


def freeze_to_onnx(frozen_path: Path | str, output: Path | str) -> OnnxExport:
    """Write the ONNX model of a frozen file and compute its golden vectors with ONNX Runtime, if that is installed.

    Parameters
    ----------
    frozen_path : Path
        The ``*.discrimen`` file.
    output : Path
        The ``*.onnx`` file to write.

    Raises
    ------
    FormatError
        If the frozen file cannot be read.
    DataError
        If a score is off by more than the tolerance; nothing is written.
    OutputError
        If the file cannot be written.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    frozen = read_frozen(frozen_path)
    with complete_or_absent(output) as part:
        write_onnx(frozen, part, frozen_sha256=sha256_of_file(frozen_path))
        worst = _worst_difference(frozen, part) if find_spec("onnxruntime") else None
    return OnnxExport(path=Path(output), worst_difference=worst)


def _worst_difference(frozen: FrozenModel, path: Path) -> float:
    predictor = OnnxRuntimePredictor(path)
    golden = frozen.golden
    worst = golden_difference(predictor, golden)
    narrow = golden.samples.astype(np.int16)
    if np.array_equal(narrow, golden.samples):
        # The file's own type of input, too.
        exact = score_exactly(frozen.layers, frozen.spec, narrow)
        worst = float(np.maximum(worst, np.abs(predictor.predict(narrow) - exact).max()))
    if not worst <= golden.tolerance:
        raise DataError(f"the ONNX model is off the frozen one by {worst:.3g}, allowed are {golden.tolerance:g}")
    return worst
