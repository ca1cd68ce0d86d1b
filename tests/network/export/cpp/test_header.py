"""What a header says of itself, and what is refused before anything is written."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.network.export.cpp import compiler
from tests.network.export.cpp.models import frozen, layer_models, preparation_models, raw_pulses

from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.network.export.cpp import write_cpp_header
from discrimen.network.export.cpp.literals import check_namespace, comment_text, double_text, float_text, string_text
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.layers import AddKept, Conv1D, Dense, GlobalMaxPooling1D, Keep, Layer, Reshape
from discrimen.network.preparation import Preparation

DOCS_PAGE = Path(__file__).resolve().parents[4] / "docs" / "cpp-header.md"
MODEL = layer_models()["dense_softmax"]
SHA256 = "0123456789abcdef" * 4


def written(model: FrozenModel, folder: Path, **options: str) -> str:
    write_cpp_header(model, folder / "model.hpp", **options)
    return (folder / "model.hpp").read_text(encoding="ascii")


def with_layers(*layers: Layer) -> FrozenModel:
    return dataclasses.replace(MODEL, layers=layers)


def dense(n_inputs: int, n_outputs: int, value: float = 0.5) -> Dense:
    kernel = np.full((n_inputs, n_outputs), value, np.float32)
    return Dense(kernel=kernel, bias=np.zeros(n_outputs, np.float32))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float_literal_is_exact(value: float) -> None:
    text = float_text(np.float32(value))
    assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?F", text)
    assert "." in text or "e" in text
    assert np.float32(text[:-1]).tobytes() == np.float32(value).tobytes()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_double_literal_is_exact(value: float) -> None:
    assert float(double_text(value)) == value


@given(st.text())
def test_no_text_leaves_its_literal_or_comment(value: str) -> None:
    inside = string_text(value)[1:-1]
    assert re.fullmatch(r"([ !#->@-\[\]-~]|\\[0-7]{3})*", inside)
    plain = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), inside.encode())
    assert plain.decode() == value
    assert re.fullmatch(r"[ -\[\]-~]*", comment_text(value))


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "a::", "::a", "class", "a::int", "std", "_a", "a__b", "a_", "ä", "a;"]
)
def test_impossible_namespace_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="C\\+\\+ namespace"):
        write_cpp_header(MODEL, tmp_path / "x.hpp", namespace=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "my_model", "lab::model_2", "Model"])
def test_possible_namespace_is_taken(name: str) -> None:
    assert check_namespace(name) == name


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ((dense(19, 6),), r"layer 1 \(Dense\) does not fit values of shape \(20,\): it wants 19 channels"),
        ((dense(20, 4),), "expected 6 scores a pulse, the network gives values of shape 4"),
        ((Reshape(steps=3, channels=7),), "it gives 21 values"),
        ((GlobalMaxPooling1D(),), "it wants steps and channels"),
        ((AddKept(slot=1),), r"layer 1 \(AddKept\) adds 20, but nothing is kept under 1"),
        ((Keep(slot=1), dense(20, 6), AddKept(slot=1)), "but values of shape 20 are kept under 1"),
        ((dense(20, 6, np.nan),), "nan cannot be written"),
    ],
)
def test_network_that_contradicts_itself_is_refused(layers: tuple[Layer, ...], reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason):
        write_cpp_header(with_layers(*layers), tmp_path / "x.hpp")
    assert list(tmp_path.iterdir()) == []


def test_kernel_beyond_the_input_is_refused(tmp_path: Path) -> None:
    long = Conv1D(kernel=np.zeros((21, 1, 2), np.float32), bias=np.zeros(2, np.float32))
    with pytest.raises(DataError, match=r"layer 2 .* reaches over 21 steps"):
        write_cpp_header(with_layers(Reshape(steps=20, channels=1), long), tmp_path / "x.hpp")


def test_folder_in_the_way_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_cpp_header(MODEL, tmp_path)


def test_prologue_says_what_the_model_is(tmp_path: Path) -> None:
    spec = dataclasses.replace(MODEL.spec, provenance={"date_utc": "2026-01-02T03:04:05+00:00"})
    text = written(dataclasses.replace(MODEL, spec=spec), tmp_path, source_sha256=SHA256, namespace="lab::model")
    prologue = text[: text.index("#ifndef")]
    for said in (SHA256, "2026-01-02", "class 0", "pulses that fall", "1. Dense: 20 -> 6, softmax", "126 parameters"):
        assert said in prologue
    assert "lab::model::classify" in prologue
    assert max(map(len, text.splitlines())) <= 120


def test_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    assert written(MODEL, tmp_path) == written(MODEL, tmp_path)


def test_two_models_of_one_namespace_do_not_hide_each_other(tmp_path: Path) -> None:
    guards = {
        re.search(r"#ifndef (\w+)", written(model, tmp_path))[1]  # type: ignore[index]
        for model in (MODEL, layer_models()["dense_tanh"])
    }
    assert len(guards) == 2


def strange_model() -> FrozenModel:
    """Names that try to leave their literals, weights at the ends of float32."""
    name = 'a"};\n#error ??/ \\ */ "\u00e4\u20ac'
    preparation = Preparation(
        sample_period_ns=1 / 3, polarity=1, baseline_start=0, baseline_stop=3, window_start=3, window_length=8
    )
    extremes = np.array([0, -0.0, 1e-45, -3.4028235e38, 1 / 3, 2**-126, 1e-3, -1], np.float32)
    bias = np.array([0, 1], np.float32)
    layers = (Dense(kernel=np.stack([extremes, -extremes], axis=1), bias=bias, activation="sigmoid"),)
    model = frozen(layers, preparation, n_outputs=2, golden=raw_pulses(3, 20, polarity=1))
    spec = dataclasses.replace(model.spec, classes=(name, "neutron"), thresholds={name: 1 / 3, "b": 1.0})
    return dataclasses.replace(model, spec=spec)


def write_facts_program(folder: Path) -> list[Path]:
    """Two models in two translation units: one header in both, the other in one."""
    write_cpp_header(strange_model(), folder / "strange.hpp", namespace="strange", source_sha256=SHA256)
    write_cpp_header(preparation_models()["rising_between_area"], folder / "other.hpp", namespace="a::b")
    unit = folder / "unit.cpp"
    unit.write_text(
        '#include "strange.hpp"\nbool unit_is_healthy();\nconst void* unit_names();\n'
        "bool unit_is_healthy() { return strange::self_test(); }\n"
        "const void* unit_names() { return strange::class_names.data(); }\n"
    )
    main = folder / "main.cpp"
    main.write_text(
        '#include "other.hpp"\n#include "strange.hpp"\n#include "strange.hpp"\n#include <cstdio>\n'
        "bool unit_is_healthy();\nconst void* unit_names();\n"
        "int main() {\n"
        "    const bool same = unit_names() == strange::class_names.data();\n"
        '    std::printf("%d%d%d%d\\n", strange::self_test(), a::b::self_test(), unit_is_healthy(), same);\n'
        '    std::printf("%s|%s\\n", strange::class_names[0], strange::thresholds[0].name);\n'
        '    std::printf("%.17g %.17g %zu %zu %zu\\n", strange::sample_period_ns, strange::thresholds[0].score,\n'
        "                strange::shortest_record, strange::neutron_class, strange::thresholds.size());\n"
        '    std::printf("%s %s.\\n", strange::sha256, strange::trained_utc);\n'
        "    for (const float weight : strange::detail::Layer1::kernel) {\n"
        '        std::printf("%a ", static_cast<double>(weight));\n'
        "    }\n}\n"
    )
    return [main, unit]


def test_two_units_and_two_models_share_one_program(tmp_path: Path) -> None:
    sources = write_facts_program(tmp_path)
    compiler.finish_compiling(compiler.start_compiling(sources, tmp_path / "facts", "-O1", f"-I{tmp_path}"))
    lines = compiler.run(tmp_path / "facts").split("\n")
    model = strange_model()
    name = model.spec.classes[0]
    assert lines[0] == "1111"
    assert "\n".join(lines[1:3]) == f"{name}|{name.splitlines()[0]}"
    assert "\n".join(lines[1:4]).endswith(name)
    period, threshold, *counts = lines[4].split()
    assert (float(period), float(threshold), counts) == (1 / 3, 1 / 3, ["11", "1", "2"])
    assert lines[5] == f"{SHA256} ."
    kernel = model.layers[0].kernel  # type: ignore[union-attr]
    rows = np.array([float.fromhex(word) for word in lines[6].split()]).reshape(8, 4)
    assert rows[:, :2].astype(np.float32).tobytes() == kernel.tobytes()


def test_example_of_the_documentation_compiles_and_runs(tmp_path: Path) -> None:
    example = re.search(r"```cpp\n(.*?)```", DOCS_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "main.cpp").write_text(example[1])
    preparation = Preparation(sample_period_ns=2.0, polarity=-1, baseline_start=0, baseline_stop=5, window_length=20)
    layers = (Dense(kernel=np.full((20, 2), 0.1, np.float32), bias=np.zeros(2, np.float32), activation="softmax"),)
    model = frozen(layers, preparation, n_outputs=2, golden=raw_pulses(8, 25, polarity=-1))
    write_cpp_header(model, tmp_path / "model.hpp")
    compiler.finish_compiling(compiler.start_compiling([tmp_path / "main.cpp"], tmp_path / "example", "-O2"))
    assert compiler.run(tmp_path / "example") == "neutron score 0.500\n"
