"""What the ONNX runtimes share: a model from its file, and raw samples in a type that its graph takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, DiscrimenError, FormatError, SettingsError, require_module
from discrimen.inference.base import Predictor
from discrimen.network.export.onnx import SPEC_KEY, InputType, Runtime, onnx_model
from discrimen.network.frozen_file import SUFFIX, FrozenModel, GoldenVectors, read_frozen
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Preparation
from discrimen.network.shapes import shapes_of

ONNX_SUFFIX = ".onnx"
DEFAULT_BATCH = 4096
"""Pulses computed at once: enough to amortise a call, few enough for the intermediate values to stay in the cache."""

Compute = Callable[[NDArray[Any]], NDArray[np.float32]]
"""Raw samples of the graph's input type in, scores out."""


@dataclass(frozen=True, slots=True, eq=False)
class OnnxSource:
    """A model that can be had as an ONNX graph of any input type.

    Parameters
    ----------
    path : Path
        Where it comes from.
    spec : ModelSpec
        What it is.
    origin : FrozenModel or bytes
        The frozen model, or the content of an ONNX file.
    """

    path: Path
    spec: ModelSpec
    origin: FrozenModel | bytes

    def serialised(self, input_type: InputType, *, runtime: Runtime = "any") -> bytes:
        """Return the ONNX model with raw samples of this type as its input; a file's graph stays as it is."""
        if isinstance(self.origin, FrozenModel):
            content: bytes = onnx_model(self.origin, input_type=input_type, runtime=runtime).SerializeToString()
            return content
        return _with_input_type(self.origin, input_type)


def read_onnx_source(path: Path | str) -> OnnxSource:
    """Read a frozen model or an ONNX file that was made from one.

    Raises
    ------
    FormatError
        If it is neither, or contradicts itself.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        frozen = read_frozen(path)
        try:
            shapes_of(frozen.layers, frozen.spec.preparation.window_length)
            onnx_model(frozen)
        except DataError as error:
            raise FormatError(f"the frozen model cannot be computed: {error}", path) from error
        return OnnxSource(path, frozen.spec, frozen)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read the ONNX model: {error.strerror}", path) from error
    return OnnxSource(path, _spec_in(content, path), content)


def require_golden(predictor: Predictor, source: OnnxSource) -> None:
    """Compute the golden vectors of a frozen model again; an ONNX file carries none, it was checked when made.

    Raises
    ------
    FormatError
        If a score is off by more than the tolerance.
    """
    if isinstance(source.origin, FrozenModel):
        worst = golden_difference(predictor, source.origin.golden)
        allowed = source.origin.golden.tolerance
        if not worst <= allowed:
            raise FormatError(
                f"{predictor.backend} is off the golden vectors of the model by {worst:.3g}, allowed are {allowed:g}; "
                "freeze it again",
                source.path,
            )


def golden_difference(predictor: Predictor, golden: GoldenVectors) -> float:
    """Return how far the scores of a predictor are off the golden ones at most; NaN if one cannot be computed."""
    return float(np.abs(predictor.predict(golden.samples) - golden.scores).max())


def score_in_batches(
    samples: NDArray[Any], spec: ModelSpec, *, batch_size: int, compute: Callable[[InputType], Compute]
) -> NDArray[np.float32]:
    """Score raw waveforms of any type, a bounded number at a time.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised.
    spec : ModelSpec
        Of the model.
    batch_size : int
        Pulses computed at once.
    compute : callable
        Gives what computes scores from raw samples of an input type.

    Raises
    ------
    DataError
        If the samples are no table of numbers, or the records are too short.
    """
    if samples.ndim != 2:
        raise DataError(f"samples must have shape (pulse, sample), got {samples.shape}")
    preparation = spec.preparation
    if samples.shape[1] < preparation.shortest_record:
        raise DataError(
            f"this model needs records of at least {preparation.shortest_record} samples "
            f"of {preparation.sample_period_ns} ns, got {samples.shape[1]}"
        )
    scores = np.empty((len(samples), len(spec.classes)), dtype=np.float32)
    input_type = input_type_for(samples.dtype)
    compute_batch = compute(input_type)
    for start in range(0, len(samples), batch_size):
        chunk = samples[start : start + batch_size]
        scores[start : start + batch_size] = compute_batch(_as_input(chunk, input_type, preparation))
    return scores


def input_type_for(dtype: np.dtype[Any]) -> InputType:
    """Return the input type of the graph that takes samples of a type.

    Raises
    ------
    DataError
        If they are neither integers of up to 32 bits nor float32.
    """
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        return "uint16" if dtype.kind == "u" else "int16"
    if dtype.kind in "iuf" and dtype.itemsize == 4:
        return "float32"
    raise DataError(f"samples must be integers of up to 32 bits or float32, got {dtype}")


def _as_input(samples: NDArray[Any], input_type: InputType, preparation: Preparation) -> NDArray[Any]:
    """Return samples in the type and memory layout of the graph's input; a view where they have it already."""
    if samples.dtype.kind in "iu" and samples.dtype.itemsize > 2:
        # float32 holds integers only up to 2**24, and an offset changes nothing: first take off the baseline's counts.
        before = samples[:, preparation.baseline_start : preparation.baseline_stop]
        counts = np.rint(before.mean(axis=1, dtype=np.float64)).astype(np.int64)
        samples = samples - counts[:, np.newaxis]
    elif samples.dtype.kind == "f":
        finite = np.isfinite(samples).all(axis=1)
        if not finite.all():
            # A graph that was made for integers could stumble; a flat waveform scores NaN in every graph.
            samples = np.where(finite[:, np.newaxis], samples, np.float32(0))
    return np.ascontiguousarray(samples, dtype=input_type)


