"""What a core install can do, and that the rest says in one line which extra brings it: the extras are blocked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.coding_model import write_coding_model
from tests.reconstruction.copying_model import write_copying_model
from tests.reconstruction.separator_model import piled_up, write_separator
from tests.reconstruction.small_generator import write_small_generator
from tests.runs.toy_hits import toy_hits, write_toy
from tests.scoring.small_hits_model import write_small_hits_model
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

import discrimen
from discrimen.cli.main import SUBCOMMANDS
from discrimen.formats.table import open_writer
from discrimen.pulses.detector import DetectorSettings, GatesNs

BLOCKED = (
    "scipy", "sklearn", "matplotlib", "keras", "jax", "uproot", "awkward", "pyarrow", "onnx", "onnxruntime", "openvino",
    "tensorboardX", "optuna", "pooch", "pandas", "mplhep", "jinja2", "threadpoolctl", "hdf5plugin",
)  # fmt: skip

BLOCK = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""

CALLS = """
import json
import discrimen
from discrimen.errors import MissingExtraError

def said(call):
    try:
        call()
    except MissingExtraError as error:
        return str(error)
    return ""

labelled = discrimen.read("set.lh5")
frozen = discrimen.load("small.discrimen")
line = {"quantity": "peak_adc", "gain_kevee_per_unit": 0.5}
calibrated = discrimen.read("set.lh5", settings=labelled.settings.merged(calibration=line))
calls = {
    "Dataset": lambda: discrimen.Dataset,
    "DetectorSettings": lambda: discrimen.DetectorSettings(adc_bits=14),
    "GatesNs": lambda: discrimen.GatesNs,
    "Hits": lambda: discrimen.Hits,
    "Label": lambda: discrimen.Label.GAMMA,
    "Model": lambda: discrimen.Model,
    "PulseClassifier": lambda: discrimen.PulseClassifier.load("small.discrimen").predict(labelled[:9]),
    "Pulses": lambda: discrimen.Pulses,
    "ReadOptions": lambda: discrimen.ReadOptions(tree="t"),
    "adapt": lambda: discrimen.adapt("small.discrimen", ["set.lh5"], "other.discrimen"),
    "audit_dataset": lambda: discrimen.audit_dataset(labelled),
    "bench": lambda: discrimen.bench(frozen, seconds=0.01, batch_sizes=[1]),
    "calibrate": lambda: discrimen.calibrate({"set.lh5": "Cs-137"}, quantity="peak_adc"),
    "charges": lambda: discrimen.charges(labelled),
    "compare": lambda: discrimen.compare({"one": frozen, "again": frozen}, labelled),
    "convert": lambda: discrimen.convert("set.lh5", "set.BIN"),
    "drift": lambda: discrimen.drift(frozen, "set.lh5", "set.lh5", window=1000),
    "find_gates": lambda: discrimen.find_gates("set.lh5"),
    "inspect": lambda: discrimen.inspect("set.lh5"),
    "label_by_flight": lambda: discrimen.label_by_flight("set.lh5", flight_path_m=1.0),
    "label_by_source": lambda: discrimen.label_by_source("set.lh5", "set.lh5"),
    "light": lambda: discrimen.light(calibrated),
    "locate": lambda: discrimen.locate(discrimen.load("places.discrimen"), "hits.h5", "places.h5"),
    "measure_robustness": lambda: discrimen.measure_robustness(frozen, labelled, n_pulses=200),
    "preparation": lambda: discrimen.preparation(labelled),
    "prepare": lambda: discrimen.prepare(labelled),
    "psd": lambda: discrimen.psd(labelled),
    "read_hits": lambda: discrimen.read_hits("hits.h5"),
    "resume": lambda: discrimen.resume(labelled, "folder"),
    "search_networks": lambda: discrimen.search_networks(labelled, "study", trials=1),
    "classify": lambda: discrimen.classify(frozen, "set.lh5", "scores.h5"),
    "read_scores": lambda: discrimen.read_scores("scores.h5"),
    "decode": lambda: discrimen.decode("coder.discrimen", "set.codes", "decoded.lh5"),
    "denoise": lambda: discrimen.denoise(discrimen.load("copy.discrimen"), "set.lh5", "denoised.lh5"),
    "encode": lambda: discrimen.encode("coder.discrimen", "set.lh5", "set.codes", step=2.0),
    "evaluate": lambda: discrimen.evaluate(frozen, labelled),
    "evaluate_waveforms": lambda: discrimen.evaluate_waveforms(discrimen.load("copy.discrimen"), labelled),
    "freeze": lambda: discrimen.freeze("folder", "x.discrimen"),
    "generate": lambda: discrimen.generate("generator.discrimen", "generated.lh5", n_pulses=50),
    "label_by_band": lambda: discrimen.label_by_band("set.lh5"),
    "learn_quality": lambda: discrimen.learn_quality(discrimen.load("copy.discrimen"), "set.lh5"),
    "load": lambda: discrimen.load("small.discrimen"),
    "overlay": lambda: discrimen.overlay("set.lh5", "overlaid.lh5", "overlaid.parts.lh5", n_records=100),
    "quality": lambda: discrimen.quality(discrimen.load("copy.discrimen"), "q.json", "set.lh5"),
    "read": lambda: discrimen.read("set.lh5"),
    "separate": lambda: discrimen.separate(discrimen.load("part.discrimen"), "piled.lh5", "parts.lh5"),
    "simulate": lambda: discrimen.simulate("run.lh5", 100),
    "train": lambda: discrimen.train(labelled, "model", epochs=1),
}
print(json.dumps({name: said(call) for name, call in calls.items()}))
"""

EXTRAS = {
    "adapt": "analysis",
    "calibrate": "analysis",
    "compare": "analysis",
    "drift": "analysis",
    "find_gates": "analysis",
    "label_by_flight": "analysis",
    "label_by_source": "analysis",
    "measure_robustness": "analysis",
    "search_networks": "search",
    "audit_dataset": "analysis",
    "decode": "codes",
    "encode": "codes",
    "evaluate": "analysis",
    "evaluate_waveforms": "analysis",
    "freeze": "train",
    "label_by_band": "analysis",
    "learn_quality": "analysis",
    "quality": "analysis",
    "resume": "train",
    "simulate": "simulation",
    "train": "train",
}
"""Of the public names that need one; all others work without any."""


def run_blocked(code: str, folder: Path) -> Any:
    ended = subprocess.run(
        [sys.executable, "-c", BLOCK + code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("core")
    write_small_model(made / "small.discrimen")
    write_copying_model(made / "copy.discrimen")
    write_coding_model(made / "coder.discrimen")
    write_small_hits_model(made / "places.discrimen")
    write_toy(made / "hits.h5", toy_hits(20))
    write_small_generator(made / "generator.discrimen")
    write_separator(made / "part.discrimen")
    with open_writer(made / "piled.lh5", DetectorSettings(polarity="negative")) as writer:
        writer.write(piled_up(50)[0])
    gates = GatesNs(short_gate_end_ns=40, long_gate_end_ns=400)
    with open_writer(made / "set.lh5", DetectorSettings(polarity="negative", pretrigger_ns=150, gates=gates)) as writer:
        writer.write(toy_pulses(2000).replace(tof_ns=np.r_[np.arange(2000) % 7 / 4, np.arange(2000) / 40 + 20]))
    return made


def test_every_public_name_works_or_names_its_extra(folder: Path) -> None:
    said = run_blocked(CALLS, folder)
    assert set(said) == set(discrimen.__all__)
    for name, line in said.items():
        assert "\n" not in line
        assert line.endswith(f"pip install 'discrimen[{EXTRAS[name]}]'" if name in EXTRAS else ""), (name, line)
        assert bool(line) == (name in EXTRAS), (name, line)
    assert (folder / "scores.h5").is_file()


def test_no_public_name_is_a_room_that_would_hide_it() -> None:
    rooms = {path.stem for path in Path(discrimen.__file__).parent.iterdir() if path.suffix in ("", ".py")}
    assert "robustness" in rooms
    assert not set(discrimen.__all__) & rooms
    assert rooms - {"cli", "__init__", "__main__", "keras_jax", "__pycache__", "py"} <= set(dir(discrimen))


def test_import_loads_nothing_of_weight() -> None:
    code = "import json, sys, discrimen; discrimen.Pulses; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ended.stdout))
    assert "discrimen.pulses.waveforms" in loaded
    assert not loaded & {
        "discrimen.api",
        "pandas",
        "pyarrow",
        "h5py",
        "matplotlib",
        "scipy",
        "IPython",
        "rich",
        "keras",
    }


def test_what_loads_models_does_without_run_files_yaml_and_the_command_line() -> None:
    code = "import json, sys, discrimen; discrimen.load; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ended.stdout))
    assert "discrimen.inference.native" in loaded
    assert not {name for name in loaded if name.startswith(("discrimen.formats", "h5py"))}
    assert not loaded & {"yaml", "rich", "typer", "pygments", "scipy", "matplotlib", "asyncio", "unittest"}


def test_scores_of_a_core_install_are_those_of_a_full_one(folder: Path) -> None:
    code = """
