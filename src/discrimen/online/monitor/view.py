"""What a page shows, as one compressed message: the same bytes for all who look at the same channels.

A message is zlib over: u32 length of the JSON, the JSON, and arrays one behind the other, each padded to 4 bytes; the
JSON lists name, type (``u8``, ``f4``) and shape of each in ``arrays``. What all pages show alike is made once a tick.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.online.monitor.bulletin import COUNTED
from discrimen.online.monitor.channels import N_SHOWN, SHARES, Channel
from discrimen.online.monitor.counts import NEUTRON, OTHER
from discrimen.online.monitor.maps import logarithmic_bytes
from discrimen.online.monitor.state import state_of
from discrimen.online.monitor.watch import Watch
from discrimen.output.plain import plain

Places = tuple[tuple[int, int], ...]
"""Channels that are looked at, ascending."""

_COMPRESSION = 1
_TYPES: dict[str, np.dtype[Any]] = {"u8": np.dtype(np.uint8), "f4": np.dtype("<f4")}


def encode_shared(watch: Watch, *, now_s: float, address: str) -> bytes:
    """Return what all pages show alike, whatever channels they look at, as a JSON object."""
    return _json(
        {
            "time_s": now_s,
            "address": address,
            "state": state_of(watch, now_s, address),
            "reset_s": watch.reset_s,
            "channels": [_row(each, now_s) for each in sorted(watch.channels, key=lambda each: each.place)],
            "gaps": _gaps(watch, now_s),
            "model": _model(watch),
        }
    )


def encode_view(watch: Watch, places: Places | None, *, now_s: float, shared: bytes) -> bytes:
    """Return what is known of some channels together, or of all, as bytes to send; `shared` goes with it."""
    slots = watch.slots_of(places)
    arrays: dict[str, NDArray[Any]] = {}
    told: dict[str, Any] = {
        "selected": None if places is None else list(places),
        "figures": _figures(watch, slots, now_s),
        "maps": _maps(watch, slots, arrays),
        "drift": _drift(watch, slots),
        "pulse_step_ns": _pulse_step_ns(watch, slots),
    }
    series = watch.history.series(now_s, slots)
    time_s = series.pop("time_s")
    told["series"] = {"begin_s": float(time_s[0]) if len(time_s) else now_s}
    arrays |= {f"series_{name}": values for name, values in series.items()}
    arrays |= _waveforms(watch, slots)
    return pack(told, arrays, shared=shared)


def pack(told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, shared: bytes = b"{}") -> bytes:
    """Return JSON, put together of two objects, and arrays as one compressed message."""
    listed, parts = [], []
    for name, values in arrays.items():
        kind = "u8" if values.dtype == np.uint8 else "f4"
        content = np.ascontiguousarray(values, _TYPES[kind]).tobytes()
        listed.append({"name": name, "type": kind, "shape": list(values.shape)})
        parts.append(content + bytes(-len(content) % 4))
    own = _json({**told, "arrays": listed})
    head = own if shared == b"{}" else shared[:-1] + b"," + own[1:]
    head += b" " * (-len(head) % 4)
    return zlib.compress(b"".join([struct.pack("<I", len(head)), head, *parts]), _COMPRESSION)


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(plain(values), allow_nan=False, separators=(",", ":")).encode()


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Take a message apart as the page does."""
    plain_bytes = zlib.decompress(content)
    (length,) = struct.unpack_from("<I", plain_bytes)
    told: dict[str, Any] = json.loads(plain_bytes[4 : 4 + length])
    at, arrays = 4 + length, {}
    for each in told["arrays"]:
        kind, n_values = _TYPES[each["type"]], int(np.prod(each["shape"]))
        arrays[each["name"]] = np.frombuffer(plain_bytes, kind, n_values, at).reshape(each["shape"])
        at += n_values * kind.itemsize
        at += -at % 4
    return told, arrays


