"""What the ONNX file says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.network.export.onnx.networks import NETWORKS, Weights, frozen

from discrimen.errors import SettingsError
from discrimen.network.model_spec import ModelSpec

onnx = pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")

from discrimen.network.export.onnx import SHA256_KEY, SPEC_KEY, onnx_model, write_onnx  # noqa: E402

MODEL = frozen(NETWORKS["lstm"](Weights()))


def described(value: object) -> tuple[str, str, list[str | int]]:
    kind = value.type.tensor_type
    axes = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
    return value.name, onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name, axes


@pytest.mark.parametrize("input_type", ["int16", "uint16", "float32"])
def test_raw_samples_in_scores_out_any_number_of_pulses(input_type: str) -> None:
    graph = onnx_model(MODEL, input_type=input_type).graph
    assert [described(value) for value in graph.input] == [("samples", input_type, ["pulse", "sample"])]
    assert [described(value) for value in graph.output] == [("scores", "float32", ["pulse", 2])]


def test_needs_no_runtime_newer_than_two_years() -> None:
    model = onnx_model(MODEL)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert model.ir_version == 8


def test_carries_the_description_and_the_hash() -> None:
    properties = {item.key: item.value for item in onnx_model(MODEL, frozen_sha256="ab" * 32).metadata_props}
    assert ModelSpec.from_dict(json.loads(properties[SPEC_KEY])) == MODEL.spec
    assert properties[SHA256_KEY] == "ab" * 32
    assert "0x8000" in properties["discrimen_input"]


def test_says_nothing_of_a_hash_that_nobody_knows() -> None:
    assert SHA256_KEY not in {item.key for item in onnx_model(MODEL).metadata_props}


def test_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        write_onnx(MODEL, tmp_path / name, frozen_sha256="ab" * 32)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert onnx.load(tmp_path / "a.onnx") == onnx_model(MODEL, frozen_sha256="ab" * 32)


def test_every_node_serves_the_scores() -> None:
    graph = onnx_model(MODEL).graph
    used = {name for node in graph.node for name in node.input} | {"scores"}
    assert all(used.intersection(node.output) for node in graph.node)
    assert all(constant.name in used for constant in graph.initializer)


def test_unknown_input_type_is_refused() -> None:
    with pytest.raises(SettingsError, match="int16, uint16, float32, got 'int8'"):
        onnx_model(MODEL, input_type="int8")


def test_weights_are_those_of_the_frozen_model() -> None:
    constants = [onnx.numpy_helper.to_array(item) for item in onnx_model(MODEL).graph.initializer]
    kernel = MODEL.layers[-1].kernel
    kernel = kernel - kernel[:, ::-1]  # softmax of two classes as the sigmoid of their difference
    assert any(np.array_equal(kernel, constant) for constant in constants)