import json
import discrimen
samples = discrimen.read("set.lh5").pulses.samples
print(json.dumps(discrimen.load("small.discrimen").predictor.predict(samples[:50]).tolist()))
"""
    samples = discrimen.read(folder / "set.lh5").pulses.samples[:50]
    expected = discrimen.load(folder / "small.discrimen").predictor.predict(samples)
    assert np.array_equal(np.float32(run_blocked(code, folder)), expected)


def test_every_subcommand_has_its_help(folder: Path) -> None:
    code = """
import contextlib, io, json, sys
from discrimen.cli.main import SUBCOMMANDS, main
ended = {}
for name in SUBCOMMANDS:
    sys.argv = ["discrimen", name, "--help"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            main()
        except SystemExit as status:
            ended[name] = [status.code or 0, "Usage" in out.getvalue()]
print(json.dumps(ended))
"""
    assert run_blocked(code, folder) == {name: [0, True] for name in SUBCOMMANDS}


def test_inspecting_classifying_and_timing_need_no_extra(folder: Path) -> None:
    code = """
import contextlib, io, json, sys
from discrimen.cli.main import main
ended = {}
for arguments in (
    ["inspect", "set.lh5"],
    ["classify", "small.discrimen", "set.lh5", "-o", "by_command.h5"],
    ["denoise", "copy.discrimen", "set.lh5", "-o", "denoised_by_command.lh5"],
    ["generate", "generator.discrimen", "-n", "50", "-o", "generated_by_command.lh5"],
    ["separate", "part.discrimen", "piled.lh5", "-o", "parts_by_command.lh5"],
    ["bench", "small.discrimen", "--seconds", "0.01", "--batch", "1,10"],
):
    sys.argv = ["discrimen", *arguments]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
        except SystemExit as status:
            ended[arguments[0]] = status.code or 0
print(json.dumps(ended))
"""
    assert run_blocked(code, folder) == dict.fromkeys(
        ("inspect", "classify", "denoise", "generate", "separate", "bench"), 0
    )
    assert (folder / "by_command.h5").is_file()
