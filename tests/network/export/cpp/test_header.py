"""The compiled header: every network against the reference, beside other headers, in several source files."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from tests.network.export.cpp import compiler
from tests.network.networks import NETWORKS, frozen
from tests.network.pulses import channels_there, raw_pulses

from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.export.cpp import header, write_cpp_header
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import one_channel
from discrimen.network.prepare import prepare

DOCS_PAGE = Path(__file__).parents[4] / "docs" / "cpp-header.md"
N_PULSES = 37
"""Whole blocks of pulses and a few more, whatever the instruction set."""

TOLERANCE = 1e-5
"""Relative to an output's largest value."""

SLOW = pytest.mark.slow
BUILDS = {
    "plain": ("g++", "-std=c++17", "-O1"),
    "native": ("g++", "-std=c++20", "-O3", "-march=native"),
    "sanitized": ("g++", "-std=c++17", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "clang": ("clang++", "-std=c++20", "-O2"),
}
Results = tuple[list[NDArray[np.float32]], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class Program:
    """A program around headers, with what it printed and where it put its results."""

    path: Path
    said: dict[str, str]
    models: dict[str, FrozenModel]

    def results(self, name: str) -> tuple[Results, Results]:
        """Of all pulses at once, and of one after the other."""
        model = self.models[name]
        content = (self.path.parent / f"{number_of(name)}.results").read_bytes()
        half = len(content) // 2
        return taken_apart(model, content[:half]), taken_apart(model, content[half:])


def number_of(name: str) -> str:
    return str(list(NETWORKS).index(name))


def taken_apart(model: FrozenModel, content: bytes) -> Results:
    outputs, at = [], 0
    for output in model.description.outputs:
        count = N_PULSES * int(np.prod(output.shape)) * (2 if output.with_error else 1)
        outputs.append(np.frombuffer(content, np.float32, count, at).reshape(N_PULSES, -1))
        at += outputs[-1].nbytes
    return outputs, np.frombuffer(content, np.float64, offset=at).reshape(N_PULSES, -1)


def inputs_of(model: FrozenModel) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
    """Good pulses, and two that are flat."""
    preparation = model.description.preparation
    samples = raw_pulses(preparation, N_PULSES, seed=9)
    samples[[3, -1]] = 5
    return samples, channels_there(preparation, N_PULSES)


def write_inputs(model: FrozenModel, path: Path) -> None:
    samples, present = inputs_of(model)
    shape = np.array([*samples.shape, present is not None], np.int64)
    mask = b"" if present is None else present.astype(np.uint8).tobytes()
    path.write_bytes(shape.tobytes() + samples.tobytes() + mask)


def write_headers(folder: Path) -> None:
    """A model that is what it says, and one that is not."""
    model = frozen(*NETWORKS["two classes"]())
    write_frozen(model, folder / "neda.discrimen")
    write_cpp_header(folder / "neda.discrimen", folder / "neda.hpp")
    golden = dataclasses.replace(model.golden, values=tuple(1.01 * values for values in model.golden.values))
    write_frozen(dataclasses.replace(model, golden=golden), folder / "wrong.discrimen")
    write_cpp_header(folder / "wrong.discrimen", folder / "wrong.hpp", namespace="lab::wrong")


def example_of_the_documentation() -> str:
    example = re.search(r"```cpp\n(.*?)```", DOCS_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    return example[1]


@pytest.fixture(scope="module", params=[pytest.param(name, marks=[] if name == "plain" else SLOW) for name in BUILDS])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    command, *options = BUILDS[request.param]
    if command == "g++":
        command = compiler.find_compiler()
    elif shutil.which(command) is None:
        pytest.skip(f"NO {command}: install it to test headers with it")
    folder = tmp_path_factory.mktemp(request.param)
    write_headers(folder)
    (folder / "example.cpp").write_text(example_of_the_documentation())
    models = {name: frozen(*build()) for name, build in NETWORKS.items()}
    for name, model in models.items():
        write_frozen(model, folder / f"{number_of(name)}.discrimen")
        write_inputs(model, folder / f"{number_of(name)}.pulses")
    sources = [compiler.HERE / "main.cpp", compiler.HERE / "unit.cpp"]
    compiler.compile_strictly(sources, *options, f"-I{folder}", "-o", folder / "program", compiler=command)
    lines = compiler.run(folder / "program", folder, *map(number_of, models)).splitlines()
    return Program(folder / "program", dict(line.split("|", 1) for line in lines), models)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_gives_the_outputs_of_the_reference(program: Program, name: str) -> None:
    assert program.said[number_of(name)] == "run"
    samples, present = inputs_of(program.models[name])
    expected = run_exactly(program.models[name], samples, present=present)
    for outputs, _ in program.results(name):
        for got, wanted in zip(outputs, expected, strict=True):
            assert_allclose(got, wanted, rtol=0, atol=TOLERANCE * float(np.nanmax(np.abs(wanted))))


@pytest.mark.parametrize("name", ["two classes", "two channels", "channels as steps"])
def test_says_where_in_the_record_the_input_was(program: Program, name: str) -> None:
    samples, present = inputs_of(program.models[name])
    prepared = prepare(samples, program.models[name].description.preparation, present=present, dtype=np.float64)
    restored = prepared.restoration
    parts = [restored.start[:, None], restored.divisor[:, None], restored.baseline_adc]
    expected = np.where(prepared.valid[:, None], np.concatenate(parts, axis=1), np.nan)
    # The baseline of a channel that is absent means nothing.
    counts = np.ones_like(expected, bool) if present is None else np.insert(present, [0, 0], True, axis=1)
    for _, got in program.results(name):
        assert_allclose(got[counts], expected[counts], rtol=1e-5, atol=1e-5)


def test_example_of_the_documentation_runs(program: Program) -> None:
    lines = [line.split() for line in compiler.run(program.path).splitlines()]
    assert [name for name, _ in lines] == ["gamma", "neutron"]
    assert sum(float(score) for _, score in lines) == pytest.approx(1, abs=2e-3)


def test_model_that_is_off_its_golden_vectors_is_refused_unless_told_not_to_check(program: Program) -> None:
    assert "golden vectors" in program.said["wrong model"]
    assert program.said["wrong model, not checked"] == "2"


def test_source_files_share_one_header(program: Program) -> None:
    assert program.said["unit"] == "1"


def wide_model(folder: Path, window_length: int) -> Path:
    """Write a network of dense layers."""
    rng = np.random.default_rng(1)
    preparation = one_channel(
        sample_period_ns=1 / 3, polarity=1, baseline_start=0, baseline_stop=0, window_length=window_length
    )
    layer = Dense(kernel=rng.normal(size=(window_length, 2)).astype(np.float32), bias=np.ones(2, np.float32))
    write_frozen(frozen(chain([Flatten(), layer]), ModelDescription(preparation=preparation)), folder / "m.discrimen")
    return folder / "m.discrimen"


def test_same_file_gives_the_same_header(tmp_path: Path) -> None:
    source = wide_model(tmp_path, 20)
    texts = []
    for name in ("one", "two"):
        write_cpp_header(source, tmp_path / name / "a.hpp")
        texts.append((tmp_path / name / "a.hpp").read_text())
    assert texts[0] == texts[1]


def test_model_too_large_for_a_compiler_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "LARGEST_EMBEDDED_BYTES", 1000)
    assert not write_cpp_header(wide_model(tmp_path, 500), tmp_path / "m.hpp").embeds
    user = tmp_path / "user.cpp"
    user.write_text(
        '#include "m.hpp"\nm_model::Model load();\nm_model::Model load() { return m_model::Model::load("m"); }\n'
    )
    compiler.compile_strictly([user], "-std=c++17", "-fsyntax-only")
    assert "embedded_text" not in (tmp_path / "m.hpp").read_text()


def test_no_macro_stays_but_the_guard(tmp_path: Path) -> None:
    write_cpp_header(wide_model(tmp_path, 20), tmp_path / "m.hpp")
    text = (tmp_path / "m.hpp").read_text()
    (tmp_path / "with.cpp").write_text('#include "m.hpp"\n')
    (tmp_path / "without.cpp").write_text("".join(re.findall(r"#include <(?!imm).*>\n", text)))
    with_it, without = (
        set(compiler.compile_strictly([tmp_path / name], "-std=c++17", "-E", "-dM").splitlines())
        for name in ("with.cpp", "without.cpp")
    )
    assert [line.split()[1] for line in with_it - without] == re.findall(r"#ifndef (M_MODEL_\w+_HPP)\n", text)


def test_names_of_a_stranger_stay_within_their_comments(tmp_path: Path) -> None:
    network, described = NETWORKS["two classes"]()
    name = '*/ a"};\n#error ??/ \\'
    outputs = (dataclasses.replace(described.outputs[0], name=name),)
    write_frozen(frozen(network, dataclasses.replace(described, outputs=outputs)), tmp_path / "m.discrimen")
    write_cpp_header(tmp_path / "m.discrimen", tmp_path / "m.hpp")
    (tmp_path / "m.cpp").write_text('#include "m.hpp"\n')
    compiler.compile_strictly([tmp_path / "m.cpp"], "-std=c++17", "-fsyntax-only")


@SLOW
def test_source_files_of_different_instruction_sets_fit_together(tmp_path: Path) -> None:
    write_headers(tmp_path)
    (tmp_path / "wide.cpp").write_text(
        '#include "neda.hpp"\nconst char* wide();\n'
        "const char* wide() { return neda_model::embedded().instruction_set(); }\n"
    )
    (tmp_path / "main.cpp").write_text(
        '#include "neda.hpp"\n#include <cstdio>\nconst char* wide();\n'
        "int main(int n, char**) { std::puts(n > 1 ? wide() : neda_model::embedded().instruction_set()); }\n"
    )
    compiler.compile_strictly(
        [tmp_path / "wide.cpp"], "-std=c++17", "-O1", "-mavx2", "-mfma", "-c", "-o", tmp_path / "wide.o"
    )
    # The wide one first: the linker takes what comes first.
    compiler.compile_strictly(
        [tmp_path / "wide.o", tmp_path / "main.cpp"], "-std=c++17", "-O1", "-o", tmp_path / "program"
    )
    assert compiler.run(tmp_path / "program") == "baseline\n"


@SLOW
@pytest.mark.parametrize("window_length", [16, 32, 48, 64])
def test_windows_of_whole_vectors_raise_no_false_alarm(tmp_path: Path, window_length: int) -> None:
    write_cpp_header(wide_model(tmp_path, window_length), tmp_path / "m.hpp")
    (tmp_path / "m.cpp").write_text(
        '#include "m.hpp"\nint main() { return int(m_model::embedded().n_classes()) - 2; }\n'
    )
    compiler.compile_strictly([tmp_path / "m.cpp"], "-std=c++17", "-O3", "-o", tmp_path / "program")
    compiler.run(tmp_path / "program")
