"""Training for a chip from run to folder, with HGQ2 and alkaid."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from discrimen.cli.main import main
from discrimen.errors import FormatError
from discrimen.fpga.chip_model import GOLDEN, read_chip_model
from discrimen.fpga.emulator import combinational, compare_with_keras
from discrimen.fpga.float_network import neutron_score
from discrimen.keras_jax import load_keras

pytestmark = [pytest.mark.fpga, pytest.mark.filterwarnings("ignore")]
FEW = ["--epochs", "30", "--float-epochs", "20", "--float-trainings", "2", "--bit-trainings", "1", "--batch-size", "50"]
FEW += ["--target", "30:2000:0.9"]


def discrimen(*arguments: object) -> int:
    """Return the exit status of a command."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["discrimen", *map(str, arguments)])
        main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("runs")
    paths = [str(folder / f"{seed}.lh5") for seed in (1, 2, 3)]
    for seed, path in enumerate(paths):
        simulate = ["simulate", "--digitizer", "NUMEXO2-NEDA", "-n", "3000", "--energy-min-kevee", "100"]
        assert discrimen(*simulate, "--seed", seed, "-o", path) == 0
    return paths


def train(runs: list[str], output: Path, *more: str) -> dict:
    given = ["fpga", "train", runs[0], "--validation", runs[1], "--test", runs[2], "-o", str(output), *FEW, *more]
    assert discrimen(*given) == 0
    return json.loads((output / "training.json").read_text())


@pytest.fixture(scope="module")
def trained(runs: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    output = tmp_path_factory.mktemp("chip") / "X"
    return output, train(runs, output, "--beta", "1e-5", "--beta", "1e-4")


def test_network_of_few_bits_tells_neutrons_and_is_smaller_where_bits_cost_more(trained: tuple[Path, dict]) -> None:
    _, figures = trained
    small, large = figures["candidates"]
    assert small["beta"] > large["beta"]
    assert small["ebops"] < 0.8 * large["ebops"]
    assert small["alkaid_luts"] < large["alkaid_luts"]
    for each in figures["candidates"]:
        assert each["test"]["accuracy"] > 0.9


def test_keras_and_emulator_give_the_same_bits(trained: tuple[Path, dict]) -> None:
    _, figures = trained
    assert [each["n_mismatches"] for each in figures["agreement"]] == [0] * 7
    assert figures["agreement"][0]["n_windows"] > 2900


def test_moved_pedestal_changes_nothing(trained: tuple[Path, dict]) -> None:
    _, figures = trained
    moved = figures["moved_pedestal"]
    assert set(moved) == {"-100", "0", "100"}
    assert moved["-100"] == moved["0"] == moved["100"]


def test_folder_is_read_again_and_gives_its_golden_logits(trained: tuple[Path, dict]) -> None:
    output, figures = trained
    session = load_keras()
    chip = read_chip_model(session, output)
    golden = np.load(output / GOLDEN)
    assert chip.threshold == figures["threshold"]
    assert chip.input_kif == (1, 4, 10)
    np.testing.assert_array_equal(chip.scores(golden["values"]), neutron_score(golden["logits"]))
    np.testing.assert_array_equal(chip.scores(golden["values"]) >= chip.threshold, golden["is_neutron"])
    logic = combinational(chip.model, chip.front_end)
    assert compare_with_keras(logic, chip.model, {"golden": golden["values"]})[0].n_mismatches == 0


def test_comparison_counts_what_differs(trained: tuple[Path, dict]) -> None:
    chip = read_chip_model(load_keras(), trained[0])
    logic = combinational(chip.model, chip.front_end)
    values = np.load(trained[0] / GOLDEN)["values"]
    layer = chip.model.get_layer("logits")
    layer.kernel.assign(-np.array(layer.kernel))
    assert compare_with_keras(logic, chip.model, {"golden": values})[0].n_mismatches > 0.9 * len(values)


def test_same_seed_gives_the_same_figures(runs: list[str], tmp_path: Path, trained: tuple[Path, dict]) -> None:
    again = train(runs, tmp_path / "again", "--beta", "1e-5", "--beta", "1e-4")
    for each in (again, trained[1]):
        for name in ("versions", "created_utc"):
            each.pop(name, None)
    assert again == trained[1]


def test_luts_are_counted_and_too_large_networks_are_not_chosen(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = ["--hidden", "2,2", "--beta", "1e-3", "--seed", "3"]
    chosen = train(runs, tmp_path / "tiny", *tiny, "--luts")["chosen"]
    assert 0.5 < chosen["yosys_luts"] / chosen["alkaid_luts"] < 2
    given = ["fpga", "train", runs[0], "--validation", runs[1], "-o", str(tmp_path / "no"), *FEW, *tiny]
    assert discrimen(*given, "--most-luts", "1") == 1
    assert "no network has at most 1 look-up tables" in " ".join(capsys.readouterr().err.split())


def test_report_shows_the_front_and_the_mismatches(trained: tuple[Path, dict]) -> None:
    output, figures = trained
    page = (output / "training.html").read_text()
    assert f"{figures['chosen']['ebops']} EBOPs" in page
    assert "differ in 0 of" in page
    assert (output / "pareto.png").stat().st_size > 10_000
    assert (output / "pareto.pdf").read_bytes().startswith(b"%PDF")


def test_bad_input_is_refused_in_one_line(
    runs: list[str], tmp_path: Path, trained: tuple[Path, dict], capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["-o", str(tmp_path / "no")]
    cases = (
        ([runs[0], "--validation", runs[0], *output], "is among training and --validation"),
        ([runs[0], "--validation", runs[1], "-o", str(trained[0])], "holds a chip model already"),
        ([runs[0], "--validation", runs[1], *output, "--adc-bits", "12"], "the run has 14 bits, the front end 12"),
        ([runs[0], "--validation", runs[1], *output, "--window", "15:230"], "too short for the chip"),
        ([runs[0], "--validation", runs[1], *output, "--mean-samples", "7"], "must be a power of two, got 7"),
    )
    for given, message in cases:
        assert discrimen("fpga", "train", *given) != 0
        assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "no").exists()


def test_damaged_folder_is_refused(trained: tuple[Path, dict], tmp_path: Path) -> None:
    for name in ("model.keras", "chip.json"):
        (tmp_path / name).write_bytes((trained[0] / name).read_bytes())
    described = json.loads((tmp_path / "chip.json").read_text())
    session = load_keras()
    with (tmp_path / "model.keras").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(FormatError, match=r"not the network that chip\.json describes"):
        read_chip_model(session, tmp_path)
    del described["front_end"]["gap"]
    (tmp_path / "chip.json").write_text(json.dumps({**described, "model_sha256": "0"}))
    with pytest.raises(FormatError, match="not the network"):
        read_chip_model(session, tmp_path)
    (tmp_path / "chip.json").unlink()
    with pytest.raises(FormatError, match="there is no chip model here"):
        read_chip_model(session, tmp_path)
