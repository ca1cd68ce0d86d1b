"""A frozen model to an ONNX file that was tried before it appears."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.network.export.onnx import write_onnx
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.network.golden import require_golden
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
        Largest difference between its values for the golden pulses, before the outputs' activations, and the golden
        ones, in units of the largest of its output; None if ONNX Runtime, which computes them, is not installed.
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
        If the frozen file cannot be read, or a value is off by more than the tolerance of its output; nothing is
        written.
    SettingsError
        If an output has a name that an ONNX graph needs for itself.
    OutputError
        If the file cannot be written.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    frozen = read_frozen(frozen_path)
    with complete_or_absent(output) as part:
        write_onnx(frozen, part, frozen_sha256=sha256_of_file(frozen_path))
        worst = _worst_difference(frozen, part, Path(output)) if find_spec("onnxruntime") else None
    return OnnxExport(path=Path(output), worst_difference=worst)


def _worst_difference(frozen: FrozenModel, part: Path, path: Path) -> float:
    predictor, golden = OnnxRuntimePredictor(part), frozen.golden
    tried = [golden]
    narrow = golden.samples.astype(np.int16)
    if np.array_equal(narrow, golden.samples):
        # By the file's own type of input, too.
        tried.append(replace(golden, samples=narrow))
    worst = [require_golden(each, frozen.description.outputs, predictor.values, path) for each in tried]
    largest = [np.abs(values).max() for values in golden.values]
    return float(np.max(np.array(worst) / largest))
