"""The examples build against an installed engine, run, and give the scores of the reference."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cpp import native_build
from tests.cpp.neda_frames import SCORE_FRAME, neda_frames
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.height_curve import HeightCurve
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import ClassThreshold
from discrimen.network.prepare import heights_of

EXAMPLES = native_build.REPOSITORY / "cpp" / "examples"
PAGE = native_build.REPOSITORY / "docs" / "native-engine.md"
WARNINGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-pedantic")
COMPILERS = {"cpp": ("g++", "-std=c++17"), "c": ("gcc", "-std=c99")}
HEIGHTS_ADC = np.quantile(heights_of(toy_pulses(600).samples, PREPARATION), (0.1, 0.9))
CURVE = HeightCurve((float(HEIGHTS_ADC[0]), float(HEIGHTS_ADC[1])), (0.2, 0.7))


@pytest.fixture(scope="module")
def prefix() -> Path:
    return native_build.install_engine()


@pytest.fixture(scope="module")
def programs(prefix: Path) -> Path:
    return native_build.build_examples()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network 75-6-2 with random weights and a named threshold that follows the height."""
    rng = np.random.default_rng(5)

    def dense(inputs: int, outputs: int, activation: str) -> Dense:
        kernel = rng.normal(0, 2 / np.sqrt(inputs), (inputs, outputs)).astype(np.float32)
        return Dense(kernel=kernel, bias=rng.normal(0, 0.2, outputs).astype(np.float32), activation=activation)  # type: ignore[arg-type]

    network = chain([Flatten(), dense(75, 6, "tanh"), dense(6, 2, "linear")])
    description = ModelDescription(preparation=PREPARATION).with_thresholds({"efficiency_0.95": CURVE})
    golden = golden_vectors(network, description, toy_pulses(10).samples.astype(np.int32)[:, np.newaxis])
    path = tmp_path_factory.mktemp("model") / "random.discrimen"
    write_frozen(FrozenModel(description, network, golden), path)
    return path


@pytest.fixture(scope="module")
def samples() -> NDArray[np.uint16]:
    """1200 pulses of 75 samples, one of them flat: it cannot be scored."""
    made = toy_pulses(600, seed=3).samples.astype(np.uint16)
    made[7] = 8000
    return made


