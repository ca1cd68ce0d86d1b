"""Figures leave the page for Prometheus and for ROOT."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
from tests.online.monitor.made import fed_watch

from discrimen.errors import DataError
from discrimen.online.monitor.export import histograms, root_file
from discrimen.online.monitor.metrics_text import metrics_text
from discrimen.online.monitor.watch import Watch

_LINE = re.compile(r'(# (HELP|TYPE) discrimen_\w+ .+|discrimen_\w+(\{(\w+="[^"]*",?)+\})? -?[0-9.e+-]+)')


def test_metrics_are_lines_that_prometheus_reads() -> None:
    watch, now_s = fed_watch()
    text = metrics_text(watch, now_s)
    assert text.endswith("\n")
    lines = text.splitlines()
    assert all(_LINE.fullmatch(line) for line in lines), [line for line in lines if not _LINE.fullmatch(line)]
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values["discrimen_up"] == "1"
    assert (
        sum(int(value) for name, value in values.items() if name.startswith("discrimen_channel_pulses_total")) == 2400
    )
    assert float(values['discrimen_latency_seconds{quantile="0.99"}']) == 0.003
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {name.partition("{")[0] for name in values} <= typed


def test_metrics_without_a_stream_say_that_it_is_down() -> None:
    assert "discrimen_up 0" in metrics_text(Watch(), 1.0).splitlines()


def test_root_histograms_are_those_of_the_page() -> None:
    uproot = pytest.importorskip("uproot", reason="NO UPROOT: pip install 'discrimen[root]'")
    watch, _ = fed_watch()
    with uproot.open(BytesIO(root_file(histograms(watch)))) as file:
        counts, energy, psd = file["all/psd"].to_numpy()
        np.testing.assert_array_equal(counts.T, watch.maps["psd"].summed(None))
        np.testing.assert_allclose(energy, watch.maps["psd"].x.edges)
        np.testing.assert_allclose(psd, watch.maps["psd"].y.edges)
        np.testing.assert_array_equal(
            file["b0_ch2/energy"].values(), watch.maps["psd"].summed([_slot(watch, 2)]).sum(axis=0)
        )
        assert file["b0_ch3/score"].classname == "TH2D"


def _slot(watch: Watch, channel: int) -> int:
    return next(slot for slot, each in enumerate(watch.channels) if each.place == (0, channel))


def test_there_is_nothing_to_export_before_pulses_came() -> None:
    with pytest.raises(DataError, match="no histograms yet"):
        histograms(Watch())
