"""What the ONNX file says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.network.models import MODELS
from tests.network.pulses import frozen

from discrimen.errors import SettingsError
from discrimen.network.model_description import ModelDescription

onnx = pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")

from discrimen.network.export.onnx import DESCRIPTION_KEY, SHA256_KEY, onnx_model, value_name, write_onnx  # noqa: E402

MODEL = frozen(*MODELS["two classes"]())
EVERYTHING = frozen(*MODELS["everything at once"]())


def described(value: object) -> tuple[str, str, list[str | int]]:
    kind = value.type.tensor_type
    axes = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
    return value.name, onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name, axes


@pytest.mark.parametrize("input_type", ["int16", "uint16", "float32"])
def test_raw_samples_in_scores_out_any_number_of_pulses(input_type: str) -> None:
    graph = onnx_model(MODEL, input_type=input_type).graph
    assert [described(value) for value in graph.input] == [("samples", input_type, ["pulse", "sample"])]
    assert [described(value) for value in graph.output] == [("scores", "float32", ["pulse", 2])]


def test_channels_and_which_are_there_in_every_output_out() -> None:
    graph = onnx_model(EVERYTHING).graph
    assert [described(value) for value in graph.input] == [
        ("samples", "int16", ["pulse", 3, "sample"]),
        ("present", "bool", ["pulse", 3]),
    ]
    assert [described(value) for value in graph.output] == [
        ("particle", "float32", ["pulse", 3]),
        ("denoised", "float32", ["pulse", 60]),
        ("energy", "float32", ["pulse", 2]),
        ("pulses", "float32", ["pulse", 1]),
        ("position", "float32", ["pulse", 1]),
        ("code", "float32", ["pulse", 8]),
    ]


def test_needs_no_runtime_newer_than_two_years() -> None:
    model = onnx_model(MODEL)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert model.ir_version == 8


def properties_of(model: object) -> dict[str, str]:
    return {item.key: item.value for item in model.metadata_props}


def test_carries_the_description_and_the_hash() -> None:
    properties = properties_of(onnx_model(MODEL, frozen_sha256="ab" * 32))
    assert ModelDescription.from_dict(json.loads(properties[DESCRIPTION_KEY])) == MODEL.description
    assert properties[SHA256_KEY] == "ab" * 32
    assert "(pulse, sample)" in properties["discrimen_input"]
    assert "0x8000" in properties["discrimen_input"]


def test_offset_is_offered_only_where_a_baseline_takes_it_off() -> None:
    no_record = MODEL.description.preparation.with_only(baseline_start=0, baseline_stop=0)
    model = replace(MODEL, description=replace(MODEL.description, preparation=no_record))
    assert "0x8000" not in properties_of(onnx_model(model))["discrimen_input"]


def test_says_nothing_of_a_hash_that_nobody_knows() -> None:
    assert SHA256_KEY not in properties_of(onnx_model(MODEL))


def test_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        write_onnx(MODEL, tmp_path / name, frozen_sha256="ab" * 32)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert onnx.load(tmp_path / "a.onnx") == onnx_model(MODEL, frozen_sha256="ab" * 32)


@pytest.mark.parametrize("model", [MODEL, EVERYTHING], ids=["two classes", "everything"])
def test_every_node_serves_an_output(model: object) -> None:
    graph = onnx_model(model).graph
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    assert all(used.intersection(node.output) for node in graph.node)
    assert all(constant.name in used for constant in graph.initializer)


def test_value_that_an_output_reads_has_its_name() -> None:
    made = {name for node in onnx_model(EVERYTHING).graph.node for name in node.output}
    assert {value_name(output) for output in EVERYTHING.description.outputs} <= made


def test_unknown_input_type_is_refused() -> None:
    with pytest.raises(SettingsError, match="int16, uint16, float32, got 'int8'"):
        onnx_model(MODEL, input_type="int8")


@pytest.mark.parametrize("name", ["samples", "present", "/Add_3"])
def test_output_named_as_a_part_of_the_graph_is_refused(name: str) -> None:
    outputs = (replace(EVERYTHING.description.outputs[0], name=name), *EVERYTHING.description.outputs[1:])
    model = replace(EVERYTHING, description=replace(EVERYTHING.description, outputs=outputs))
    with pytest.raises(SettingsError, match=f"another use for the name '{name}'"):
        onnx_model(model)


def test_weights_are_those_of_the_frozen_model() -> None:
    constants = [onnx.numpy_helper.to_array(item) for item in onnx_model(MODEL).graph.initializer]
    for node in MODEL.network.nodes[1:]:
        assert any(np.array_equal(node.layer.kernel, constant) for constant in constants)