@pytest.fixture(scope="module")
def scores(model: Path, samples: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Scores of the reference, which those of the engine in Python equal."""
    exact = ReferencePredictor(model).predict(samples)
    np.testing.assert_allclose(NativePredictor(model).predict(samples), exact, atol=1e-5)
    assert np.isnan(exact[:, 0]).sum() == 1
    return exact


@pytest.fixture(scope="module")
def passes(samples: NDArray[np.uint16], scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pulses the model calls neutrons; no single threshold of its own chooses the same."""
    found: NDArray[np.bool_] = scores[:, 1] >= CURVE.at(heights_of(samples, PREPARATION))
    assert 100 < found.sum() < 1100
    assert all(((scores[:, 1] >= each) != found).any() for each in CURVE.threshold)
    return found


@pytest.mark.parametrize("program", ["minimal", "minimal_c"])
def test_minimal_programs_print_the_scores_of_a_raw_file(
    program: str,
    programs: Path,
    model: Path,
    samples: NDArray[np.uint16],
    scores: NDArray[np.float32],
    passes: NDArray[np.bool_],
    tmp_path: Path,
) -> None:
    samples.tofile(tmp_path / "records.raw")
    *lines, summary = native_build.run(programs / program, model, tmp_path / "records.raw", "75").splitlines()
    assert summary.startswith("1200 pulses of 75 samples")
    scored = re.compile(r"(\d+) .*gamma ([\d.]+) +neutron ([\d.]+)")
    assert re.fullmatch(r"7 .*\(no pulse\)", lines[7])
    printed = np.array(
        [scored.match(line).groups() if number != 7 else (7, np.nan, np.nan) for number, line in enumerate(lines)]
    )  # type: ignore[union-attr]
    np.testing.assert_array_equal(printed[:, 0].astype(int), np.arange(len(samples)))
    np.testing.assert_allclose(printed[:, 1:].astype(float), scores, atol=1e-5)
    decided = ["neutron by threshold efficiency_0.95" in line for line in lines]
    np.testing.assert_array_equal(decided, passes)


def test_the_sample_model_comes_with_the_library_and_knows_its_pulses(programs: Path, prefix: Path) -> None:
    sample = prefix / "share" / "discrimen" / "bc501a_10ns"
    arguments = (sample.with_suffix(".discrimen"), sample.with_suffix(".raw"), "75")
    *lines, summary = native_build.run(programs / "minimal", *arguments).splitlines()
    assert summary.startswith("200 pulses of 75 samples")
    named = np.array(["neutron by threshold neutron-efficiency-0.95" in line for line in lines])
    # Half are gammas, then neutrons; a threshold that keeps 95 % of the latter.
    assert named[:100].sum() < 20
    assert named[100:].sum() > 85


def test_minimal_program_makes_pulses_of_its_own(programs: Path, model: Path) -> None:
    assert len(native_build.run(programs / "minimal", model).splitlines()) == 8 + 1


@pytest.mark.parametrize("program", ["minimal", "minimal_c"])
def test_minimal_programs_say_why_they_cannot_load(program: str, programs: Path, tmp_path: Path) -> None:
    records = tmp_path / "records.raw"
    records.write_bytes(bytes(150))
    done = subprocess.run([programs / program, records, records, "75"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "frozen" in done.stderr or "discrimen" in done.stderr


def test_narval_actor_passes_the_harness(programs: Path, model: Path, tmp_path: Path) -> None:
    printed = native_build.run(programs / "narval_harness", programs / "libnarval_actor.so", model, tmp_path)
    assert "pulses/s" in printed


def test_narval_actor_scores_a_file_of_neda_frames(
    programs: Path,
    model: Path,
    samples: NDArray[np.uint16],
    scores: NDArray[np.float32],
    passes: NDArray[np.bool_],
    tmp_path: Path,
) -> None:
    frames = neda_frames(np.concatenate([samples, np.full((len(samples), 157), 8000, np.uint16)], axis=1))
    assert frames.dtype.itemsize == 512
    frames.tofile(tmp_path / "frames.mfm")
    actor = programs / "libnarval_actor.so"
    native_build.run(
        programs / "narval_harness", actor, model, tmp_path, tmp_path / "frames.mfm", tmp_path / "scores.mfm"
    )
    out = np.fromfile(tmp_path / "scores.mfm", SCORE_FRAME)
    assert len(out) == len(samples)
    assert set(out["type"]) == {0x0D15}
    np.testing.assert_allclose(out["score"], scores[:, 1], atol=1e-5)
    np.testing.assert_array_equal(out["decision"], np.where(np.isnan(scores[:, 1]), 2, passes.astype(int)))
    for name in ("number", "location", "time"):
        np.testing.assert_array_equal(out[name], frames[name])
    np.testing.assert_array_equal(out["frame_time"], frames["time"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("threshold = 0.5\n", "names no model"),
        ("model = absent.discrimen\n", "absent.discrimen"),
        ("model = {model}\nthreshold = strict\n", "none named strict"),
        ("model = {model}\noutput = nothing\n", "expected scores or raw+scores"),
        ("model = {model}\nmodell = x\n", "unknown key modell"),
    ],
)
def test_narval_actor_refuses_a_wrong_configuration(
    text: str, reason: str, programs: Path, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import ctypes

    (tmp_path / "discrimen.conf").write_text(text.format(model=model))
    actor = ctypes.CDLL(str(programs / "libnarval_actor.so"))
    actor.process_register.restype = ctypes.c_void_p
    error = ctypes.c_uint(99)
    actor.process_config(str(tmp_path).encode(), ctypes.byref(error))
    state = ctypes.c_void_p(actor.process_register(ctypes.byref(error)))
    assert error.value == 0
    actor.process_initialise(state, ctypes.byref(error))
    assert error.value == 3
    assert reason in capfd.readouterr().err
    actor.process_unload(state, ctypes.byref(error))


def test_abcd_plugin_puts_the_score_into_the_event(
    programs: Path, model: Path, samples: NDArray[np.uint16], scores: NDArray[np.float32], tmp_path: Path
) -> None:
    samples.tofile(tmp_path / "records.raw")
    printed = native_build.run(
        programs / "abcd_harness", programs / "libDiscrimen.so", model, tmp_path / "records.raw", "75"
    )
    assert printed.count("waveforms of 1 samples are discarded; the model needs 75") == 1
    lines = [line.split() for line in printed.splitlines() if line[0].isdigit()]
    assert [line[0] for line in lines if line[1] == "discarded"] == ["7"]
    events = np.array([line for line in lines if line[1] != "discarded"], dtype=float)
    number, qshort, qlong, baseline = events.T
    np.testing.assert_allclose((qlong - qshort) / qlong, scores[number.astype(int), 1], atol=1 / qlong.min())
    np.testing.assert_allclose(baseline, samples[number.astype(int), :10].mean(axis=1), atol=0.5)
    expected = 0.5 * (samples[:, :10].mean(axis=1)[:, None] - samples).sum(axis=1)
    np.testing.assert_allclose(qlong, expected[number.astype(int)], atol=0.51)


def test_abcd_plugin_finds_no_neutrons_by_a_threshold_of_gammas(
    programs: Path, model: Path, samples: NDArray[np.uint16], tmp_path: Path
) -> None:
    frozen = read_frozen(model)
    (scores,) = frozen.description.outputs
    scores = replace(scores, thresholds={"gammas": ClassThreshold(0.5, of="gamma")})
    write_frozen(
        replace(frozen, description=replace(frozen.description, outputs=(scores,))), tmp_path / "of_gammas.discrimen"
    )
    samples.tofile(tmp_path / "records.raw")
    command = [programs / "abcd_harness", programs / "libDiscrimen.so", tmp_path / "of_gammas.discrimen"]
    done = subprocess.run([*command, tmp_path / "records.raw", "75"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the threshold is that of another class than neutron" in done.stdout


@pytest.mark.parametrize(
    ("language", "source"), [("cpp", "minimal/main.cpp"), ("c", "minimal_c/main.c")], ids=["C++", "C"]
)
def test_one_line_builds_an_example(language: str, source: str, prefix: Path, model: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    flags = native_build.compile_flags(prefix)
    native_build.run(*COMPILERS[language], *WARNINGS, EXAMPLES / source, "-o", program, *flags)
    np.full(75, 8000, np.int16).tofile(tmp_path / "flat.raw")
    assert "(no pulse)" in native_build.run(program, model, tmp_path / "flat.raw", "75")


def snippets() -> list[tuple[str, str]]:
    return re.findall(r"^```(cpp|c)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_page_has_snippets_in_both_languages() -> None:
    assert {language for language, _ in snippets()} == {"cpp", "c"}


@pytest.mark.parametrize(("language", "text"), snippets(), ids=lambda value: value if value in COMPILERS else "")
def test_snippets_of_the_page_compile_and_run(
    language: str, text: str, prefix: Path, model: Path, tmp_path: Path
) -> None:
    source = tmp_path / f"snippet.{language}"
    source.write_text(text, encoding="utf-8")
    command = [*COMPILERS[language], *WARNINGS, source, *native_build.compile_flags(prefix), "-pthread"]
    if "int main(" not in text:
        native_build.run(*command, "-c", "-o", tmp_path / "snippet.o")
        return
    native_build.run(*command, "-o", tmp_path / "snippet")
    native_build.run(tmp_path / "snippet", model)
