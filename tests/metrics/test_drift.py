"""The drift statistic: false alarms, power, merging, streaming, storage."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from discrimen.errors import DataError, SettingsError
from discrimen.metrics.drift import Drift, DriftCounts, DriftMonitor, DriftReference
from discrimen.metrics.drift_tests import shape_p_value, shift_p_value

SPLIT = {"logit": "peak_adc"}


def figures(n_pulses: int, seed: int, *, gain: float = 1.0, blur: float = 1.0) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    peak = gain * rng.exponential(500, n_pulses)
    logit = np.where(rng.random(n_pulses) < 0.4, 4.0, -4.0) + blur * rng.standard_normal(n_pulses) / np.sqrt(peak / 500)
    return {"logit": logit, "peak_adc": peak}


@pytest.fixture(scope="module")
def reference() -> DriftReference:
    return DriftReference.of(figures(20_000, 1), split=SPLIT)


def chances(verdict: Drift) -> list[tuple[str, float, float]]:
    return [(figure.name, figure.p_shape, figure.p_shift) for figure in verdict.figures]


def drifted(reference: DriftReference, values: dict[str, NDArray[np.float64]], rate: float = 1e-3) -> tuple[str, ...]:
    return DriftCounts.none(reference).with_pulses(values).drift(false_alarm_rate=rate).drifted


def test_false_alarms_come_at_no_more_than_the_stated_rate() -> None:
    alarms = 0
    for number in range(20):
        reference = DriftReference.of(figures(5000, 100 + number), split=SPLIT)
        alarms += sum(bool(drifted(reference, figures(1000, 1000 * number + run), 0.05)) for run in range(20))
    assert alarms <= stats.binom.ppf(0.999, 400, 0.05)
    assert alarms >= 1


def test_a_change_of_gain_shows_in_the_heights(reference: DriftReference) -> None:
    assert "peak_adc" in drifted(reference, figures(10_000, 2, gain=1.1))


def test_a_broader_logit_shows_at_given_height_too(reference: DriftReference) -> None:
    assert set(drifted(reference, figures(10_000, 3, blur=1.5))) == {"logit", "logit at peak_adc"}


def test_another_spectrum_does_not_touch_the_logit_at_given_height() -> None:
    def with_slope(slope: float, seed: int) -> dict[str, NDArray[np.float64]]:
        rng = np.random.default_rng(seed)
        peak = rng.uniform(0, 1, 20_000) ** slope
        # The logit depends on the height in steps, as wide as the groups.
        return {"logit": np.floor(5 * peak) + rng.normal(0, 0.1, len(peak)), "peak_adc": peak}

    reference = DriftReference.of(with_slope(1.0, 4), split=SPLIT)
    found = drifted(reference, with_slope(1.2, 5))
    assert {"peak_adc", "logit"} <= set(found)


def test_pulses_without_a_score_are_a_drift(reference: DriftReference) -> None:
    values = figures(5000, 6)
    values["logit"][::50] = np.nan
    assert "logit" in drifted(reference, values)


def test_the_mean_is_exact_and_the_index_tells_the_size(reference: DriftReference) -> None:
    values = figures(5000, 7, gain=2.0)
    verdict = DriftCounts.none(reference).with_pulses(values).drift()
    peak = next(figure for figure in verdict.figures if figure.name == "peak_adc")
    assert peak.mean_now == pytest.approx(values["peak_adc"].mean())
    assert peak.mean_before == pytest.approx(figures(20_000, 1)["peak_adc"].mean())
    assert peak.stability_index > 0.1
    assert json.loads(json.dumps(verdict.as_dict()))["drifted"] == list(verdict.drifted)


@settings(deadline=None, max_examples=20)
@given(cut=st.integers(0, 3000), window=st.integers(500, 1500))
def test_counts_add_up_and_windows_do_not_depend_on_batches(cut: int, window: int) -> None:
    reference, values = DriftReference.of(figures(2000, 8), split=SPLIT), figures(3000, 9)
    parts = [{name: column[rows] for name, column in values.items()} for rows in (slice(cut), slice(cut, None))]
    whole = DriftCounts.none(reference).with_pulses(values)
    joined = DriftCounts.none(reference).with_pulses(parts[0]) + DriftCounts.none(reference).with_pulses(parts[1])
    assert all(np.array_equal(whole.counts[name], joined.counts[name]) for name in whole.counts)
    at_once, monitor = DriftMonitor(reference, window=window), DriftMonitor(reference, window=window)
    verdicts = list(at_once.add(values))
    in_parts = [verdict for part in parts for verdict in monitor.add(part)]
    assert [chances(verdict) for verdict in in_parts] == [chances(verdict) for verdict in verdicts]
    assert len(verdicts) == 3000 // window
    assert monitor.pending.n_pulses == 3000 % window


def test_a_reference_survives_json(reference: DriftReference) -> None:
    again = DriftReference.from_dict(json.loads(json.dumps(reference.as_dict())))
    values = figures(3000, 10)
    before, after = (DriftCounts.none(ref).with_pulses(values).drift() for ref in (reference, again))
    assert before == after
    assert len(json.dumps(reference.as_dict())) < 10_000


@pytest.mark.parametrize("wrong", [{}, {"figures": {"logit": {}}, "n_pulses": 5}, {"figures": 3, "n_pulses": 1}])
def test_what_is_no_reference_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="no reference"):
        DriftReference.from_dict(wrong)


def test_too_few_pulses_are_refused(reference: DriftReference) -> None:
    with pytest.raises(DataError, match="at least 500"):
        DriftReference.of(figures(499, 1))
    with pytest.raises(DataError, match="at least 500"):
        drifted(reference, figures(499, 1))
    with pytest.raises(DataError, match="at least 500"):
        DriftMonitor(reference, window=100)
    with pytest.raises(DataError, match="between 0 and 1"):
        drifted(reference, figures(600, 1), rate=0.0)


def test_the_tests_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    before, now = rng.integers(20, 60, 8), rng.integers(5, 40, 8)
    table = stats.chi2_contingency(np.stack([before, now]), correction=False)
    assert shape_p_value(before[np.newaxis], now[np.newaxis]) == pytest.approx(table.pvalue, rel=1e-9)
    values = [np.repeat(np.arange(8), counts) for counts in (before, now)]
    ranked = stats.mannwhitneyu(values[1], values[0], method="asymptotic", use_continuity=False)
    padded = [np.append(counts, 0)[np.newaxis] for counts in (before, now)]
    assert shift_p_value(*padded) == pytest.approx(ranked.pvalue, rel=1e-9)


def test_a_figure_that_is_always_the_same_is_no_drift() -> None:
    flat = {"noise_adc": np.zeros(1000)}
    assert drifted(DriftReference.of(flat), flat) == ()