def require_batch_size(batch_size: int) -> int:
    """Return the batch size, or refuse it."""
    if batch_size < 1:
        raise SettingsError(f"batch_size must be at least 1, got {batch_size}")
    return batch_size


def require_threads(threads: int | None) -> int:
    """Return the number of threads with 0 for all cores, as the runtimes want it, or refuse it."""
    if threads is not None and threads < 1:
        raise SettingsError(f"threads must be at least 1, got {threads}")
    return threads or 0


def _spec_in(content: bytes, path: Path) -> ModelSpec:
    onnx = require_module("onnx", extra="onnx")
    protobuf = require_module("google.protobuf.message", extra="onnx")
    try:
        model = onnx.load_model_from_string(content)
    except protobuf.DecodeError as error:
        raise FormatError("this is no ONNX model, or a truncated one", path) from error
    properties = {item.key: item.value for item in model.metadata_props}
    if SPEC_KEY not in properties:
        raise FormatError(
            f"the ONNX model does not say what it is (metadata property '{SPEC_KEY}' is missing); "
            "make it with 'discrimen freeze --onnx'",
            path,
        )
    try:
        values = json.loads(properties[SPEC_KEY])
        if not isinstance(values, dict):
            raise DataError(f"expected a JSON object, got a {type(values).__name__}")
        spec = ModelSpec.from_dict(values)
    except (DiscrimenError, ValueError, TypeError, RecursionError) as error:
        problem = f"its description (metadata property '{SPEC_KEY}') cannot be read: {' '.join(str(error).split())}"
        raise FormatError(problem, path) from error
    _require_entry(model.graph, spec, path)
    return spec


def _require_entry(graph: Any, spec: ModelSpec, path: Path) -> None:
    """Refuse a graph that its description does not fit."""
    expected = (["samples"], ["scores"], [2], [len(spec.classes)])
    shapes = [value.type.tensor_type.shape.dim for value in (*graph.input, *graph.output)]
    found = (
        [value.name for value in graph.input],
        [value.name for value in graph.output],
        [len(shape) for shape in shapes[:1]],
        [shape[-1].dim_value for shape in shapes[1:] if shape],
    )
    if found != expected:
        raise FormatError(
            f"expected one input 'samples' of two axes and one output 'scores' of {len(spec.classes)} classes, "
            f"got inputs {found[0]} and outputs {found[1]} of {found[3]} values; make it anew from the frozen model",
            path,
        )


def _with_input_type(content: bytes, input_type: InputType) -> bytes:
    """Change the type of the raw samples: the graph's first step turns any type of number into a float."""
    onnx = require_module("onnx", extra="onnx")
    model = onnx.load_model_from_string(content)
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(input_type))
    model.graph.input[0].type.tensor_type.elem_type = element
    changed: bytes = model.SerializeToString()
    return changed
