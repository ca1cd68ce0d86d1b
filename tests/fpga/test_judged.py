"""Leakage of networks for a chip: ranges of light, the threshold, the choice."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.fpga.float_network import Labelled, cross_entropy, network_input, neutron_score
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.judged import Target, judge, parse_target, threshold_of
from discrimen.fpga.training_config import ChipTrainingConfig
from discrimen.fpga.training_result import Candidate
from discrimen.fpga.training_run import choose
from discrimen.metrics.energy_bins import EnergyBin

LOW, HIGH = Target(EnergyBin(50, 100), 0.9), Target(EnergyBin(100, 150), 0.5)


def windows() -> Labelled:
    label = np.tile(np.repeat([0, 1], 100), 2).astype(np.int8)
    light = np.repeat([70.0, 120.0], 200).astype(np.float32)
    return Labelled(values=np.zeros((400, 4), np.int32), label=label, light_kevee=light)


SCORES = np.concatenate([np.arange(-90, 10), np.arange(-5, 95), np.full(100, -3.0), np.full(100, 3.0)]).astype(float)


def test_leakage_of_each_range_and_its_threshold() -> None:
    found = judge(SCORES, windows(), (LOW, HIGH))
    (_, low), (_, high) = found.leakages
    assert (low.leakage, low.threshold) == (0.05, 5.0)
    assert (high.leakage, high.threshold) == (0.0, 3.0)
    assert threshold_of(SCORES, windows(), LOW) == 5.0
    assert found.smoothed_log_leakage == pytest.approx((np.log(5.5 / 101) + np.log(0.5 / 101)) / 2)
    assert found.accuracy == (91 + 94 + 200) / 400
    assert "5.00 %" in found.in_words
    assert found.as_dict()["leakage"]["50-100 keVee at 90 %"]["n_gamma"] == 100


def test_too_few_pulses_and_unknown_light_are_refused() -> None:
    with pytest.raises(DataError, match="0 gammas and 0 neutrons in 200-300 keVee"):
        judge(SCORES, windows(), (Target(EnergyBin(200, 300), 0.9),))
    blind = Labelled(values=windows().values, label=windows().label)
    with pytest.raises(DataError, match="no light"):
        judge(SCORES, blind, (LOW,))


def test_targets_are_parsed() -> None:
    assert parse_target("50:100:0.9") == LOW
    for wrong in ("50:100", "100:50:0.9", "50:100:95", "a:b:c"):
        with pytest.raises(SettingsError, match=r"50:100:0\.95|goes upwards"):
            parse_target(wrong)


def candidate(ebops: int, shift: float) -> Candidate:
    scores = SCORES + np.where(windows().label == 0, shift, 0)
    judged = judge(scores, windows(), (LOW,))
    return Candidate(
        beta=1e-5, seed=0, ebops=ebops, adders=1.0, luts=ebops + 100, validation=judged, test=None, model=None
    )


def test_least_leakage_of_the_small_enough_is_chosen() -> None:
    large, small, smaller = candidate(3000, -20.0), candidate(2000, -2.0), candidate(1000, 5.0)
    assert choose([small, large, smaller], most_ebops=None) is large
    assert choose([smaller, small, large], most_ebops=2000) is small
    assert choose([smaller, small, large], most_luts=2100) is small
    assert choose([smaller, small, large], most_luts=2099) is smaller
    with pytest.raises(SettingsError, match="at most 999 EBOPs, the smallest 1000 EBOPs, 1100 look-up tables"):
        choose([large, smaller], most_ebops=999)


def test_config_refuses_what_cannot_be() -> None:
    with pytest.raises(SettingsError, match="must be positive"):
        ChipTrainingConfig(front_end=FrontEnd(), betas=(1e-5, 0.0))
    for architecture, options, message in (
        ("mlp", {"hidden": "10,0"}, r"options of mlp \(hidden\): hidden\.1: .*greater than 0"),
        ("cnn", {"hidden": "10"}, r"options of cnn \(filters, kernel, pool\): hidden: Extra inputs"),
        ("cnn", {"pool": "3"}, "pool: .*must be a power of two, got '3'"),
        ("lstm", {}, "one of mlp, patches, cnn, got 'lstm'"),
    ):
        with pytest.raises(SettingsError, match=message):
            ChipTrainingConfig(front_end=FrontEnd(), architecture=architecture, options=options)


def test_input_is_exact_and_cross_entropy_is_analytic() -> None:
    counts = np.array([[-16383, -1, 0, 1, 16383]])
    np.testing.assert_array_equal(network_input(counts).astype(float) * 1024, counts)
    logits = np.array([[0.0, np.log(3.0)], [2.0, 2.0]])
    assert cross_entropy(logits, np.array([1, 0])) == pytest.approx((np.log(4 / 3) + np.log(2)) / 2)
    assert neutron_score(logits).tolist() == [np.log(3.0), 0.0]
