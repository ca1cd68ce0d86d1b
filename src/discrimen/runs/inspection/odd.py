"""Which channels of a run are unlike the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from discrimen.runs.inspection.summary import ChannelSummary

FEWEST_CHANNELS = 6
"""Of fewer nobody can tell which one is odd."""

_ROBUST = 1.4826
_LEAST_SPREAD, _LEAST_OF_WIDTH = 0.02, 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One quantity of all channels.

    Parameters
    ----------
    name : str
        For people, with its unit.
    values : ndarray of float64, shape (channel,)
        NaN where a channel has none.
    median, reach : float
        Of the channels, and how far from the median one may lie.
    odd : ndarray of bool, shape (channel,)
        Which lie further.
    """

    name: str
    values: NDArray[np.float64]
    median: float
    reach: NDArray[np.float64]
    odd: NDArray[np.bool_]


def compare_channels(channels: Sequence[ChannelSummary]) -> tuple[Compared, ...]:
    """Compare the channels of a run in what they should have alike; nothing if there are fewer than six.

    A channel is odd if it lies further from the median of all than `limit` times their robust spread (1.4826 times the
    median absolute deviation, and at least 2 % of the median, of the width 0.5 %, of the baseline 1 ADC count, and of
    rate and height the channel's own statistical error). The limit is such that in 0.2 to 0.4 % of quantities of
    channels that scatter normally one is called odd, however many there are.
    """
    if len(channels) < FEWEST_CHANNELS:
        return ()
    counts = np.array([channel.n_pulses for channel in channels], np.float64)
    return tuple(_compared(name, np.array([of(each) for each in channels]), counts) for name, of in _QUANTITIES.items())


def limit(n_channels: int) -> float:
    """Return from how many spreads on a channel is odd: few channels tell their spread badly."""
    return float(5 + 190 * n_channels**-1.64)


def told(channels: Sequence[ChannelSummary], compared: Sequence[Compared]) -> list[str]:
    """Return one line for people for each odd channel and quantity."""
    lines = []
    for number, channel in enumerate(channels):
        lines += [
            f"{place_of(channel)} is odd: {each.name} {each.values[number]:.4g}, "
            f"the others {each.median:.4g} (up to {each.reach[number]:.2g} off)"
            for each in compared
            if each.odd[number]
        ]
    return lines


def place_of(channel: ChannelSummary) -> str:
    """Return the name of a channel for people."""
    board = "" if channel.board is None else f"board {channel.board} "
    return f"{board}channel {'-' if channel.channel is None else channel.channel}"


def compare(
    name: str, values: NDArray[np.float64], *, errors: NDArray[np.float64], least_share: float = 0.0, least: float = 0.0
) -> Compared:
    """Compare one quantity of all channels; none is odd where fewer than six have it.

    Parameters
    ----------
    name : str
        For people.
    values, errors : ndarray of float64, shape (channel,)
        The quantity, NaN where it is unknown, and its statistical error.
    least_share, least : float
        Smallest spread that is thought possible, of the median and as it is.
    """
    known = np.isfinite(values)
    if known.sum() < FEWEST_CHANNELS:
        nothing = np.zeros(len(values), np.bool_)
        return Compared(name=name, values=values, median=np.nan, reach=np.full(len(values), np.nan), odd=nothing)
    median = float(np.median(values[known]))
    spread = _ROBUST * float(np.median(np.abs(values[known] - median)))
    reach = limit(int(known.sum())) * np.maximum(max(spread, least, least_share * abs(median)), errors)
    return Compared(name=name, values=values, median=median, reach=reach, odd=known & (np.abs(values - median) > reach))


def _compared(name: str, values: NDArray[np.float64], counts: NDArray[np.float64]) -> Compared:
    errors = np.abs(values) / np.sqrt(counts) if name in _COUNTED else np.zeros(len(counts))
    share = {_BASELINE: 0.0, _WIDTH: _LEAST_OF_WIDTH}.get(name, _LEAST_SPREAD)
    return compare(name, values, errors=errors, least_share=share, least=1.0 if name == _BASELINE else 0.0)


def _height(channel: ChannelSummary) -> float:
    """Return the median of the spectrum of heights."""
    counts, edges = channel.amplitude_counts, channel.amplitude_edges_adc
    reached = np.cumsum(counts)
    at = int(np.searchsorted(reached, reached[-1] / 2))
    inside = (reached[-1] / 2 - (reached[at] - counts[at])) / max(1, counts[at])
    return float(edges[at] + inside * (edges[at + 1] - edges[at]))


def _area_over_height(channel: ChannelSummary) -> float:
    """Return the area of the mean pulse over its height, in samples, upwards: how wide it is."""
    sign = 1 if channel.largest_excursion == "positive" else -1
    wave = sign * (channel.mean_pulse_adc - channel.baseline_adc)
    return float(wave.sum() / wave.max()) if wave.max() > 0 else float("nan")


_BASELINE, _RATE, _HEIGHT, _WIDTH = "baseline", "rate (Hz)", "median height", "width (samples)"
_COUNTED = (_RATE, _HEIGHT)

_QUANTITIES: Mapping[str, Callable[[ChannelSummary], float]] = MappingProxyType(
    {
        _RATE: lambda channel: float("nan") if channel.rate_hz is None else channel.rate_hz,
        _BASELINE: lambda channel: channel.baseline_adc,
        "noise": lambda channel: float("nan") if channel.noise_adc is None else channel.noise_adc,
        _HEIGHT: _height,
        _WIDTH: _area_over_height,
        "direction (up: 1)": lambda channel: 1.0 if channel.largest_excursion == "positive" else -1.0,
    }
)
"""What channels of an array should have alike; the width is that of the mean pulse, its area over its height."""
