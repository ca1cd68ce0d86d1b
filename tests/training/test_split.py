from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import Label, Pulses
from discrimen.training import TrainingConfig
from discrimen.training.split import Split, split_pulses


def pulses_of(labels: np.ndarray, **columns: Any) -> Pulses:
    samples = np.zeros((len(labels), 4), dtype=np.uint16)
    return Pulses(samples=samples, sample_period_ns=10.0, label=labels.astype(np.int8), **columns)


def mixed(n_pulses: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(2, size=n_pulses)


def in_time(n_pulses: int, seed: int = 0) -> np.ndarray:
    """Times of trigger in ps, ascending."""
    return np.cumsum(np.random.default_rng(seed).integers(1, 10**9, n_pulses))


def stretches(members: np.ndarray) -> int:
    """Number of stretches of neighbours among sorted positions."""
    return 1 + int(np.count_nonzero(np.diff(members) > 1))


def require_whole(split: Split, pulses: Pulses) -> None:
    """Every labelled pulse is on one side, every class on both, and the counts say so."""
    labels = pulses.column("label")
    assert not (split.training & split.validation).any()
    assert_array_equal(split.training | split.validation, labels != Label.UNKNOWN)
    told = split.as_dict()
    for name, side in (("training", split.training), ("validation", split.validation)):
        counts = {"n_gamma": int((labels[side] == 0).sum()), "n_neutron": int((labels[side] == 1).sum())}
        assert told[name] == counts
        assert min(counts.values()) > 0
    json.dumps(told, allow_nan=False)


def test_several_runs_are_split_by_run() -> None:
    run = np.repeat(np.arange(10), 100)
    pulses = pulses_of(mixed(1000), run=run, timestamp_ps=in_time(1000))
    split = split_pulses(pulses)
    require_whole(split, pulses)
    assert split.kind == "run"
    assert "10 runs" in split.describe()
    assert not set(run[split.training]) & set(run[split.validation])
    assert split.validation.sum() == 100


def test_runs_that_hold_more_than_the_wished_share_are_told() -> None:
    split = split_pulses(pulses_of(mixed(1000), run=np.repeat([0, 1], 500)))
    assert split.share == 0.5
    assert "50.0% of the pulses" in split.describe()
    assert "wished were 10.0%" in split.describe()


def test_the_seed_chooses_the_runs() -> None:
    pulses = pulses_of(np.tile([0, 1], 500), run=np.repeat(np.arange(10), 100))
    chosen = {int(np.flatnonzero(split_pulses(pulses, seed=seed).validation)[0]) for seed in range(8)}
    assert len(chosen) > 2
    assert_array_equal(split_pulses(pulses, seed=3).validation, split_pulses(pulses, seed=3).validation)


def test_files_are_runs_even_if_their_runs_have_one_number() -> None:
    files = [{"name": f"{name}.lh5", "n_pulses": 200} for name in "abc"]
    pulses = pulses_of(mixed(600), run=np.zeros(600, int), entry=np.tile(np.arange(200), 3))
    split = split_pulses(pulses, files=files)
    require_whole(split, pulses)
    assert split.kind == "run"
    assert split.validation.sum() == 200
    assert [run["name"] for run in split.runs] == ["a.lh5", "b.lh5", "c.lh5"]


def test_runs_of_one_class_each_are_split_by_run_where_both_classes_have_several() -> None:
    run = np.repeat(np.arange(6), 100)
    pulses = pulses_of((run >= 3).astype(int), run=run)
    split = split_pulses(pulses)
    require_whole(split, pulses)
    assert split.kind == "run"
    assert split.validation.sum() == 200


def test_one_file_of_each_class_is_split_by_time_within_each() -> None:
    files = [{"name": "gammas", "n_pulses": 400}, {"name": "neutrons", "n_pulses": 600}]
    times_ps = np.concatenate([in_time(400), in_time(600)])
    pulses = pulses_of(np.repeat([0, 1], [400, 600]), run=np.repeat([0, 1], [400, 600]), timestamp_ps=times_ps)
    split = split_pulses(pulses, files=files)
    require_whole(split, pulses)
    assert split.kind == "time"
    assert "no choice of whole runs" in split.describe()
    assert [run["validation"] for run in split.runs] == [
        {"n_gamma": 40, "n_neutron": 0},
        {"n_gamma": 0, "n_neutron": 60},
    ]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(n_pulses=st.integers(40, 2000), share=st.floats(0.05, 0.6), seed=st.integers(0, 9))
def test_a_single_run_is_split_into_blocks_of_neighbours(n_pulses: int, share: float, seed: int) -> None:
    pulses = pulses_of(mixed(n_pulses, seed), run=np.zeros(n_pulses, int), timestamp_ps=in_time(n_pulses))
    split = split_pulses(pulses, validation_share=share, seed=seed)
    require_whole(split, pulses)
    assert split.kind == "time"
    assert split.validation.sum() == round(share * n_pulses)
    assert stretches(np.flatnonzero(split.validation)) <= 5


def test_blocks_say_where_they_begin_and_end() -> None:
    times_ps = in_time(1000)
    pulses = pulses_of(mixed(1000), timestamp_ps=times_ps)
    (run,) = split_pulses(pulses).runs
    inside = np.zeros(1000, dtype=bool)
    for block in run["validation_blocks"]:
        members = (times_ps >= block["first_timestamp_ps"]) & (times_ps <= block["last_timestamp_ps"])
        assert members.sum() == block["n_gamma"] + block["n_neutron"]
        inside |= members
    assert_array_equal(inside, split_pulses(pulses).validation)


def test_time_counts_and_not_the_order_in_the_file() -> None:
    shuffled = np.random.default_rng(1).permutation(1000)
    times_ps = in_time(1000)
    split = split_pulses(pulses_of(mixed(1000), timestamp_ps=times_ps[shuffled]))
    by_time = np.flatnonzero(split.validation[np.argsort(shuffled)])
    assert stretches(by_time) <= 5


def test_pulses_of_one_event_stay_together() -> None:
    times_ps = np.repeat(in_time(300), 3)
    split = split_pulses(pulses_of(mixed(900), timestamp_ps=times_ps))
    assert not set(times_ps[split.training]) & set(times_ps[split.validation])
    assert split.runs[0]["ordered_by"] == "timestamp_ps"


def test_time_stamps_of_no_use_give_way_to_the_order_of_events() -> None:
    shuffled = np.random.default_rng(2).permutation(1000)
    split = split_pulses(pulses_of(mixed(1000), timestamp_ps=np.zeros(1000, np.int64), entry=shuffled))
    assert split.runs[0]["ordered_by"] == "entry"
    assert stretches(np.flatnonzero(split.validation[np.argsort(shuffled)])) <= 5


def test_pulses_without_runs_and_order_are_drawn_one_by_one_and_the_log_says_so() -> None:
    pulses = pulses_of(mixed(1000))
    split = split_pulses(pulses)
    require_whole(split, pulses)
    assert split.kind == "pulse"
    assert "neither runs nor an order in time" in split.describe()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(n_gamma=st.integers(2, 300), n_neutron=st.integers(2, 300), share=st.floats(0.01, 0.99), seed=st.integers(0, 9))
def test_single_pulses_are_drawn_with_the_share_of_each_class(
    n_gamma: int, n_neutron: int, share: float, seed: int
) -> None:
    labels = np.repeat([0, 1], [n_gamma, n_neutron])
    pulses = pulses_of(labels, run=np.zeros(len(labels), int))
    split = split_pulses(pulses, wish="pulse", validation_share=share, seed=seed)
    require_whole(split, pulses)
    for label in (0, 1):
        assert abs(split.validation[labels == label].sum() - share * (labels == label).sum()) <= 1


def test_a_wish_is_heard() -> None:
    pulses = pulses_of(mixed(1000), run=np.repeat(np.arange(10), 100), timestamp_ps=in_time(1000))
    for wish in ("run", "time", "pulse"):
        split = split_pulses(pulses, wish=wish)  # type: ignore[arg-type]
        require_whole(split, pulses)
        assert split.kind == wish
        assert f"split by {wish} (as asked)" in split.describe()


@pytest.mark.parametrize("names", [["3", "7"], ["c.lh5"]])
def test_named_runs_judge(names: list[str]) -> None:
    files = [{"name": f"{name}.lh5", "n_pulses": 250} for name in "abcd"]
    run = np.repeat([1, 3, 5, 7], 250)
    split = split_pulses(pulses_of(mixed(1000), run=run), files=files, validation_runs=names)
    assert split.kind == "run"
    assert set(run[split.validation]) == ({3, 7} if len(names) == 2 else {5})


def test_names_of_no_run_are_refused() -> None:
    pulses = pulses_of(mixed(100), run=np.repeat([1, 2], 50))
    with pytest.raises(SettingsError, match=r"no run '3'.*1 \(run 1\); 2"):
        split_pulses(pulses, validation_runs=["3"])
    with pytest.raises(SettingsError, match="split is by time"):
        split_pulses(pulses, validation_runs=["1"], wish="time")


def test_named_runs_of_one_class_are_refused() -> None:
    run = np.repeat([0, 1, 2], 50)
    pulses = pulses_of(np.where(run == 0, 0, mixed(150)), run=run)
    with pytest.raises(DataError, match="50 gammas and 0 neutrons for validation"):
        split_pulses(pulses, validation_runs=["0"])


def test_a_split_by_run_without_a_choice_is_refused() -> None:
    with pytest.raises(DataError, match="--split time"):
        split_pulses(pulses_of(mixed(100), run=np.zeros(100, int)), wish="run")
    with pytest.raises(DataError, match="2 runs"):
        split_pulses(pulses_of(np.repeat([0, 1], 50), run=np.repeat([0, 1], 50)), wish="run")


def test_blocks_that_cannot_hold_both_classes_are_refused() -> None:
    labels, times_ps = np.zeros(1000, int), np.arange(1000)
    labels[500:502], times_ps[500:502] = 1, 500  # both neutrons belong to one event
    with pytest.raises(DataError, match=r"0 neutrons.*--validation-share"):
        split_pulses(pulses_of(labels, timestamp_ps=times_ps))


def test_a_rare_class_is_found_on_both_sides() -> None:
    labels = np.zeros(400, dtype=int)
    labels[[50, 300]] = 1
    pulses = pulses_of(labels, timestamp_ps=np.arange(400))
    for seed in range(5):
        require_whole(split_pulses(pulses, seed=seed), pulses)


@pytest.mark.parametrize(("n_gamma", "n_neutron"), [(10, 0), (0, 10), (1, 10), (0, 0)])
def test_a_class_with_fewer_than_two_pulses_is_refused(n_gamma: int, n_neutron: int) -> None:
    with pytest.raises(DataError, match=f"got {n_gamma} gammas and {n_neutron} neutrons"):
        split_pulses(pulses_of(np.repeat([0, 1], [n_gamma, n_neutron])))


def test_pulses_without_a_label_are_on_no_side() -> None:
    labels = mixed(1000)
    labels[::3] = Label.UNKNOWN
    pulses = pulses_of(labels, run=np.repeat(np.arange(4), 250))
    for wish in ("run", "time", "pulse"):
        require_whole(split_pulses(pulses, wish=wish), pulses)  # type: ignore[arg-type]


def test_runs_of_a_single_pulse_can_teach_only() -> None:
    run = np.concatenate([np.zeros(99), [1]]).astype(int)
    labels = np.concatenate([mixed(99), [1]])
    split = split_pulses(pulses_of(labels, run=run), wish="time")
    assert not split.validation[-1]


def test_a_configuration_makes_the_same_split() -> None:
    pulses = pulses_of(mixed(1000), timestamp_ps=in_time(1000))
    config = TrainingConfig(split="time", validation_share=0.2, seed=5)
    expected = split_pulses(pulses, wish="time", validation_share=0.2, seed=5)
    assert_array_equal(config.split_of(pulses).validation, expected.validation)


@pytest.mark.parametrize("wrong", [{"split": "event"}, {"validation_runs": "run1"}])
def test_a_configuration_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        TrainingConfig(**wrong)
