"""The commands from a user's seat: exit status, standard output, files; one small run goes the whole path."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.scoring.small_model import write_small_model

from discrimen.cli.main import SUBCOMMANDS, LazyGroup
from discrimen.formats.table import open_reader
from discrimen.scoring.scores import read_scores

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder that the tests of the whole path share, in their order."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def run_json(run: Run) -> Callable[..., dict[str, Any]]:
    def command(*arguments: str | Path) -> dict[str, Any]:
        status, out, err = run(*arguments, "--json")
        assert status == 0, err
        result: dict[str, Any] = json.loads(out)
        return result

    return command


RunJson = Callable[..., dict[str, Any]]


def test_simulate_says_what_it_wrote(run_json: RunJson, folder: Path) -> None:
    for name, seed in (("train", 1), ("test", 2)):
        result = run_json("simulate", "-o", folder / f"{name}.BIN", "-n", "6000", "--seed", str(seed))
        assert result["n_gamma"] + result["n_neutron"] == 6000
        assert Path(result["truth"]).is_file()
        assert result["settings"]["sample_period_ns"] == 10


def test_inspect_finds_the_settings_by_itself(run_json: RunJson, folder: Path) -> None:
    found = run_json("inspect", folder / "test.BIN", "--plot", folder / "inspect.png")
    assert found["format"] == "compass-bin"
    assert found["n_pulses"] == 6000
    (channel,) = found["channels"]
    assert channel["n_samples"] == 75
    assert channel["sample_period_ns"] == 10
    assert sum(channel["amplitude_counts"]) == 6000
    assert (folder / "inspect.png").read_bytes().startswith(b"\x89PNG")


def test_options_win_over_the_file_and_say_so(run_json: RunJson, folder: Path) -> None:
    found = run_json("inspect", folder / "test.BIN", "--sample-period-ns", "5")
    assert found["channels"][0]["sample_period_ns"] == 5
    assert found["settings_source"]["sample_period_ns"] == "command line"


@pytest.mark.parametrize("command", [["inspect"], ["bench"], ["label", "--method", "band"]])
def test_a_picture_never_replaces_what_is_none(run: Run, tmp_path: Path, command: list[str]) -> None:
    settings = tmp_path / "run_settings.xml"
    settings.write_text("<configuration/>")
    status, _, err = run(*command, tmp_path / "run.BIN", "--plot", settings)
    assert status == 2
    assert "run_settings.xml" in err
    assert settings.read_text() == "<configuration/>"


def test_inspect_fits_a_terminal_of_80_columns(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run("inspect", folder / "test.BIN")
    assert status == 0
    table = [line for line in out.splitlines() if line.startswith(("channel", "0/0"))]
    assert len(table) == 2
    assert max(map(len, table)) <= 80


def test_convert_keeps_every_pulse(run_json: RunJson, folder: Path) -> None:
    both = [folder / "train.BIN", folder / "test.BIN"]
    result = run_json("convert", *both, "-o", folder / "both.lh5")
    assert result["n_pulses"] == 12_000
    with h5py.File(folder / "both.lh5") as file:
        runs = file["ch0/raw/run"][:]
    assert np.bincount(runs).tolist() == [6000, 6000]


def test_convert_does_not_replace_a_file_in_silence(run: Run, tmp_path: Path) -> None:
    assert run("simulate", "-o", tmp_path / "run.BIN", "-n", "20")[0] == 0
    command = ("convert", tmp_path / "run.BIN", "-o", tmp_path / "out.lh5")
    assert run(*command)[0] == 0
    before = (tmp_path / "out.lh5").read_bytes()
    status, _, err = run(*command)
    assert status == 1
    assert "--overwrite" in err
    assert (tmp_path / "out.lh5").read_bytes() == before
    assert run(*command, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--baseline-ns", "5", "START:STOP"),
        ("--branch", "wave", "NAME=VALUE"),
        ("--polarity", "down", "polarity"),
        ("--sample-period-ns", "-1", "sample_period_ns"),
        ("--pretrigger-ns", "-1", "pretrigger_ns"),
    ],
)
def test_wrong_values_of_input_options_are_wrong_usage(
    run: Run, tmp_path: Path, option: str, value: str, told: str
) -> None:
    status, _, err = run("inspect", tmp_path / "run.BIN", option, value)
    assert status == 2
    assert told in err


def test_label_joins_the_truth(run_json: RunJson, folder: Path) -> None:
    for name in ("train", "test"):
        result = run_json("label", folder / f"{name}.BIN", "--method", "truth", "-o", folder / f"{name}.lh5")
        assert result["n_unknown"] == 0
        assert result["n_neutron"] > 2500


def test_train_leaves_a_model(run_json: RunJson, folder: Path) -> None:
    result = run_json("train", folder / "train.lh5", "-o", folder / "model", "--epochs", "8", "--seed", "3")
    assert (result["architecture"]["name"], result["architecture"]["n_parameters"]) == ("patches", 2554)
    assert result["n_training"] + result["n_validation"] == 6000
    assert {"model.keras", "model.json", "history.csv", "training.png"} <= {
        path.name for path in (folder / "model").iterdir()
    }


def test_evaluate_puts_charge_comparison_and_bound_beside(run_json: RunJson, folder: Path) -> None:
    arguments = ("--tuning", folder / "train.lh5", "-o", folder / "report")
    result = run_json("evaluate", folder / "model", folder / "test.lh5", *arguments)
    assert result["seen_in_training"] == []
    assert (result["training_pulses_seen"]["n_counted"], result["training_pulses_seen"]["n_total"]) == (0, 256)
    methods = result["overall"]["methods"]
    areas = {name: method["auc"]["value"] for name, method in methods.items() if "auc" in method}
    assert 0.9 < areas["network"] < areas["photon_bound"]
    assert set(methods) - set(areas) == {"record_bound"}
    assert "charge_best" in areas
    assert result["psd_definition"] == "(Q_long - Q_short) / Q_long"
    written = json.loads((folder / "report" / "report.json").read_text())
    assert written["overall"] == result["overall"]


def test_evaluate_reads_the_record_of_the_labels(run: Run, folder: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "set.lh5"
    dataset.write_bytes((folder / "test.lh5").read_bytes())
    record = tmp_path / "set.lh5.labels.json"
    record.write_text(json.dumps({"method": "source", "source": {"contamination": {"gamma": 0, "neutron": 0.4}}}))
    status, _, err = run("evaluate", folder / "model", dataset, "-o", tmp_path / "report")
    assert status == 1
    assert "40% of the labels neutron are wrong" in err
    window = {"contamination": 0.01, "contamination_high": 0.02}
    flight = {"gamma": window, "neutron": window, "options": {"accidental_neutron_share": None}}
    record.write_text(json.dumps({"method": "tof", "time_of_flight": flight}))
    status, out, err = run("evaluate", folder / "model", dataset, "-o", tmp_path / "report")
    assert status == 0, err
    assert out.startswith("Labels of set.lh5 by time of flight: wrong for 1.00% (up to 2.00%)")


@pytest.mark.slow
def test_evaluation_on_the_training_data_is_called_out(run: Run, folder: Path) -> None:
    status, _, err = run("evaluate", folder / "model", folder / "train.lh5", "-o", folder / "report-train")
    assert status == 0
    assert "WARNING: the model was trained on train.lh5" in err
    assert "was trained on train.lh5" in json.loads((folder / "report-train" / "report.json").read_text())["notes"][0]
    assert "was trained on train.lh5" in (folder / "report-train" / "report.html").read_text()


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
def test_classify_scores_every_pulse_and_then_skips(run_json: RunJson, folder: Path, suffix: str) -> None:
    before = (folder / "test.BIN").read_bytes()
    scores = folder / f"scores{suffix}"
    (first,) = run_json("classify", folder / "model", folder / "test.BIN", "-o", scores)["files"]
    assert first["n_neutron"] + first["n_gamma"] + first["n_not_scored"] == 6000
    table = read_scores(scores)
    assert table.rows.entry.tolist() == list(range(6000))
    assert table.rows.score.sum(axis=1) == pytest.approx(1, abs=1e-5)
    (second,) = run_json("classify", folder / "model", folder / "test.BIN", "-o", scores)["files"]
    assert second["skipped"]
    assert (folder / "test.BIN").read_bytes() == before


def test_scores_of_another_model_are_not_overwritten_in_silence(run: Run, folder: Path) -> None:
    other = write_small_model(folder / "other.discrimen")
    status, _, err = run("classify", other, folder / "test.BIN", "-o", folder / "scores.h5")
    assert status == 1
    assert "another model_sha256" in err


def test_scores_of_the_same_file_read_otherwise_are_not_taken_for_these(
    run: Run, run_json: RunJson, folder: Path
) -> None:
    waveforms = next(iter(open_reader(folder / "test.BIN").chunks())).samples
    two, scores = folder / "two.npz", folder / "two.h5"
    np.savez(two, first=waveforms[:10], second=waveforms[10:20])
    options = ("classify", folder / "model", two, "-o", scores, "--sample-period-ns", "10", "--branch")
    run_json(*options, "samples=first")
    status, _, err = run(*options, "samples=second")
    assert (status, "another input_layout" in err) == (1, True)


def test_several_files_go_into_a_folder(run_json: RunJson, folder: Path) -> None:
    files = [folder / "train.BIN", folder / "test.BIN"]
    result = run_json("classify", folder / "model", *files, "-o", folder / "all")
    assert [Path(done["output"]).name for done in result["files"]] == ["train.BIN.scores.h5", "test.BIN.scores.h5"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["inspect", "nothing-here.BIN"], "no such file"),
        (["inspect", "."], "folder"),
        (["convert", "{folder}/test.BIN", "-o", "x.xyz"], "cannot write this kind"),
        (["train", "{folder}/test.BIN", "-o", "m"], "no labels"),
        (["classify", "{folder}/model", "{folder}/test.BIN", "-o", "{folder}/test.BIN"], "no file of scores"),
        (["classify", "{folder}/model", "{folder}/s.h5", "-o", "{folder}/s.h5"], "inputs are never written"),
        (["classify", "nowhere", "{folder}/test.BIN", "-o", "x.h5"], "no such model"),
        (["simulate", "-o", "x.BIN", "--detector", "BaF2"], "unknown detector"),
    ],
)
def test_fault_of_the_input_is_one_line_and_status_1(run: Run, folder: Path, arguments: list[str], reason: str) -> None:
    status, out, err = run(*(argument.format(folder=folder) for argument in arguments))
    assert status == 1
    assert reason in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""


def test_model_of_another_sampling_period_is_refused(run: Run, folder: Path) -> None:
    status, _, err = run(
        "classify", folder / "model", folder / "test.BIN", "-o", folder / "x.h5", "--sample-period-ns", "2"
    )
    assert status == 1
    assert "trained at 10 ns" in err
    assert not (folder / "x.h5").exists()


def test_model_of_another_pretrigger_is_refused(run: Run, folder: Path) -> None:
    status, _, err = run(
        "classify", folder / "model", folder / "test.BIN", "-o", folder / "x.h5", "--pretrigger-ns", "90"
    )
    assert status == 1
    assert "90 ns before the pulse, but the model was trained with 150 ns" in err
    assert not (folder / "x.h5").exists()


def test_simulation_does_not_replace_a_measured_run(run: Run, tmp_path: Path) -> None:
    measured = tmp_path / "run.BIN"
    measured.write_bytes(b"precious")
    status, _, err = run("simulate", "-o", measured, "-n", "10")
    assert status == 1
    assert "was not simulated" in err
    assert measured.read_bytes() == b"precious"


@pytest.mark.parametrize("arguments", [["nosuch"], ["inspect"], ["train", "--epochs", "many"]])
def test_wrong_usage_is_status_2(run: Run, arguments: list[str]) -> None:
    status, _, err = run(*arguments)
    assert status == 2
    assert "Usage" in err


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    status, out, _ = run(name, "--help")
    assert status == 0
    assert f"Usage: discrimen {name}" in out


def test_debug_shows_the_traceback() -> None:
    command = [sys.executable, "-m", "discrimen", "inspect", "nothing-here.BIN", "--debug"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_example_of_a_command_is_one_that_it_takes(name: str) -> None:
    command = LazyGroup().get_command(None, name)
    arguments = [each for each in shlex.split(SUBCOMMANDS[name].example) if not each.startswith("discrimen")]
    if name in ("batch", "datasets", "fpga"):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    with command.make_context(name, arguments) as context:
        assert context.params


def test_a_command_that_is_written_nearly_right_is_named(run: Run) -> None:
    status, _, err = run("trian")
    assert status == 2
    assert "there is no command 'trian'; did you mean train?" in err


def test_options_of_input_files_have_a_heading_of_their_own(run: Run) -> None:
    _, out, _ = run("classify", "-h")
    own, _, inputs = out.partition("Options of input files:")
    assert "--threshold" in own
    assert "--polarity" in inputs
    assert "--polarity" not in own


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, runpy\nsys.argv = ['discrimen', '--help']\n"
        "try:\n    runpy.run_module('discrimen', run_name='__main__')\nexcept SystemExit:\n    pass\n"
        "print(sorted({'keras', 'jax', 'scipy', 'matplotlib', 'h5py', 'uproot'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_killed_classification_leaves_no_scores_and_a_rerun_makes_them(
    run_json: RunJson, folder: Path, tmp_path: Path
) -> None:
    large, scores = tmp_path / "large.BIN", tmp_path / "out" / "scores.h5"
    content = (folder / "test.BIN").read_bytes()
    large.write_bytes(content + 40 * content[2:])  # the header stands once a file
    settings = (folder / "test_settings.xml").read_bytes()
    (tmp_path / "large_settings.xml").write_bytes(settings)
    command = [sys.executable, "-m", "discrimen", "classify", str(folder / "model"), str(large), "-o", str(scores)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(tmp_path.glob("out/.*.part")):
            time.sleep(0.005)
        assert process.poll() is None, "the classification ended before it could be killed"
        process.kill()
    assert not scores.exists()
    (again,) = run_json("classify", folder / "model", large, "-o", scores)["files"]
    assert not again["skipped"]
    assert again["n_pulses"] == 41 * 6000


def test_interrupt_is_status_130(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "discrimen", "simulate", "-n", "10000000", "-o", str(tmp_path / "x.BIN")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not list(tmp_path.glob(".*.part")):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["itself", "link", "hard link"])
@pytest.mark.parametrize("command", [("convert",), ("label", "--method", "gamma")])
def test_an_output_that_is_an_input_is_refused(run: Run, tmp_path: Path, command: tuple[str, ...], how: str) -> None:
    source = tmp_path / "run.npy"
    np.save(source, np.arange(60, dtype=np.uint16).reshape(3, 20))
    before = source.read_bytes()
    output = source if how == "itself" else tmp_path / "other.npy"
    if how == "link":
        output.symlink_to(source)
    elif how == "hard link":
        output.hardlink_to(source)
    status, _, err = run(*command, source, "-o", output, "--sample-period-ns", "2")
    assert status == 1
    assert "this is an input" in err
    assert len(err.splitlines()) == 1
    assert source.read_bytes() == before


def test_labels_of_no_kind_are_refused_for_training(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "set.npz"
    np.savez(source, samples=np.arange(60, dtype=np.uint16).reshape(3, 20), label=[0, 1, 2])
    options = ("--sample-period-ns", "2", "--polarity", "positive", "--baseline-ns", "0:4")
    status, _, err = run("train", source, "-o", tmp_path / "model", *options)
    assert status == 1
    assert "labels must be" in err
    assert err.strip().endswith("got also 2")


def test_labelling_by_truth_without_truth_says_what_to_do(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "run.npy"
    np.save(source, np.arange(60, dtype=np.uint16).reshape(3, 20))
    status, _, err = run("label", source, "--method", "truth", "-o", tmp_path / "set.lh5")
    assert status == 1
    assert "--truth" in err
    assert len(err.splitlines()) == 1


def test_convert_says_what_the_output_has_no_place_for(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    run("simulate", "-o", tmp_path / "run.lh5", "-n", 50)
    lost = {
        suffix: run_json("convert", tmp_path / "run.lh5", "-o", tmp_path / f"out{suffix}")["columns_left_out"]
        for suffix in (".csv", ".dat", ".root")
    }
    assert lost[".csv"] == ["energy_kevee", "label", "photon_llr"]
    assert set(lost[".dat"]) == {*lost[".csv"], "flags", "energy", "energy_short"}
    assert lost[".root"] == []
