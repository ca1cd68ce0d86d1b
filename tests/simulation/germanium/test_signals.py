"""Signals: charge is kept, times and energies add, what collects ends at the full charge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.simulation.germanium.basis import grid_positions
from discrimen.simulation.germanium.signals import Charges, Field, Window, induce

WINDOW = Window(n_samples=70)


def test_no_charge_is_left_but_on_the_collecting_contacts(greta: Field) -> None:
    points = grid_positions(greta, 9.0)
    signals = induce(greta, Charges.single(points), window=replace(WINDOW, n_samples=90))
    assert len(points) > 300
    assert np.all(signals.contacts >= 0)
    ends = signals.traces[:, :, -1].copy()
    ends[np.arange(len(points)), signals.segment] -= 1
    ends[:, 36] -= 1
    assert np.abs(ends).max() < 1e-5


def test_charge_is_kept_at_every_time(greta: Field) -> None:
    traces = induce(greta, Charges.single(grid_positions(greta, 12.0)), window=WINDOW).traces
    assert np.abs(traces[:, :36].sum(axis=1) - traces[:, 36]).max() < 1e-3
    assert np.abs(np.diff(traces[:, 36], axis=1)).max() > 0.05


def test_interactions_of_an_event_add_up(greta: Field) -> None:
    points = np.array([[-20.0, 2.0, 30.0], [15.0, 5.0, 60.0]])
    alone = induce(greta, Charges.single(points), window=WINDOW, time_constants_ns=35.0)
    both = replace(
        Charges.single(points), amounts=np.array([0.3, 0.7]), first_point=np.array([0, 2]), seeds=np.array([-1])
    )
    together = induce(greta, both, window=WINDOW, time_constants_ns=35.0)
    assert np.abs(together.traces[0] - 0.3 * alone.traces[0] - 0.7 * alone.traces[1]).max() < 1e-5
    assert together.segment[0] == alone.segment[1] != alone.segment[0]


def test_a_later_hit_has_the_signals_of_an_earlier_one(greta: Field) -> None:
    charges = Charges.single(np.repeat([[-20.0, 2.0, 30.0]], 3, axis=0))
    traces = induce(greta, charges, window=WINDOW, time_offsets_ns=np.array([0.0, 10.0, 3.5])).traces
    assert np.abs(traces[1, :, 1:] - traces[0, :, :-1]).max() < 1e-5
    fine = induce(greta, charges, window=Window(n_samples=1400, sample_period_ns=0.5)).traces
    assert np.abs(traces[2, :, 4:] - fine[0, :, 73::20][:, : traces.shape[2] - 4]).max() < 1e-4


def test_preamplifiers_follow_with_their_time_constants(greta: Field) -> None:
    """Checked against the convolution of the bare signals with the pole, summed in steps of 1 ns."""
    charges = Charges.single(np.array([[-20.0, 2.0, 30.0]]))
    every_ns = Window(n_samples=700, sample_period_ns=1.0)
    bare = induce(greta, charges, window=every_ns).traces[0].astype(np.float64)
    taus = np.linspace(20.0, 60.0, 37)
    slow = induce(greta, charges, window=every_ns, time_constants_ns=taus).traces[0]
    for channel in (15, 14, 36):
        kernel = np.exp(-np.arange(700) / taus[channel])
        middle = (bare[channel, 1:] + bare[channel, :-1]) / 2
        wanted = np.convolve(middle, kernel * (1 - np.exp(-1 / taus[channel])))[:699]
        assert np.abs(slow[channel, 1:] - wanted).max() < 1e-3


def test_points_outside_are_refused(greta: Field) -> None:
    with pytest.raises(DataError, match=r"point 1 at \(0.00, 0.00, 50.00\) mm lies outside of greta-a"):
        induce(greta, Charges.single(np.array([[20.0, 0.0, 50.0], [0.0, 0.0, 50.0]])), window=WINDOW)
