"""``discrimen calibrate`` on simulated runs, on list mode, and on what it must refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.calibration.spectra import scattered_once_kev

from discrimen.formats.abcd.events import EVENT
from discrimen.pulses.detector import read_settings
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate Cs-137 and Na-22 in two channels whose gains differ by a factor of 1.19."""
    folder = tmp_path_factory.mktemp("runs")
    for source in ("Cs-137", "Na-22"):
        config = SimulationConfig(
            n_pulses=8000, spectrum=source, n_channels=2, channel_gain_spread=0.2, setup_seed=5, n_samples=40
        )  # fmt: skip
        simulate_run(config, folder / f"{source}.lh5")
    return folder


def list_mode(path: Path, *, kev_per_unit: tuple[float, ...] = (0.25, 0.4), n: int = 4000) -> Path:
    """Write channels that saw Cs-137, each with its gain."""
    rng = np.random.default_rng(3)
    light = scattered_once_kev("Cs-137", n * len(kev_per_unit), rng)
    light += rng.normal(size=len(light)) * 0.05 * np.sqrt(400 * light)
    rng.shuffle(light)
    made = np.zeros(len(light), EVENT)
    made["channel"] = np.arange(len(light)) % len(kev_per_unit)
    made["qlong"] = np.clip(light / np.array(kev_per_unit)[made["channel"]], 1, 60_000)
    made["qshort"] = made["qlong"] // 2
    made["timestamp"] = np.arange(len(light)) * 1000
    path.write_bytes(made.tobytes())
    return path


def write_settings(path: Path, **values: object) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path


def test_two_sources_calibrate_every_channel(run: Run, runs: Path, tmp_path: Path) -> None:
    output, files = tmp_path / "det.yaml", (runs / "Cs-137.lh5", runs / "Na-22.lh5")
    sources = ("--source", "Cs-137", "--source", "na-22")
    status, out, err = run("calibrate", *files, *sources, "-o", output, "--plot", tmp_path / "fit.png", "--json")
    assert status == 0, err
    result = json.loads(out)
    truth = read_settings_of_simulation(runs)
    gains = [channel["line"]["gain_kevee_per_unit"] for channel in result["channels"]]
    np.testing.assert_allclose(gains, truth, rtol=0.02)
    written = read_settings(output).calibration
    assert written is not None
    assert written.channels is not None
    assert [each.gain_kevee_per_unit for each in written.channels] == pytest.approx(gains, rel=1e-5)
    assert output.read_text().startswith("# Light calibrated by discrimen calibrate")
    assert [Path(plot).name for plot in result["plots"]] == ["fit-b0c0.png", "fit-b0c1.png"]
    assert all(Path(plot).stat().st_size > 20_000 for plot in result["plots"])


def read_settings_of_simulation(runs: Path) -> list[float]:
    """Return the true gains of both channels: those of the simulation over the relative gains of its set-up."""
    from discrimen.simulation.settings import detector_settings
    from discrimen.simulation.setup import Setup

    config = SimulationConfig(
        n_pulses=1, spectrum="Cs-137", n_channels=2, channel_gain_spread=0.2, setup_seed=5, n_samples=40
    )  # fmt: skip
    calibration = detector_settings(config).calibration
    assert calibration is not None
    assert calibration.gain_kevee_per_unit is not None
    return [calibration.gain_kevee_per_unit / float(gain) for gain in Setup.of(config).gain[0]]


def test_the_table_fits_80_columns(run: Run, runs: Path) -> None:
    status, out, err = run("calibrate", runs / "Cs-137.lh5", "--source", "Cs-137", "--channel", "1")
    assert status == 0, err
    assert "board 0 channel 1, long_charge_adc_ns" in out
    assert "channel 0" not in out
    assert "offset 0 (line through zero)" in out
    assert max(map(len, out.splitlines())) <= 80


