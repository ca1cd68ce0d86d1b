"""A run that is scored in parts gives the file, and the counts, of the run that is scored in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.errors import DataError, FormatError
from discrimen.formats.base import PartedReader, ReadOptions
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.load import load_model
from discrimen.network.thresholds import ChosenThreshold
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.scoring.classification import Classification
from discrimen.scoring.classify import classify_run
from discrimen.scoring.discriminator import Discriminator
from discrimen.scoring.parts import cut_run, join_parts, score_part
from discrimen.scoring.run_scoring import ScoringWish
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate

SAMPLE_MODEL = Path(__file__).parents[2] / "cpp" / "examples" / "sample" / "bc501a_10ns.discrimen"
N_PULSES = 6_007
SETTINGS = DetectorSettings(
    sample_period_ns=10.0,
    polarity="negative",
    gates=GatesNs(gate_start_ns=-20, short_gate_end_ns=30, long_gate_end_ns=250),
)
OPTIONS = ReadOptions(settings=SETTINGS, chunk_bytes=40_000)
WISHES = {
    "plain": ScoringWish(),
    "flag, one channel": ScoringWish(pile_up="flag", selection=ChannelSelection(channels=(1,))),
    "veto, no PSD": ScoringWish(pile_up="veto", with_psd=False),
}


@pytest.fixture(scope="module")
def pulses() -> Pulses:
    made = simulate(SimulationConfig(n_pulses=N_PULSES, n_channels=2, rate_hz=20_000.0, seed=4))
    return made.replace(label=None, entry=np.arange(N_PULSES), flags=np.zeros(N_PULSES, np.uint32))


@pytest.fixture(scope="module")
def model() -> Discriminator:
    loaded = load_model(SAMPLE_MODEL, threads=1)
    return Discriminator(predictor=loaded.predictor, sha256=loaded.sha256, threshold=ChosenThreshold(0.5))


def written(path: Path, pulses: Pulses) -> Path:
    if path.suffix == ".npy":
        np.save(path, pulses.samples)
        return path
    with open_writer(path, SETTINGS) as writer:
        for start in range(0, N_PULSES, 1000):
            writer.write(pulses[start : start + 1000])
    return path


def in_parts(run: Path, model: Discriminator, output: Path, *, wish: ScoringWish) -> Classification:
    folder = output.with_suffix(".parts")
    reader = open_reader(run, OPTIONS)
    assert isinstance(reader, PartedReader)
    parts = cut_run(reader, run.stat().st_size // 4)
    assert len(parts) in (3, 4)
    for part in reversed(parts):
        score_part(reader, model, part, folder, wish=wish)
    return join_parts(reader, model, parts, folder, output, wish=wish)


def without_times(done: Classification) -> dict[str, Any]:
    return {
        name: value for name, value in done.as_dict().items() if name not in ("output", "seconds", "n_pulses_per_s")
    }


@pytest.mark.parametrize(
    ("run_name", "wish", "suffix"),
    [
        ("run.BIN", "plain", ".h5"),
        ("run.BIN", "flag, one channel", ".parquet"),
        ("run.lh5", "veto, no PSD", ".csv"),
        ("run.root", "plain", ".h5"),
        ("run.npy", "plain", ".h5"),
    ],
)
def test_parts_give_the_file_of_the_whole(
    run_name: str, wish: str, suffix: str, tmp_path: Path, pulses: Pulses, model: Discriminator
) -> None:
    run = written(tmp_path / run_name, pulses)
    whole = classify_run(open_reader(run, OPTIONS), model, tmp_path / f"whole{suffix}", wish=WISHES[wish])
    joined = in_parts(run, model, tmp_path / f"joined{suffix}", wish=WISHES[wish])
    assert joined.output.read_bytes() == whole.output.read_bytes()
    assert without_times(joined) == without_times(whole)
    assert whole.n_neutron > 100


def test_a_run_that_is_refused_as_a_whole_is_refused_from_parts(
    tmp_path: Path, pulses: Pulses, model: Discriminator
) -> None:
    samples = pulses.samples.copy()
    samples[N_PULSES // 2 :] = samples[:1, :1]
    run = written(tmp_path / "run.BIN", pulses.replace(samples=samples))
    told = []
    for classify in (
        lambda: classify_run(open_reader(run, OPTIONS), model, tmp_path / "whole.h5"),
        lambda: in_parts(run, model, tmp_path / "joined.h5", wish=ScoringWish()),
    ):
        with pytest.raises(DataError) as refused:
            classify()
        told.append(str(refused.value))
    assert "unlike those that the model was trained on" in told[0]
    assert "unlike those that the model was trained on" in told[1]
    assert not (tmp_path / "joined.h5").exists()


def test_a_part_with_damage_is_refused(tmp_path: Path, pulses: Pulses, model: Discriminator) -> None:
    run = written(tmp_path / "run.BIN", pulses)
    content = bytearray(run.read_bytes())
    content[1000:2000] = b"\xff" * 1000
    run.write_bytes(content)
    with pytest.raises(FormatError, match=r"damaged events|expected"):
        in_parts(run, model, tmp_path / "joined.h5", wish=ScoringWish())
    assert not list(tmp_path.glob("**/part-00000.npz"))


def test_a_clock_that_was_set_back_between_parts_is_left_to_the_whole(
    tmp_path: Path, pulses: Pulses, model: Discriminator
) -> None:
    stamps = pulses.column("timestamp_ps").copy()
    stamps[: N_PULSES // 2] += 5 * 10**12
    run = written(tmp_path / "run.BIN", pulses.replace(timestamp_ps=stamps))
    with pytest.raises(DataError, match="clock was set back"):
        in_parts(run, model, tmp_path / "joined.h5", wish=ScoringWish())


def test_a_small_run_is_not_cut(tmp_path: Path, pulses: Pulses) -> None:
    run = written(tmp_path / "run.BIN", pulses)
    assert cut_run(open_reader(run, OPTIONS), run.stat().st_size) == []
    assert len(cut_run(open_reader(run, OPTIONS), run.stat().st_size // 2)) == 2
