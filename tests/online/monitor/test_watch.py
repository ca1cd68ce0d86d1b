"""What a page shows follows from the bulletins: maps, shares, drift, states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.online.monitor.made import Source, fed_watch, frames

from discrimen.metrics.drift import DriftReference
from discrimen.online.monitor.bulletin import Bulletin, no_examples
from discrimen.online.monitor.drift_watch import DriftWatch
from discrimen.online.monitor.state import State, state_of
from discrimen.online.monitor.view import Places, encode_shared, encode_view, unpack
from discrimen.online.monitor.watch import Watch
from discrimen.pulses.detector import DetectorSettings, LightCalibration

ADDRESS = "ipc:///tmp/side"


def state(watch: Watch, now_s: float) -> State:
    return state_of(watch, now_s, ADDRESS)


def view(watch: Watch, places: Places | None, now_s: float) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    shared = encode_shared(watch, now_s=now_s, address=ADDRESS)
    return unpack(encode_view(watch, places, now_s=now_s, shared=shared))


def test_neutrons_lie_above_gammas_in_the_maps() -> None:
    watch, _ = fed_watch()
    assert set(watch.maps) == {"psd", "score"}
    for name, heat_map in watch.maps.items():
        rows = heat_map.summed(None).sum(axis=1)
        middle = heat_map.y.bins(np.array([0.45 if name == "psd" else 0.5]))[0]
        assert rows[:middle].sum() == pytest.approx(rows[middle:].sum(), rel=0.1), name
        assert rows.sum() + heat_map.beyond(None) == 2400
    assert watch.maps["psd"].x.label == "height (ADC counts)"


def test_a_calibration_gives_light() -> None:
    calibration = LightCalibration(quantity="long_charge_adc_ns", gain_kevee_per_unit=0.01)
    watch, _ = fed_watch(settings=DetectorSettings(calibration=calibration))
    assert watch.maps["psd"].x.label == "light (keVee)"
    assert watch.maps["psd"].summed(None).sum() > 2000


def test_without_gates_there_is_no_psd_and_the_page_says_why() -> None:
    watch, source, now_s = Watch(), Source(gates=False), 1000.0
    for _ in range(3):
        now_s += 0.5
        watch.take(frames(source.bulletin()), now_s)
    assert set(watch.maps) == {"score"}
    assert any("gates" in line for line in state(watch, now_s).lines)


def test_a_view_holds_what_is_looked_at() -> None:
    watch, now_s = fed_watch()
    told, arrays = view(watch, None, now_s)
    assert (told["state"]["title"], told["figures"]["n_pulses"]) == ("running", 2400)
    assert told["maps"]["psd"]["n_pulses"] == watch.maps["psd"].summed(None).sum()
    assert arrays["map_psd"].max() == 255
    assert [row[:2] for row in told["channels"]] == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert told["figures"]["neutron_hz"] == pytest.approx(400, rel=0.05)
    one, _ = view(watch, ((0, 2),), now_s)
    two, arrays = view(watch, ((0, 1), (0, 2), (9, 9)), now_s)
    assert 0 < one["maps"]["psd"]["n_pulses"] < two["maps"]["psd"]["n_pulses"] < 2400
    assert arrays["pulses_neutron"].shape == (2, 75)
    assert np.nanmax(arrays["pulses_neutron"], axis=1) == pytest.approx([1700, 1700], abs=1400)


def test_a_view_can_be_made_at_any_time() -> None:
    told, arrays = view(Watch(), None, 5.0)
    assert told["state"]["level"] == "waiting"
    assert ADDRESS in told["state"]["lines"][0]
    assert not any(name.startswith("map") for name in arrays)
    watch, now_s = fed_watch(1)
    view(watch, ((7, 7),), now_s)


def test_garbage_is_counted_and_does_no_harm() -> None:
    watch, now_s = fed_watch()
    rng = np.random.default_rng(3)
    good = frames(Source(instance=1).bulletin())
    for _ in range(200):
        parts = list(good)
        at = int(rng.integers(len(parts)))
        content = bytearray(parts[at])
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        parts[at] = bytes(content)
        watch.take(parts[: int(rng.integers(9))], now_s)
    watch.take([], now_s)
    assert watch.n_unread > 50
    view(watch, None, now_s)


def test_states_of_a_stream() -> None:
    watch, now_s = fed_watch()
    assert state(watch, now_s).level == "well"
    assert (state(watch, now_s + 10).level, state(watch, now_s + 10).title) == ("alarm", "no stream")
    source = Source(instance=2)
    watch.take(frames(source.bulletin(n_pulses=50)), now_s + 12)
    assert (state(watch, now_s + 12).level, state(watch, now_s + 12).title) == ("warning", "data missing")
    watch.take(frames(source.bulletin(n_pulses=50, busy=0.97)), now_s + 80)
    watch.take(frames(source.bulletin(n_pulses=50, busy=0.97)), now_s + 150)
    watch.feed.gaps.clear()
    assert state(watch, now_s + 150).title == "at its limit"
    watch.take(frames(source.bulletin(n_pulses=5, refused={"sampled every 4 ns": 7})), now_s + 151)
    assert state(watch, now_s + 151).title == "wrong pulses"
    watch.take(frames(source.bulletin(0, is_ended=True, refused={})), now_s + 152)
    assert (state(watch, now_s + 500).level, state(watch, now_s + 500).title) == ("waiting", "ended")


def test_pulses_that_nobody_counted_make_no_rate_of_zero() -> None:
    watch, now_s = fed_watch(4)
    source = Source()
    told = [source.bulletin().told for _ in range(4)][-1]
    uncounted = replace(told, number=4, seconds=2.5, n_pulses=told.n_pulses + 1000)
    watch.take(frames(Bulletin(uncounted, source.model, no_examples())), now_s + 0.5)
    shown, _ = view(watch, None, now_s + 0.5)
    assert shown["figures"]["neutron_hz"] == pytest.approx(400, rel=0.05)


def test_no_pulses_for_a_while_is_a_warning() -> None:
    watch, source = Watch(), Source()
    for number in range(30):
        watch.take(frames(source.bulletin(100 if number < 4 else 0)), 1000.0 + 0.5 * number)
    assert state(watch, 1014.5).title == "no pulses"


def test_a_channel_whose_baseline_moves_raises_the_alarm_and_no_other() -> None:
    watch, source, now_s = Watch(), Source(n_channels=2), 1000.0
    watch.channels.clear()
    for number in range(30):
        now_s += 0.5
        shift = {1: 4} if number >= 18 else {}
        watch.take(frames(source.bulletin(1000, shift_adc=shift)), now_s)
        if number == 17:
            assert state(watch, now_s).level == "well"
            assert all(each.drift.verdict is not None for each in watch.channels)
    drifted = {each.place: each.drift.drifted for each in watch.channels}
    assert drifted[(0, 0)] == ()
    assert "baseline_adc" in drifted[(0, 1)]
    found = state(watch, now_s)
    assert (found.level, found.title) == ("alarm", "drift")
    assert found.lines[0].startswith("Board 0 channel 1 is not what it was: ")
    told, _ = view(watch, ((0, 1),), now_s)
    assert [row[4] for row in told["channels"]] == ["well", "drift"]
    assert [each["name"] for each in told["drift"] if each["drifted"]] == ["baseline_adc"]
    watch.reset(now_s)
    assert state(watch, now_s).level == "well"
    assert watch.counts(None).sum() == 0


def test_drift_is_judged_in_windows_of_whatever_comes() -> None:
    rng = np.random.default_rng(4)

    def values(n_pulses: int, shift: float = 0.0) -> dict[str, np.ndarray]:
        return {name: rng.normal(shift, 1, n_pulses) for name in ("logit", "peak_adc", "baseline_adc", "noise_adc")}

    drift = DriftWatch(learned_from=1000, window=500)
    drift.add(values(999))
    assert drift.learned_share == 0.999
    drift.add(values(1501))
    assert drift.verdict is not None
    assert (drift.verdict.n_pulses, drift.drifted) == (500, ())
    drift.add(values(500, shift=1.0))
    assert set(drift.drifted) >= {"logit", "noise_adc"}
    given = DriftWatch(DriftReference.of(values(1000)), window=500)
    given.add(values(500, shift=1.0))
    assert given.drifted


def test_a_reference_of_another_model_is_refused() -> None:
    reference = DriftReference.of({"logit": np.arange(600.0)})
    watch, now_s = fed_watch(2, reference=reference, reference_sha256="1" * 64)
    assert "another model" in watch.unread
    assert state(watch, now_s).level == "waiting"
