"""Classification of a run: selection, counts, provenance, what a finished file is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.scoring.small_model import (
    N_LONG,
    N_SHORT,
    long_records,
    short_records,
    small_predictor,
    write_run,
    write_small_model,
)
from tests.training.toy_pulses import PREPARATION

from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.formats.table import open_reader
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.inference.verdict import MOST_OUTSIDE
from discrimen.network.domain import Outside
from discrimen.network.height_curve import Cut, HeightCurve
from discrimen.network.prepare import heights_of
from discrimen.network.thresholds import ChosenThreshold
from discrimen.pulses.detector import DetectorSettings
from discrimen.scoring.classification import Classification
from discrimen.scoring.classify import classify_run
from discrimen.scoring.discriminator import Discriminator
from discrimen.scoring.outputs import is_complete
from discrimen.scoring.pile_up import PileUp, PileUpMode
from discrimen.scoring.rates import RunTime
from discrimen.scoring.run_scoring import ScoringWish
from discrimen.scoring.scores import read_attributes, read_scores

BOARD_0 = ChannelSelection(boards=(0,))


@pytest.fixture
def predictor(tmp_path: Path) -> ReferencePredictor:
    return small_predictor(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run.BIN", long_records()[:100], short_records(), long_records()[100:])


def at(predictor: ReferencePredictor, threshold: Cut = 0.5, sha256: str = "ab") -> Discriminator:
    return Discriminator(predictor=predictor, sha256=sha256, threshold=ChosenThreshold(threshold))


def classified(
    run: Path,
    predictor: ReferencePredictor,
    output: Path,
    *,
    selection: ChannelSelection = BOARD_0,
    threshold: Cut = 0.5,
    compress: bool = False,
    chunk_bytes: int = 2**20,
    most_outside: float = MOST_OUTSIDE,
    pile_up: PileUpMode | None = None,
) -> Classification:
    reader = open_reader(run, ReadOptions(chunk_bytes=chunk_bytes))
    return classify_run(
        reader,
        at(predictor, threshold),
        output,
        wish=ScoringWish(selection=selection, most_outside=most_outside, pile_up=pile_up),
        compress=compress,
    )


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
@pytest.mark.parametrize("chunk_bytes", [1000, 2**20])
def test_scores_are_those_of_the_predictor(
    tmp_path: Path, run: Path, predictor: ReferencePredictor, suffix: str, chunk_bytes: int
) -> None:
    done = classified(run, predictor, tmp_path / f"scores{suffix}", chunk_bytes=chunk_bytes)
    rows = read_scores(done.output).rows
    expected = predictor.predict(long_records().samples)
    np.testing.assert_allclose(rows.score, expected, atol=1e-6)
    np.testing.assert_array_equal(rows.entry, np.r_[0:100, 100 + N_SHORT : N_LONG + N_SHORT])
    np.testing.assert_array_equal(rows.timestamp_ps, long_records().timestamp_ps)
    assert (done.n_neutron, done.n_gamma) == ((expected[:, 1] >= 0.5).sum(), (expected[:, 1] < 0.5).sum())


def test_a_board_with_short_records_does_not_stop_the_others(
    tmp_path: Path, run: Path, predictor: ReferencePredictor
) -> None:
    with pytest.raises(DataError, match="records of 20 samples"):
        classified(run, predictor, tmp_path / "scores.h5", selection=ChannelSelection())
    assert not (tmp_path / "scores.h5").exists()
    done = classified(run, predictor, tmp_path / "scores.h5")
    assert (done.report.n_read, done.n_other_channels) == (N_LONG + N_SHORT, N_SHORT)
    assert done.n_neutron + done.n_gamma + done.n_not_scored == N_LONG


def test_channels_are_chosen_and_absent_ones_named(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    selection = ChannelSelection(boards=(0,), channels=(3, 1, 9))
    done = classified(run, predictor, tmp_path / "scores.h5", selection=selection)
    table = read_scores(done.output)
    assert table.rows.channel is not None
    assert set(table.rows.channel.tolist()) == {1, 3}
    assert len(table.rows) == N_LONG // 2
    assert done.absent == ("channel 9",)
    assert (table.attributes["boards"], table.attributes["channels"]) == ("0", "1, 3, 9")


def test_a_selection_without_pulses_is_refused(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    with pytest.raises(
        DataError, match="none of its 300 pulses is of channel 8; it holds boards 0 1, channels 0 1 2 3"
    ):
        classified(run, predictor, tmp_path / "scores.h5", selection=ChannelSelection(channels=(8,)))
    assert not (tmp_path / "scores.h5").exists()


def test_a_friend_tree_keeps_a_row_for_what_was_not_chosen(
    tmp_path: Path, run: Path, predictor: ReferencePredictor
) -> None:
    import uproot

    classified(run, predictor, tmp_path / "scores.root")
    with uproot.open(tmp_path / "scores.root") as file:
        has_pulse = file["discrimen"]["has_pulse"].array(library="np")
    assert len(has_pulse) == N_LONG + N_SHORT
    assert np.flatnonzero(~has_pulse).tolist() == list(range(100, 100 + N_SHORT))


def test_damaged_events_are_reported(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    run.write_bytes(run.read_bytes()[:-7])
    done = classified(run, predictor, tmp_path / "scores.h5")
    assert done.as_dict()["damaged"]["truncated last event"]["count"] == 1
    assert done.n_neutron + done.n_gamma + done.n_not_scored == N_LONG - 1


def test_the_speed_counts_every_pulse_that_was_read(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    result = classified(run, predictor, tmp_path / "scores.h5").as_dict()
    assert result["seconds"] > 0
    assert result["n_pulses_per_s"] == pytest.approx((N_LONG + N_SHORT) / result["seconds"])


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"threshold": 0.7}, "threshold"),
        ({"selection": ChannelSelection()}, "boards"),
        ({"selection": ChannelSelection((0,), (1,))}, "channels"),
        ({"model_sha256": "cd"}, "model_sha256"),
        ({"pile_up": "flag"}, "pile_up"),
    ],
)
def test_scores_made_otherwise_are_not_taken_for_these(
    tmp_path: Path, run: Path, predictor: ReferencePredictor, changed: dict[str, object], what: str
) -> None:
    output = tmp_path / "scores.h5"
    info = open_reader(run).info

    def identity(*, model_sha256: str = "ab", threshold: float = 0.5, **asked: object) -> dict[str, str]:
        asked.setdefault("selection", BOARD_0)
        return ScoringWish(**asked).identity(info, at(predictor, threshold, model_sha256))  # type: ignore[arg-type]

    assert not is_complete(output, identity())
    classified(run, predictor, output)
    assert is_complete(output, identity())
    with pytest.raises(OutputError, match=f"another {what}; remove them.*--overwrite"):
        is_complete(output, identity(**changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
def test_a_file_of_scores_tells_how_its_neutrons_were_chosen_by_height(tmp_path: Path, run: Path, suffix: str) -> None:
    samples = long_records().samples
    low, high = np.quantile(heights_of(samples, PREPARATION), (0.2, 0.8))
    curve = HeightCurve((float(low), float(high)), (0.1, 0.9))
    predictor = ReferencePredictor(write_small_model(tmp_path / "curved.discrimen", threshold=curve))
    done = classified(run, predictor, tmp_path / f"scores{suffix}", threshold=curve)
    rows, stored = read_scores(done.output).rows, json.loads(read_attributes(done.output)["threshold"])
    np.testing.assert_array_equal(rows.height_adc, heights_of(samples, PREPARATION))
    assert rows.height_adc is not None
    passes = rows.score[:, 1] >= HeightCurve.from_dict(stored).at(rows.height_adc)
    assert 0 < done.n_neutron == passes.sum() != (rows.score[:, 1] >= 0.5).sum()
    assert done.as_dict()["threshold"] == stored == curve.as_dict()


def test_scores_just_below_the_threshold_are_gammas(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    highest = float(predictor.predict(long_records().samples)[:, 1].max())
    at, above = (
        classified(run, predictor, tmp_path / f"{name}.h5", threshold=threshold)
        for name, threshold in (("at", highest), ("above", float(np.nextafter(highest, 2))))
    )
    assert (at.n_neutron > 0, above.n_neutron) == (True, 0)


def test_compressing_changes_the_file_and_not_the_scores(
    tmp_path: Path, run: Path, predictor: ReferencePredictor
) -> None:
    plain, small = tmp_path / "plain.h5", tmp_path / "small.h5"
    classified(run, predictor, plain)
    classified(run, predictor, small, compress=True)
    assert small.stat().st_size < plain.stat().st_size
    np.testing.assert_array_equal(read_scores(small).rows.score, read_scores(plain).rows.score)
    # What is compressed is the same result: a re-run without the option takes it as complete.
    assert read_attributes(plain) == read_attributes(small)


def test_a_run_that_does_not_tell_channels_cannot_be_chosen_from(tmp_path: Path, predictor: ReferencePredictor) -> None:
    np.save(tmp_path / "run.npy", long_records().samples)
    reader = open_reader(tmp_path / "run.npy", ReadOptions(settings=DetectorSettings(sample_period_ns=10.0)))
    with pytest.raises(DataError, match="does not tell the board"):
        classify_run(reader, at(predictor), tmp_path / "scores.h5", wish=ScoringWish(selection=BOARD_0))
    assert not (tmp_path / "scores.h5").exists()


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> ReferencePredictor:
    """Return the small model, which knows the pulses that it was trained on."""
    path = tmp_path_factory.mktemp("knowing") / "knowing.discrimen"
    return ReferencePredictor(write_small_model(path, domain=True))


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
def test_pulses_like_the_trained_ones_have_a_column_that_says_so(
    tmp_path: Path, run: Path, knowing: ReferencePredictor, suffix: str
) -> None:
    done = classified(run, knowing, tmp_path / f"scores{suffix}")
    rows = read_scores(done.output).rows
    assert rows.outside is not None
    assert rows.outside.dtype == np.uint16
    assert rows.outside.tolist() == [0] * N_LONG
    assert done.as_dict()["outside"]["n_outside"] == done.outside[""].n_outside == 0


def test_a_model_that_does_not_know_its_domain_says_nothing_of_the_pulses(
    tmp_path: Path, run: Path, predictor: ReferencePredictor
) -> None:
    done = classified(run, predictor, tmp_path / "scores.h5")
    assert not done.outside
    assert done.as_dict()["outside"] is None
    assert read_scores(done.output).rows.outside is None


def early_run(tmp_path: Path, name: str = "early.BIN") -> Path:
    """Write the run with its pulses 100 ns earlier in the record, where the model takes the baseline from."""
    pulses = long_records()
    return write_run(tmp_path / name, pulses.replace(samples=np.roll(pulses.samples, -10, axis=1)))


def test_a_run_that_is_unlike_the_trained_pulses_is_refused(tmp_path: Path, knowing: ReferencePredictor) -> None:
    with pytest.raises(DataError, match=r"240 of 240 pulses .* inside the baseline window .* --accept takes the run"):
        classified(early_run(tmp_path), knowing, tmp_path / "scores.h5")
    assert not (tmp_path / "scores.h5").exists()


def test_a_large_run_is_refused_as_soon_as_nothing_can_make_it_good(
    tmp_path: Path, knowing: ReferencePredictor
) -> None:
    with pytest.raises(DataError, match=r"early.lh5: \d\d? of \d\d? pulses"):
        classified(early_run(tmp_path, "early.lh5"), knowing, tmp_path / "scores.h5", chunk_bytes=2000)


def test_a_run_that_is_accepted_has_its_flags_and_no_score_where_the_edge_spoils_the_baseline(
    tmp_path: Path, knowing: ReferencePredictor
) -> None:
    done = classified(early_run(tmp_path), knowing, tmp_path / "scores.h5", most_outside=1.0)
    rows = read_scores(done.output).rows
    assert rows.outside is not None
    spoiled = (rows.outside & Outside.EDGE_IN_BASELINE) != 0
    assert spoiled.sum() == done.n_not_scored == N_LONG
    assert np.isnan(rows.score[spoiled]).all()


def test_a_share_that_is_none_is_refused(tmp_path: Path, run: Path, knowing: ReferencePredictor) -> None:
    with pytest.raises(SettingsError, match="share from 0 to 1"):
        classified(run, knowing, tmp_path / "scores.h5", most_outside=1.5)


def piled_run(tmp_path: Path) -> Path:
    """Write the run with a second pulse on each tenth of board 0."""
    pulses = long_records()
    samples = pulses.samples.astype(np.int32)
    second = 8000 - np.roll(samples[::10], 25, axis=1)
    second[:, :25] = 0
    samples[::10] -= second
    return write_run(tmp_path / "piled.BIN", pulses.replace(samples=np.clip(samples, 0, 65535).astype(np.uint16)))


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
def test_second_pulses_are_flagged_and_left_out_of_the_counts_by_choice(
    tmp_path: Path, predictor: ReferencePredictor, suffix: str
) -> None:
    flagged, vetoed = (
        classified(piled_run(tmp_path), predictor, tmp_path / f"{mode}{suffix}", pile_up=mode)  # type: ignore[arg-type]
        for mode in ("flag", "veto")
    )
    rows = read_scores(flagged.output).rows
    assert rows.pile_up is not None
    assert rows.pile_up.dtype == np.uint8
    assert np.flatnonzero(rows.pile_up).tolist() == list(range(0, N_LONG, 10))
    assert set(rows.pile_up.tolist()) == {0, PileUp.IN_RECORD}
    assert flagged.pile_up.found == 0.1
    assert (flagged.n_vetoed, vetoed.n_vetoed) == (0, N_LONG // 10)
    assert flagged.n_neutron + flagged.n_gamma == vetoed.n_neutron + vetoed.n_gamma + N_LONG // 10 == N_LONG
    np.testing.assert_array_equal(read_scores(vetoed.output).rows.score, rows.score)


def test_nobody_who_does_not_ask_gets_the_column(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    done = classified(run, predictor, tmp_path / "scores.h5")
    assert read_scores(done.output).rows.pile_up is None
    assert done.as_dict()["pile_up"]["found"] is None


def test_rates_come_with_the_counts_of_each_channel(tmp_path: Path, run: Path, predictor: ReferencePredictor) -> None:
    done = classified(run, predictor, tmp_path / "scores.h5")
    assert isinstance(done.time, RunTime)
    # 240 pulses, one each microsecond, in records of 750 ns on four channels.
    assert done.time.real_time_s == pytest.approx(239e-6)
    assert done.time.total("pulses").value_hz == pytest.approx(1e6 / (1 - 60 * 0.75 / 239))
    result = done.as_dict()
    assert [(row["channel"], row["n_pulses"]) for row in result["channels"]] == [(n, 60) for n in range(4)]
    assert sum(row["n_neutron"] for row in result["channels"]) == done.n_neutron