def test_list_mode_is_calibrated_in_the_units_of_the_digitizer(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "det.yaml"
    status, out, err = run("calibrate", list_mode(tmp_path / "cs.ade"), "--source", "Cs-137", "-o", output, "--json")
    assert status == 0, err
    assert [channel["line"]["gain_kevee_per_unit"] for channel in json.loads(out)["channels"]] == pytest.approx(
        [0.25, 0.4], rel=0.02
    )
    calibration = read_settings(output).calibration
    assert calibration is not None
    assert calibration.quantity == "energy"


def test_a_channel_without_an_edge_is_told_and_left_out(run: Run, tmp_path: Path) -> None:
    source = list_mode(tmp_path / "cs.ade")
    events = np.frombuffer(source.read_bytes(), EVENT).copy()
    falling = np.random.default_rng(1).exponential(900, len(events)) + 1
    events["qlong"] = np.where(events["channel"] == 1, falling, events["qlong"])
    source.write_bytes(events.tobytes())
    output = tmp_path / "det.yaml"
    status, _, err = run("calibrate", source, "--source", "Cs-137", "-o", output)
    assert status == 0, err
    assert "board 0 channel 1: not calibrated: no Compton edge of Cs-137 (477 keVee) between" in err
    calibration = read_settings(output).calibration
    assert calibration is not None
    assert [each.channel for each in calibration.channels or ()] == [0]


def test_channels_of_the_file_that_the_run_lacks_keep_their_line(run: Run, tmp_path: Path) -> None:
    line = {"channel": 7, "gain_kevee_per_unit": 0.5}
    before = write_settings(tmp_path / "old.yaml", calibration={"quantity": "energy", "channels": [line]})
    source, output = list_mode(tmp_path / "cs.ade", kev_per_unit=(0.25,)), tmp_path / "new.yaml"
    status, _, err = run("calibrate", source, "--source", "Cs-137", "--settings", before, "-o", output)
    assert status == 0, err
    assert "kept from --settings, as the runs have no such channel: board 0 channel 7" in err
    calibration = read_settings(output).calibration
    assert calibration is not None
    assert [each.channel for each in calibration.channels or ()] == [0, 7]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"polarity": "positive"}, "polarity is negative in the file, but positive in"),
        ({"sample_period_ns": 2.0}, "sample_period_ns is 10.0 in the file, but 2.0"),
        (
            {"calibration": {"quantity": "peak_adc", "channels": [{"channel": 7, "gain_kevee_per_unit": 0.5}]}},
            "calibrate board 0 channel 7 in peak_adc; the runs have no such channel, and this calibration is in long",
        ),
    ],
)
def test_settings_of_another_detector_are_refused(
    run: Run, runs: Path, tmp_path: Path, settings: dict[str, object], told: str
) -> None:
    given = write_settings(tmp_path / "other.yaml", **settings)
    arguments = ("--quantity", "long_charge_adc_ns", "--settings", given)
    status, out, err = run("calibrate", runs / "Cs-137.lh5", "--source", "Cs-137", *arguments)
    assert (status, out) == (1, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("--source", "Eu-152"), 2, "no Compton edges are known of a source 'Eu-152'"),
        (("--source", "Cs-137", "--source", "Co-60", "--source", "Na-22"), 2, "once for each of the 1 files; got 3"),
        (("--source", "Cs-137", "--range", "9:3"), 2, "0 < LOW < HIGH"),
        (("--source", "Cs-137", "--channel", "9"), 1, "is of channel 9; it holds boards 0, channels 0"),
        (("--source", "Cs-137", "--range", "90000:99000"), 1, "no Compton edge of Cs-137 (477 keVee) between 9e+04"),
    ],
)
def test_what_cannot_be_calibrated_is_one_line(
    run: Run, runs: Path, arguments: tuple[str, ...], status: int, told: str
) -> None:
    ended, out, err = run("calibrate", runs / "Cs-137.lh5", *arguments)
    assert (ended, out) == (status, "")
    assert told in " ".join(err.replace("│", " ").split())


def test_no_input_and_no_other_file_is_replaced(run: Run, tmp_path: Path) -> None:
    source = list_mode(tmp_path / "cs.ade", kev_per_unit=(0.25,))
    output = write_settings(tmp_path / "det.yaml", name="by hand")
    status, _, err = run("calibrate", source, "--source", "Cs-137", "-o", source)
    assert status == 1
    assert "this is an input" in err
    status, _, err = run("calibrate", source, "--source", "Cs-137", "-o", output)
    assert status == 1
    assert "there already; choose another name, or replace it with --overwrite" in err
    assert read_settings(output).name == "by hand"
    status, _, err = run("calibrate", source, "--source", "Cs-137", "-o", output, "--overwrite")
    assert status == 0, err
    assert read_settings(output).calibration is not None