def _figures(watch: Watch, slots: list[int] | None, now_s: float) -> dict[str, Any]:
    chosen = watch.channels if slots is None else [watch.channels[slot] for slot in slots]
    rates = np.sum([each.rates_hz(now_s) for each in chosen], axis=0) if chosen else (0.0, 0.0)
    n_examples = sum(each.n_examples for each in chosen)
    shares = {name: sum(each.n_odd[name] for each in chosen) / n_examples if n_examples else None for name in SHARES}
    if watch.measurer is not None and not watch.measurer.knows_domain:
        shares["outside"] = None
    told = watch.feed.last
    pace = {} if told is None else {"n_waiting": told.n_waiting, "busy": told.busy, "watching": told.watching}
    latency_ms = list(told.latency_ms) if told is not None else []
    return {
        "neutron_hz": float(rates[0]),
        "other_hz": float(rates[1]),
        **{name: int(value) for name, value in zip(COUNTED, watch.counts(slots), strict=True)},
        "n_examples": n_examples,
        "shares": shares,
        "latency_ms": latency_ms,
        **pace,
        "n_lost": 0 if told is None else told.n_lost,
        "missing_s": 0.0 if told is None else told.missing_ps * 1e-12,
        "n_restarts": watch.feed.n_restarts,
    }


def _row(channel: Channel, now_s: float) -> list[Any]:
    """Return board, channel, rates and state of a channel for the list of all."""
    neutron_hz, other_hz = channel.rates_hz(now_s)
    drift = channel.drift
    state = "drift" if drift.drifted else "learning" if drift.learned_share < 1 else "well"
    return [*channel.place, round(neutron_hz, 3), round(other_hz, 3), state]


def _maps(watch: Watch, slots: list[int] | None, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    told = {}
    for name, heat_map in watch.maps.items():
        counts = heat_map.summed(slots)
        arrays[f"map_{name}"], most = logarithmic_bytes(counts)
        told[name] = {
            "x": heat_map.x.as_dict(),
            "y": heat_map.y.as_dict(),
            "most": most,
            "n_pulses": int(counts.sum()),
            "n_beyond": heat_map.beyond(slots),
        }
    return told


def _gaps(watch: Watch, now_s: float) -> list[dict[str, Any]]:
    gaps = [{"begin_s": gap.begin_s, "end_s": gap.end_s, "why": gap.why} for gap in watch.feed.gaps[-50:]]
    if watch.feed.is_silent(now_s) and watch.feed.heard_s is not None:
        gaps.append({"begin_s": watch.feed.heard_s, "end_s": now_s, "why": "nothing is heard of the stream"})
    return gaps


def _model(watch: Watch) -> dict[str, Any] | None:
    if watch.measurer is None:
        return None
    return {
        "sha256": watch.measurer.sha256,
        "threshold": watch.measurer.threshold,
        "classes": list(watch.measurer.classes),
        "sample_period_ns": watch.measurer.description.preparation.sample_period_ns,
    }


def _drift(watch: Watch, slots: list[int] | None) -> list[dict[str, Any]]:
    """Return the verdict on one channel, if one is looked at, or on all together, if there is a reference for that."""
    one = watch.together if slots is None else watch.channels[slots[0]].drift if len(slots) == 1 else None
    if one is None or one.verdict is None:
        return []
    return [
        {"name": each.name, "before": each.mean_before, "now": each.mean_now, "drifted": each.drifted}
        for each in one.verdict.figures
    ]


def _waveforms(watch: Watch, slots: list[int] | None) -> dict[str, NDArray[Any]]:
    """Return the last pulses of each class, shape (pulse, sample), shorter records padded with NaN."""
    chosen = watch.channels if slots is None else [watch.channels[slot] for slot in slots]
    arrays = {}
    for name, kind in (("other", OTHER), ("neutron", NEUTRON)):
        arrays[f"pulses_{name}"] = _stacked([wave for each in chosen for wave in list(each.shown[kind])[-1:]][:N_SHOWN])
        if len(chosen) == 1:
            arrays[f"pulses_{name}"] = _stacked(list(chosen[0].shown[kind]))
    return arrays


def _pulse_step_ns(watch: Watch, slots: list[int] | None) -> float | None:
    """Return the time between two points of the waveforms."""
    chosen = watch.channels if slots is None else [watch.channels[slot] for slot in slots]
    if watch.measurer is None or not chosen:
        return None
    return watch.measurer.description.preparation.sample_period_ns * chosen[0].shown_step


def _stacked(waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    stacked = np.full((len(waves), max(map(len, waves), default=0)), np.nan, np.float32)
    for row, wave in zip(stacked, waves, strict=True):
        row[: len(wave)] = wave
    return stacked
