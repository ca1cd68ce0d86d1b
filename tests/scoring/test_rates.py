"""Live time and rates: the true rate comes back whatever the dead time, with errors that hold."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.places import Place
from discrimen.scoring.counts import Counted, RunTally
from discrimen.scoring.pile_up import PileUpSearch
from discrimen.scoring.rates import Rate, RunTime, channel_table, pile_up_shares, run_time

RATE_HZ = 50_000.0


def poisson(n_pulses: int, *, dead_ns: float, rng: np.random.Generator) -> Pulses:
    """Return what a digitizer sees that is dead for some time after each trigger, in records of 1000 ns."""
    gaps_ps = 1000 * dead_ns + rng.exponential(1e12 / RATE_HZ, n_pulses)
    return Pulses(
        samples=np.zeros((n_pulses, 100), np.int16),
        sample_period_ns=10.0,
        timestamp_ps=np.cumsum(gaps_ps).astype(np.int64),
    )


def tally_of(pulses: Pulses, counted: np.ndarray | None = None) -> RunTally:
    tally = RunTally()
    tally.add(pulses, np.zeros(len(pulses), np.int8) if counted is None else counted)
    return tally


def known(time: RunTime | str) -> RunTime:
    assert isinstance(time, RunTime)
    return time


@pytest.mark.parametrize("dead_ns", [1000.0, 8000.0])
def test_the_true_rate_lies_within_its_errors(dead_ns: float) -> None:
    rng = np.random.default_rng(4)
    settings = DetectorSettings() if dead_ns == 1000 else DetectorSettings(dead_time_ns=dead_ns)
    rates = [known(run_time(tally_of(poisson(2000, dead_ns=dead_ns, rng=rng)), settings)) for _ in range(300)]
    pulls = np.array([(each.total("pulses").value_hz - RATE_HZ) / each.total("pulses").error_hz for each in rates])
    assert pulls.mean() == pytest.approx(0, abs=0.2)
    assert pulls.std() == pytest.approx(1, abs=0.12)
    assert {each.dead_time_from for each in rates} == {"record length" if dead_ns == 1000 else "settings"}
    assert rates[0].dead_time_ns == dead_ns


def test_a_veto_shortens_the_time_and_leaves_the_rates() -> None:
    pulses = poisson(50_000, dead_ns=1000, rng=np.random.default_rng(5))
    counted = np.tile(np.array([Counted.GAMMA, Counted.NEUTRON], np.int8), 25_000)
    vetoed = np.where(np.arange(50_000) % 10 < 2, np.int8(Counted.VETOED), counted)
    plain, left = (known(run_time(tally_of(pulses, each), DetectorSettings())) for each in (counted, vetoed))
    for name in ("pulses", "neutrons", "gammas"):
        assert left.total(name).value_hz == pytest.approx(plain.total(name).value_hz, rel=1e-9)
    assert left.total("neutrons").error_hz > plain.total("neutrons").error_hz
    live = [each.channels[Place(0, 0)].live_time_s for each in (plain, left)]
    assert live[1] == pytest.approx(0.8 * live[0])


def test_channels_have_a_live_time_each_and_add_up() -> None:
    pulses = poisson(30_000, dead_ns=1000, rng=np.random.default_rng(6))
    channel = (np.arange(30_000) % 3 == 0).astype(np.int32)
    tally = tally_of(pulses.replace(channel=channel))
    time = known(run_time(tally, DetectorSettings()))
    low, high = time.dead_shares
    assert high == pytest.approx(2 * low)
    assert time.total("pulses").value_hz == pytest.approx(sum(each.pulses.value_hz for each in time.channels.values()))
    rows = channel_table(tally, time)
    assert [(row["channel"], row["n_pulses"]) for row in rows] == [(0, 20_000), (1, 10_000)]
    assert rows[0]["pulses"]["value_hz"] == time.channels[Place(0, 0)].pulses.value_hz


def test_what_cannot_be_known_is_said() -> None:
    pulses = poisson(100, dead_ns=1000, rng=np.random.default_rng(7))
    assert "no time stamps" in str(run_time(tally_of(pulses.replace(timestamp_ps=None)), DetectorSettings()))
    assert "same time stamp" in str(run_time(tally_of(pulses[:1]), DetectorSettings()))
    reset = pulses.replace(timestamp_ps=np.r_[np.int64(10**13), pulses.column("timestamp_ps")[1:]])
    mixed = pulses.replace(run=np.arange(len(pulses)) // 50)
    assert "several runs" in str(run_time(tally_of(mixed), DetectorSettings()))
    assert "99 pulses come more than 1 s before" in str(run_time(tally_of(reset), DetectorSettings()))
    assert "dead_time_ns" in str(run_time(tally_of(pulses), DetectorSettings(dead_time_ns=1e9)))


def test_expected_pile_up_is_that_of_a_poisson_process() -> None:
    tally = tally_of(poisson(50_000, dead_ns=1000, rng=np.random.default_rng(8)))
    time = known(run_time(tally, DetectorSettings()))
    shares = pile_up_shares(tally, time, None, DetectorSettings(pretrigger_ns=200))
    assert shares.expected == pytest.approx(1 - np.exp(-RATE_HZ * 800e-9), rel=0.02)
    assert (shares.found, shares.expected_found, shares.told) == (None, None, None)
    assert pile_up_shares(tally, "unknown", None, DetectorSettings()).expected is None


def test_a_search_that_knows_nothing_finds_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = tally_of(poisson(100, dead_ns=1000, rng=np.random.default_rng(8)))
    search = PileUpSearch(preparation=None, channels={}, others=None)  # type: ignore[arg-type]
    shares = pile_up_shares(tally, "unknown", search.of, DetectorSettings())
    assert shares.found is None


def test_rates_are_written_with_the_digits_that_they_have() -> None:
    assert str(Rate(value_hz=20101.7, error_hz=101.2)) == "20102 +- 101 Hz"
    assert str(Rate(value_hz=3.14159, error_hz=0.0123)) == "3.142 +- 0.012 Hz"
    assert str(Rate(value_hz=0.0, error_hz=0.0)) == "0.000 +- 0.000 Hz"
