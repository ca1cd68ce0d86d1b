"""``discrimen label --method source`` and a training on its labels."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from discrimen.cli.main import main
from discrimen.formats.table import open_reader
from discrimen.pulses import Label, concatenate

Run = Callable[..., tuple[int, str, str]]

RANGE = ("--energy-range", "100:1200")


def command(*arguments: str | Path) -> int:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["discrimen", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def captured(*arguments: str | Path) -> tuple[int, str, str]:
        status = command(*arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return captured


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gamma run and a mixed run, labelled by source."""
    made = tmp_path_factory.mktemp("source")
    for name, share, seed in (("gamma", 0.0, 1), ("mixed", 0.4, 2)):
        arguments = ("-n", "3000", "--neutron-fraction", str(share), "--seed", str(seed))
        assert command("simulate", "-o", made / f"{name}.lh5", *arguments) == 0
    labelling = ("--method", "source", "--gamma-run", made / "gamma.lh5", "-o", made / "set.lh5", *RANGE)
    assert command("label", made / "mixed.lh5", *labelling) == 0
    return made


def test_the_data_set_holds_both_runs_and_what_the_labels_are_worth(folder: Path) -> None:
    pulses = concatenate(open_reader(folder / "set.lh5").chunks())
    assert len(pulses) == 6000
    label, number = pulses.column("label"), pulses.column("run")
    assert set(label[number == 0]) <= {Label.UNKNOWN, Label.GAMMA}
    assert set(label[number == 1]) <= {Label.UNKNOWN, Label.NEUTRON}
    assert np.nanmedian(pulses.column("energy_kevee")) > 100
    beside = json.loads((folder / "set.lh5.labels.json").read_text())
    assert beside["source"]["neutron_share"] == pytest.approx(0.4, abs=0.05)
    assert beside["n_neutron"] == int((label == Label.NEUTRON).sum())
    assert beside["gamma_runs"] == [str(folder / "gamma.lh5")]


def test_the_result_is_printed_or_one_json_object(run: Run, folder: Path) -> None:
    arguments = ("label", folder / "mixed.lh5", "--method", "source", "--gamma-run", folder / "gamma.lh5", *RANGE)
    status, out, err = run(*arguments)
    assert status == 0, err
    assert "neutrons in the mixed runs: 0.4" in out or "neutrons in the mixed runs: 0.3" in out
    assert "never judge by them" in out
    status, out, _ = run(*arguments, "--json")
    assert json.loads(out)["source"] == json.loads((folder / "set.lh5.labels.json").read_text())["source"]


def test_training_corrects_for_what_lies_beside_the_data_set(run: Run, folder: Path, tmp_path: Path) -> None:
    status, _, err = run("train", folder / "set.lh5", "-o", tmp_path / "model", "--epochs", "1")
    assert status == 0, err
    assert "the loss is corrected" in err
    known = json.loads((folder / "set.lh5.labels.json").read_text())["source"]["contamination"]
    described = json.loads((tmp_path / "model" / "model.json").read_text())
    assert described["provenance"]["training"]["contamination"] == pytest.approx(known)


@pytest.mark.parametrize("option", ["5%", "gamma=a", "alpha=0.1", "gamma=0.6,neutron=0.6"])
def test_a_contamination_that_cannot_be_understood_is_one_line(
    run: Run, folder: Path, tmp_path: Path, option: str
) -> None:
    status, _, err = run("train", folder / "set.lh5", "-o", tmp_path / "model", "--contamination", option)
    assert status == 2
    assert "contamination" in " ".join(err.split())
    assert not (tmp_path / "model").exists()


def test_source_needs_a_gamma_run(run: Run, folder: Path) -> None:
    status, _, err = run("label", folder / "mixed.lh5", "--method", "source")
    assert status == 2
    assert "--gamma-run" in err


def test_an_input_is_never_written_to(run: Run, folder: Path) -> None:
    arguments = ("--method", "source", "--gamma-run", folder / "gamma.lh5", "-o", folder / "gamma.lh5")
    status, _, err = run("label", folder / "mixed.lh5", *arguments)
    assert status == 1
    assert "never written to" in err


def test_labels_go_to_the_pulses_in_their_order_chunk_by_chunk(folder: Path) -> None:
    from discrimen.errors import DataError
    from discrimen.labelling.in_order import InOrder

    pulses = concatenate(open_reader(folder / "mixed.lh5").chunks())[:10]
    labels = np.arange(10, dtype=np.int8) % 2
    hand_out = InOrder(labels, {"energy_kevee": np.arange(10, dtype=np.float64)})
    parts = concatenate([hand_out(pulses[:4]), hand_out(pulses[4:])])
    assert np.array_equal(parts.column("label"), labels)
    assert np.array_equal(parts.column("energy_kevee"), np.arange(10, dtype=np.float32))
    with pytest.raises(DataError, match="still being written"):
        hand_out(pulses[:1])


def test_slices_too_wide_for_one_shape_are_a_warning(run: Run, tmp_path: Path) -> None:
    for name, spectrum, seed in (("gamma", "Co-60", "1"), ("mixed", "Cf-252", "2")):
        arguments = ("-n", "1000", "--spectrum", spectrum, "--seed", seed)
        assert run("simulate", "-o", tmp_path / f"{name}.lh5", *arguments)[0] == 0
    command = ("label", tmp_path / "mixed.lh5", "--method", "source", "--gamma-run", tmp_path / "gamma.lh5", "--json")
    status, out, err = run(*command)
    assert status == 0, err
    assert "more than a factor of 8 in energy" in json.loads(out)["warnings"][0]
    assert "WARNING 1 of 1 slices" in err
    status, out, _ = run(*command, "--energy-range", "150:1100")
    assert status == 0
    assert json.loads(out)["warnings"] == []
