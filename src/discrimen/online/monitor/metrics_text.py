"""The figures of a monitor in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator

from discrimen.online.monitor.bulletin import COUNTED
from discrimen.online.monitor.channels import SHARES
from discrimen.online.monitor.state import state_of
from discrimen.online.monitor.watch import Watch

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_HELP = {
    "n_pulses": "Pulses that were counted",
    "n_neutron": "Pulses that count as neutron",
    "n_other": "Pulses of other classes",
    "n_unscored": "Pulses without a score",
    "n_saturated": "Pulses that the digitizer flags as saturated",
    "n_pile_up": "Pulses that the digitizer flags as piled up",
}
_QUANTILES = ("0.5", "0.9", "0.99", "1")


def metrics_text(watch: Watch, now_s: float) -> str:
    """Return all figures; those that are not known yet are left out."""
    return "\n".join([*_of_stream(watch, now_s), *_of_channels(watch)]) + "\n"


def _of_stream(watch: Watch, now_s: float) -> Iterator[str]:
    feed, told = watch.feed, watch.feed.last
    yield from _one("up", "gauge", "1 while a stream is heard", int(told is not None and not feed.is_silent(now_s)))
    state = state_of(watch, now_s, "")
    yield from _one("alarm", "gauge", "1 while there is an alarm", int(state.level == "alarm"))
    yield from _one("restarts_total", "counter", "Streams that took over", feed.n_restarts)
    yield from _one("bulletins_missed_total", "counter", "Bulletins that never came", feed.n_bulletins_missed)
    yield from _one("unread_total", "counter", "Messages that were no bulletins", watch.n_unread)
    if told is None:
        return
    yield from _one("stream_pulses_total", "counter", "Pulses that came since the stream began", told.n_pulses)
    yield from _one("stream_lost_messages_total", "counter", "Messages that never came", told.n_lost)
    yield from _one("stream_missing_seconds_total", "counter", "Run time never sent", told.missing_ps * 1e-12)
    yield from _one("stream_garbage_total", "counter", "Messages that could not be read", told.n_garbage)
    yield from _one("stream_waiting_messages", "gauge", "Messages between arrival and receipt", told.n_waiting)
    yield from _one("stream_busy_ratio", "gauge", "Share of the time in which pulses are scored", told.busy)
    if told.latency_ms:
        yield from _head("latency_seconds", "gauge", "From the arrival of a message until it is kept")
        for quantile, value_ms in zip(_QUANTILES, told.latency_ms, strict=True):
            yield f'discrimen_latency_seconds{{quantile="{quantile}"}} {value_ms * 1e-3:.9g}'


def _of_channels(watch: Watch) -> Iterator[str]:
    channels = sorted(watch.channels, key=lambda each: each.place)
    if not channels:
        return
    for column, name in enumerate(COUNTED):
        metric = f"{name.removeprefix('n_')}_total"
        yield from _head(f"channel_{metric}", "counter", _HELP[name])
        for each in channels:
            yield f"discrimen_channel_{metric}{_labels(each.place)} {int(each.counts[column])}"
    for name in SHARES:
        yield from _head(f"channel_{name}_ratio", "gauge", f"Share of the looked at pulses that are {name}")
        for each in channels:
            if each.n_examples:
                yield f"discrimen_channel_{name}_ratio{_labels(each.place)} {each.n_odd[name] / each.n_examples:.9g}"
    yield from _head("channel_drift", "gauge", "1 where a channel is not what it was")
    for each in channels:
        yield f"discrimen_channel_drift{_labels(each.place)} {int(bool(each.drift.drifted))}"


def _one(name: str, kind: str, told: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, told)
    yield f"discrimen_{name} {value:.9g}" if isinstance(value, float) else f"discrimen_{name} {value}"


def _head(name: str, kind: str, told: str) -> Iterator[str]:
    yield f"# HELP discrimen_{name} {told}"
    yield f"# TYPE discrimen_{name} {kind}"


def _labels(place: tuple[int, int]) -> str:
    return f'{{board="{place[0]}",channel="{place[1]}"}}'
