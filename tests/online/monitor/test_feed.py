"""From bulletin to bulletin: differences, gaps, restarts, two streams at once."""

from __future__ import annotations

from dataclasses import replace

from tests.online.monitor.made import Source

from discrimen.online.monitor.bulletin import Told
from discrimen.online.monitor.feed import SILENCE_S, Feed


def told_by(source: Source, n_pulses: int = 50) -> Told:
    return source.bulletin(n_pulses).told


def test_news_are_differences() -> None:
    feed, source = Feed(), Source(n_channels=2)
    first, second = feed.take(told_by(source), 1.0), feed.take(told_by(source, 70), 1.5)
    assert first is not None
    assert second is not None
    assert (first.n_pulses, second.n_pulses, second.seconds) == (50, 70, 0.5)
    assert sum(int(counts[0]) for counts in second.channels.values()) == 70
    assert feed.gaps == []


def test_who_comes_late_does_not_take_the_past_for_news() -> None:
    feed, source = Feed(), Source()
    told_by(source)
    news = feed.take(told_by(source), 1.0)
    assert news is not None
    assert (news.n_pulses, news.seconds, dict(news.channels)) == (0, 0.0, {})


def test_a_lost_bulletin_loses_no_counts() -> None:
    feed, source = Feed(), Source()
    feed.take(told_by(source), 1.0)
    told_by(source)
    told_by(source)
    news = feed.take(told_by(source), 2.5)
    assert news is not None
    assert (news.n_pulses, feed.n_bulletins_missed) == (150, 2)


def test_thinned_counts_stand_for_more() -> None:
    feed, source = Feed(), Source()
    news = feed.take(replace(told_by(source), n_pulses=200), 1.0)
    assert news is not None
    assert news.scale == 4


def test_lost_messages_missing_time_and_silence_are_gaps() -> None:
    feed, source = Feed(), Source()
    feed.take(told_by(source), 1.0)
    feed.take(source.bulletin(10, n_lost=3).told, 1.5)
    feed.take(source.bulletin(10, missing_ps=2 * 10**12).told, 2.0)
    feed.take(source.bulletin(10, n_garbage=1).told, 2.5)
    feed.take(told_by(source), 10.0)
    assert [gap.why for gap in feed.gaps] == [
        "3 messages of pulses were lost",
        "2 s of the run were never sent",
        "1 messages could not be read",
        "nothing was heard of the stream for 8 s",
    ]
    assert (feed.gaps[0].begin_s, feed.gaps[0].end_s) == (1.0, 1.5)


def test_a_silent_stream_is_missed_until_it_ended() -> None:
    feed, source = Feed(), Source()
    assert not feed.is_silent(100.0)
    feed.take(told_by(source), 1.0)
    assert not feed.is_silent(1.0 + SILENCE_S)
    assert feed.is_silent(1.1 + SILENCE_S)
    feed.take(source.bulletin(0, is_ended=True).told, 2.0)
    assert not feed.is_silent(100.0)


def test_a_stream_that_starts_again_goes_on_behind_a_gap() -> None:
    feed = Feed()
    feed.take(told_by(Source(instance=1)), 1.0)
    news = feed.take(told_by(Source(instance=2), 30), 5.0)
    assert news is not None
    assert (news.n_pulses, feed.n_restarts, feed.are_two(5.0)) == (30, 1, False)
    assert (feed.gaps[-1].begin_s, feed.gaps[-1].end_s) == (1.0, 5.0)


def test_two_streams_at_one_address_are_told_apart() -> None:
    feed, one, other = Feed(), Source(instance=1), Source(instance=2)
    feed.take(told_by(one), 1.0)
    feed.take(told_by(other), 1.2)
    assert feed.take(told_by(one), 1.5) is None
    assert feed.are_two(1.6)
    assert not feed.are_two(60.0)
    assert feed.last is not None
    assert feed.last.instance == 2


def test_a_bulletin_that_comes_twice_counts_once() -> None:
    feed, source = Feed(), Source()
    told = told_by(source)
    assert feed.take(told, 1.0) is not None
    assert feed.take(told, 1.1) is None
