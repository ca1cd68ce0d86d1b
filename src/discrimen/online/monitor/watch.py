"""All that a monitor knows of a stream, put together from bulletins; nothing here knows sockets, clocks or pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.metrics.drift import DriftReference
from discrimen.online.monitor.axes import SCORE_AXIS, energy_axis, linear_axis
from discrimen.online.monitor.bulletin import COUNTED, Bulletin, read_bulletin
from discrimen.online.monitor.channels import Channel
from discrimen.online.monitor.drift_watch import WATCHED, DriftWatch
from discrimen.online.monitor.feed import Feed, News
from discrimen.online.monitor.figures import Figures, Measurer
from discrimen.online.monitor.history import History
from discrimen.online.monitor.maps import HeatMap
from discrimen.pulses.detector import DetectorSettings

AXES_FROM = 500
"""Pulses that tell how far the axes must reach."""

MOST_CHANNELS = 512
"""That a page can show; it says how many more there are."""


class Watch:
    """Gathers what bulletins say.

    Parameters
    ----------
    settings : DetectorSettings
        Of the detector: calibration and gates, where they are known.
    reference : DriftReference, optional
        What all channels together were like; each channel is compared with its own first pulses all the same.
    reference_sha256 : str, optional
        Of the model that the reference was made with.

    Attributes
    ----------
    feed : Feed
        What came from bulletin to bulletin.
    channels : list of Channel
        In the order in which they were met; their numbers are those of maps and history.
    maps : dict of str to HeatMap
        ``psd`` and ``score`` against energy, as soon as the axes are known.
    together : DriftWatch or None
        All channels against the reference that was given.
    n_unread : int
        Messages that were no bulletins.
    unread : str
        Why the last of these was none.
    """

    def __init__(
        self,
        settings: DetectorSettings | None = None,
        *,
        reference: DriftReference | None = None,
        reference_sha256: str = "",
    ) -> None:
        self._settings = DetectorSettings() if settings is None else settings
        self._reference, self._reference_sha256 = reference, reference_sha256
        self.feed, self.history = Feed(), History()
        self.channels: list[Channel] = []
        self._slots: dict[tuple[int, int], int] = {}
        self.maps: dict[str, HeatMap] = {}
        self.together = None if reference is None else DriftWatch(reference)
        self.measurer: Measurer | None = None
        self._model = b""
        self._first: list[Figures] = []
        self.n_unread, self.unread = 0, ""
        self._unseen: set[tuple[int, int]] = set()
        self._pulses_s: float | None = None
        self.reset_s: float | None = None

    def take(self, frames: Sequence[bytes], now_s: float) -> None:
        """Take a message that came; what is no bulletin is counted."""
        try:
            bulletin = read_bulletin(frames)
            self._follow_model(bulletin)
        except (DataError, SettingsError) as error:
            self.n_unread, self.unread = self.n_unread + 1, str(error)
            return
        news = self.feed.take(bulletin.told, now_s)
        if news is None:
            return
        self._count(bulletin, news, now_s)
        if len(bulletin.examples) and self.measurer is not None:
            self._look(self.measurer.measure(bulletin))

    def _follow_model(self, bulletin: Bulletin) -> None:
        """Begin again where another model scores."""
        if bulletin.model == self._model:
            return
        measurer = Measurer(bulletin.model, self._settings)
        if self._reference is not None and self._reference_sha256 != measurer.sha256:
            raise SettingsError(
                f"the reference was made with another model (SHA-256 {self._reference_sha256[:12]}..., the stream has "
                f"{measurer.sha256[:12]}...): make it again with that one"
            )
        changed = self.measurer is not None
        self.measurer, self._model = measurer, bulletin.model
        if changed:
            self.reset(None)

    def slot(self, place: tuple[int, int]) -> int | None:
        """Return the number of a channel, a new one where it is met for the first time; None if there are too many."""
        if place not in self._slots and len(self.channels) < MOST_CHANNELS:
            self._slots[place] = len(self.channels)
            self.channels.append(Channel(place))
        elif place not in self._slots and len(self._unseen) < MOST_CHANNELS:
            self._unseen.add(place)
        return self._slots.get(place)

    @property
    def n_channels_unseen(self) -> int:
        """Channels beyond those that can be shown."""
        return len(self._unseen)

    def idle_s(self, now_s: float) -> float:
        """For how long no pulses have come."""
        return 0.0 if self._pulses_s is None else now_s - self._pulses_s

    def slots_of(self, places: Sequence[tuple[int, int]] | None) -> list[int] | None:
        """Return the numbers of some channels, those that are known; None for all."""
        return None if places is None else [self._slots[place] for place in places if place in self._slots]

    def _count(self, bulletin: Bulletin, news: News, now_s: float) -> None:
        if news.n_pulses or self._pulses_s is None:
            self._pulses_s = now_s
        rated: dict[int, tuple[float, float]] = {}
        # Pulses came, but the stream had no time to count them: then nobody knows a rate.
        seconds = news.seconds if news.n_counted or not news.n_pulses else 0.0
        for place, counts in news.channels.items():
            slot = self.slot(place)
            if slot is not None:
                self.channels[slot].count(counts, scale=news.scale, seconds=seconds, now_s=now_s)
                rated[slot] = (float(counts[1] * news.scale), float(counts[2] * news.scale))
        latency_ms = bulletin.told.latency_ms
        pace = {"n_waiting": float(bulletin.told.n_waiting)}
        if latency_ms:
            pace |= {"latency_median_ms": latency_ms[0], "latency_99_ms": latency_ms[2]}
        self.history.add(now_s, seconds, rated, pace)

    def _look(self, figures: Figures) -> None:
        slots = np.array([-1 if (slot := self.slot(place)) is None else slot for place in figures.places])
        for number in np.unique(slots[slots >= 0]):
            self.channels[number].look(figures, np.flatnonzero(slots == number))
        if self.together is not None:
            self.together.add({name: getattr(figures, name) for name in WATCHED})
        if not self.maps:
            self._first.append(figures)
            if sum(map(len, self._first)) < AXES_FROM:
                return
            self._choose_axes()
            first, self._first = self._first, []
            for each in first:
                self._fill(each)
            return
        self._fill(figures)

    def _fill(self, figures: Figures) -> None:
        slots = np.array([-1 if (slot := self.slot(place)) is None else slot for place in figures.places])
        known = slots >= 0
        for name, heat_map in self.maps.items():
            heat_map.add(slots[known], figures.energy[known], getattr(figures, name)[known])

    def _choose_axes(self) -> None:
        energy = np.concatenate([each.energy for each in self._first])
        psd = np.concatenate([each.psd for each in self._first])
        score = np.concatenate([each.score for each in self._first])
        if self.measurer is None or np.count_nonzero(energy > 0) < AXES_FROM // 2:
            self._first = self._first[-20:]
            return
        x = energy_axis(energy, self.measurer.energy_label)
        known: NDArray[Any] = psd[np.isfinite(psd)]
        if len(known) >= AXES_FROM // 4:
            self.maps["psd"] = HeatMap(x, linear_axis(known, "PSD"))
        if np.isfinite(score).any():
            self.maps["score"] = HeatMap(x, SCORE_AXIS)

    def reset(self, now_s: float | None) -> None:
        """Forget heat maps, counts, waveforms and what channels were like; the history of rates stays."""
        for channel in self.channels:
            channel.reset()
        self.maps, self._first = {}, []
        self.together = None if self._reference is None else DriftWatch(self._reference)
        self.reset_s = now_s

    def counts(self, slots: list[int] | None) -> NDArray[np.int64]:
        """Return the counts of some channels together, or of all, as in COUNTED."""
        chosen = self.channels if slots is None else [self.channels[slot] for slot in slots]
        return np.sum([each.counts for each in chosen], axis=0, dtype=np.int64) if chosen else _NOTHING.copy()


_NOTHING = np.zeros(len(COUNTED), np.int64)
