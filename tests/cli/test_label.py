"""``discrimen label`` by estimates: band on list mode and waveforms, and time of flight."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import typer

from discrimen.cli.input_options import parse_pairs
from discrimen.formats.abcd.events import EVENT
from discrimen.formats.table import open_reader
from discrimen.pulses import Label, concatenate

Run = Callable[..., tuple[int, str, str]]


def list_mode(path: Path, *, n: int = 8000) -> Path:
    """Write two channels of different gain, each with two bands."""
    rng = np.random.default_rng(2)
    energy = np.exp(rng.uniform(np.log(100), np.log(4000), n))
    psd = np.where(rng.random(n) < 0.5, 0.35, 0.2) + rng.normal(size=n) * 0.8 / np.sqrt(energy)
    made = np.zeros(n, EVENT)
    made["channel"] = np.arange(n) % 2
    made["qlong"] = energy * np.where(made["channel"] == 0, 5, 10)
    made["qshort"] = np.clip(made["qlong"] * (1 - psd), 0, 65_000)
    made["timestamp"] = np.arange(n) * 1000
    path.write_bytes(made.tobytes())
    return path


def test_list_mode_becomes_a_table_of_labels(run: Run, tmp_path: Path) -> None:
    source, output = list_mode(tmp_path / "run.ade"), tmp_path / "labels.h5"
    status, out, err = run(
        "label", source, "--method", "band", "-o", output, "--plot", tmp_path / "plane.png", "--json"
    )
    assert status == 0, err
    result = json.loads(out)
    assert [channel["channel"] for channel in result["bands"]["channels"]] == [0, 1]
    assert result["plots"] == [str(tmp_path / f"plane-b0c{channel}.png") for channel in (0, 1)]
    assert all(Path(plot).stat().st_size > 10_000 for plot in result["plots"])
    with h5py.File(output) as file:
        labels = file["label"][:]
        assert np.array_equal(file["entry"][:], np.arange(8000))
        assert json.loads(file.attrs["inputs"])[0]["path"] == str(source)
    assert [int((labels == label).sum()) for label in Label] == [
        result["n_unknown"], result["n_gamma"], result["n_neutron"]
    ]  # fmt: skip
    assert min(result["n_gamma"], result["n_neutron"]) > 2000
    beside = json.loads((tmp_path / "labels.h5.labels.json").read_text())
    assert beside["bands"] == result["bands"]


def test_list_mode_needs_no_output(run: Run, tmp_path: Path) -> None:
    status, out, err = run("label", list_mode(tmp_path / "run.ade"), "--method", "band", "--energy-range", "1000:20000")
    assert status == 0, err
    assert "of merit" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.ade"]


def test_table_of_labels_must_be_hdf5(run: Run, tmp_path: Path) -> None:
    status, _, err = run(
        "label", list_mode(tmp_path / "run.ade"), "--method", "band", "-o", tmp_path / "labels.parquet"
    )
    assert status == 1
    assert ".h5" in err


def test_waveforms_become_a_data_set_with_light(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / "detector.yaml"
    settings.write_text(
        "gates: {gate_start_ns: -20, short_gate_end_ns: 30, long_gate_end_ns: 300}\n"
        "calibration: {quantity: long_charge_adc_ns, gain_kevee_per_unit: 0.0183}\n"
    )
    assert run("simulate", "-o", tmp_path / "run.BIN", "-n", "6000", "--seed", "4")[0] == 0
    arguments = ("--method", "band", "--settings", settings, "--baseline-ns", "0:130")
    status, _, err = run("label", tmp_path / "run.BIN", *arguments, "-o", tmp_path / "set.lh5")
    assert status == 0, err
    pulses = concatenate(open_reader(tmp_path / "set.lh5").chunks())
    assert len(pulses) == 6000
    assert run("label", tmp_path / "run.BIN", "--method", "truth", "-o", tmp_path / "truth.lh5")[0] == 0
    truth = concatenate(open_reader(tmp_path / "truth.lh5").chunks())
    known = pulses.column("label") != Label.UNKNOWN
    assert known.sum() > 4000
    assert (pulses.column("label") == truth.column("label"))[known].mean() > 0.99
    light = pulses.column("energy_kevee")[known] / truth.column("energy_kevee")[known]
    assert np.median(light) == pytest.approx(1, abs=0.15)


def test_missing_gates_are_one_line(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "run.npy", np.arange(60, dtype=np.uint16).reshape(3, 20))
    options = ("--sample-period-ns", "2", "--polarity", "positive", "--baseline-ns", "0:4")
    status, _, err = run("label", tmp_path / "run.npy", "--method", "band", *options, "-o", tmp_path / "set.lh5")
    assert status == 1
    assert "gates" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "set.lh5").exists()


def test_list_mode_beside_waveforms_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("simulate", "-o", tmp_path / "run.BIN", "-n", "100")[0] == 0
    status, _, err = run("label", tmp_path / "run.BIN", list_mode(tmp_path / "run.ade"), "--method", "band")
    assert status == 1
    assert "two runs" in err


@pytest.mark.parametrize("text", ["100", "300:100", "a:b"])
def test_energy_range_must_be_two_numbers(run: Run, tmp_path: Path, text: str) -> None:
    status, _, err = run("label", list_mode(tmp_path / "run.ade"), "--method", "band", "--energy-range", text)
    assert status == 1
    assert text in err


def test_other_methods_need_an_output(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "run.npy", np.arange(60, dtype=np.uint16).reshape(3, 20))
    assert run("label", tmp_path / "run.npy", "--method", "gamma")[0] == 2


def flight_run(path: Path) -> Path:
    rng = np.random.default_rng(1)
    tof_ns = np.concatenate([rng.normal(80, 0.7, 2000), 95 + rng.gamma(2, 15, 3000), rng.uniform(0, 300, 1500)])
    samples = np.zeros((len(tof_ns), 8), np.uint16)
    np.savez(path, samples=samples, tof_ns=tof_ns)
    return path


def test_time_of_flight_becomes_a_data_set(run: Run, tmp_path: Path) -> None:
    source, output = flight_run(tmp_path / "run.npz"), tmp_path / "set.lh5"
    arguments = ("--method", "tof", "--flight-path-m", "1.5", "--sample-period-ns", "2")
    status, out, err = run("label", source, *arguments, "-o", output, "--plot", tmp_path / "tof.png")
    assert status == 0, err
    assert f"drawn: {tmp_path / 'tof.png'}" in "".join(out.split("\n"))
    assert "at most 0." in out
    assert (tmp_path / "tof.png").stat().st_size > 10_000
    pulses = concatenate(open_reader(output).chunks())
    beside = json.loads((tmp_path / "set.lh5.labels.json").read_text())
    assert int((pulses.column("label") == Label.NEUTRON).sum()) == beside["n_neutron"] > 1500
    assert 0 < beside["time_of_flight"]["gamma"]["contamination"] < 0.05


def test_time_of_flight_needs_the_column_and_the_path(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "run.npz"
    np.savez(source, samples=np.zeros((600, 8), np.uint16))
    assert run("label", source, "--method", "tof")[0] == 2
    status, _, err = run("label", source, "--method", "tof", "--flight-path-m", "1")
    assert status == 1
    assert "--branch tof_ns" in err


@pytest.mark.parametrize("option", ["--plot", "-o"])
def test_a_run_is_not_overwritten_by_a_picture_or_a_data_set(run: Run, tmp_path: Path, option: str) -> None:
    source = list_mode(tmp_path / "run.ade")
    before = source.read_bytes()
    status, _, err = run("label", source, "--method", "band", option, source)
    assert (status, "this is an input" in err) == (1, True) or (status, "a picture is a .png file" in err) == (2, True)
    assert source.read_bytes() == before


def test_picture_and_data_set_need_names_of_their_own(run: Run, tmp_path: Path) -> None:
    same = tmp_path / "same.png"
    status, _, err = run("label", list_mode(tmp_path / "run.ade"), "--method", "band", "-o", same, "--plot", same)
    assert status == 2
    assert "names of their own" in err


@pytest.mark.parametrize(
    ("method", "option", "value"),
    [
        ("truth", "--purity", "0.9"),
        ("gamma", "--truth", "x.h5"),
        ("tof", "--energy-range", "1:2"),
        ("gamma", "--plot", "x.png"),
        ("band", "--flight-path-m", "1"),
        ("source", "--least-efficiency", "0.4"),
        ("band", "--accidental-neutron-share", "0.4"),
    ],
)
def test_an_option_of_another_method_is_not_ignored(
    run: Run, tmp_path: Path, method: str, option: str, value: str
) -> None:
    status, _, err = run("label", tmp_path / "run.lh5", "--method", method, option, value, "-o", tmp_path / "set.lh5")
    assert status == 2
    assert option in err
    assert f"--method {method} ignores it" in " ".join(err.split())


def test_a_negative_seed_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    for command in (("label", "--method", "band"), ("audit",), ("search", "-o", tmp_path / "s"), ("bench",)):
        status, _, err = run(*command, tmp_path / "run.lh5", "--seed", "-1")
        assert status == 2, command
        assert "--seed" in err


def test_new_labels_do_not_inherit_the_estimates_of_a_replaced_data_set(run: Run, tmp_path: Path) -> None:
    source, output = tmp_path / "run.lh5", tmp_path / "set.lh5"
    assert run("simulate", "-o", source, "-n", "40")[0] == 0
    beside = tmp_path / "set.lh5.labels.json"
    beside.write_text("of other labels")
    assert run("label", source, "--method", "truth", "-o", output)[0] == 0
    assert not beside.exists()


def test_the_truth_of_another_run_is_not_replaced(run: Run, tmp_path: Path) -> None:
    first = tmp_path / "a.lh5"
    assert run("simulate", "-o", first, "-n", "40")[0] == 0
    truth = (tmp_path / "a.truth.h5").read_bytes()
    status, _, err = run("simulate", "-o", tmp_path / "a.BIN", "-n", "40", "--seed", "1")
    assert status == 1
    assert "its truth would replace that of" in err
    assert (tmp_path / "a.truth.h5").read_bytes() == truth
    assert not (tmp_path / "a.BIN").exists()
    assert run("simulate", "-o", first, "-n", "30")[0] == 0
    first.unlink()
    assert run("simulate", "-o", tmp_path / "a.BIN", "-n", "40")[0] == 0


def test_a_name_given_twice_is_not_settled_in_silence() -> None:
    with pytest.raises(typer.BadParameter, match="time is given twice: time=1 and time=2"):
        parse_pairs(["time=1", "time=2"], example="time=1")


def test_inspect_says_in_one_line_that_list_mode_has_nothing_to_draw(run: Run, tmp_path: Path) -> None:
    source = list_mode(tmp_path / "run.ade")
    status, out, err = run("inspect", source, "--plot", tmp_path / "x.png")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"discrimen label {source} --method band" in err
    assert not (tmp_path / "x.png").exists()
