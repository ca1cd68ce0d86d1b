"""Watch a channel pulse by pulse: chunks go in, a verdict comes out for every block; for files and for streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor
from discrimen.reconstruction.quality.blocks import Blocks
from discrimen.reconstruction.quality.learn import Looker, usable
from discrimen.reconstruction.quality.look import Mark
from discrimen.reconstruction.quality.reference import ChannelReference
from discrimen.reconstruction.quality.signatures import UNKNOWN, Named, most_likely
from discrimen.reconstruction.quality.windows import BLOCKS_A_WINDOW, MARKS, SCALES, block_of, limits_of, step_of

NAMED_BY_MARK: Mapping[Mark, str] = {
    Mark.MISSING: "missing_samples",
    Mark.REVERSED: "polarity",
    Mark.NO_PULSE: "no_pulse",
    Mark.SATURATED: "saturated",
    Mark.ODD: "odd_shape",
}
_BASE = SCALES.index(BLOCKS_A_WINDOW)
_SHORT_FIRST = (_BASE, *(row for row in range(len(SCALES)) if row != _BASE))
_CLEARLY = 2.0
"""A score by which a window names a fault, whatever longer ones say."""
_USUAL = 0.5
"""A score below which a statistic is as if nothing had been."""
_OVER = 0.7
"""An alarm goes on until the largest score is below this, so that one that is at the limit is one alarm."""
_TOLD_BY_PULSE = (Mark.MISSING, Mark.REVERSED, Mark.NO_PULSE)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Verdict:
    """How a channel is, after a block of pulses.

    Parameters
    ----------
    n_pulses : int
        Of the channel, up to here.
    scores : ndarray of float32, shape (scale, tested + mark)
        How far each mean, and each number of marked pulses, has gone in units of its limit; 1 is an alarm, the sign is
        that of the change; NaN where a length of window was not judged here.
    score : float
        The largest of them.
    statistic : str
        Whose it is.
    window : int
        Pulses of the window that it is of.
    fault : Named or None
        What most likely happened, in an alarm.
    named_by : float
        The largest score of the window that the name is from; 0 without an alarm.
    """

    n_pulses: int
    scores: NDArray[np.float32]
    score: float
    statistic: str
    window: int
    fault: Named | None
    named_by: float

    @property
    def is_alarm(self) -> bool:
        """Whether a limit is passed."""
        return self.score > 1


@dataclass(slots=True, kw_only=True)
class Alarm:
    """One stretch of verdicts beyond the limits.

    Attributes
    ----------
    begins_at, ends_at : int
        Pulses of the channel at the first verdict, and at the last one; the fault began up to a window before.
    score : float
        The largest of the stretch.
    statistic : str
        That it is of.
    window : int
        Pulses of its window.
    fault : Named
        The name at the verdict that saw it most clearly.
    first_fault : str
        The name at the first verdict.
    """

    begins_at: int
    ends_at: int
    score: float
    statistic: str
    window: int
    fault: Named
    first_fault: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)


class ChannelWatch:
    """Watches one channel.

    Parameters
    ----------
    reference : ChannelReference
        What the channel was like.
    predictor : Predictor
        Of the auto-encoder.
    window : int
        Pulses of a window; shorter and longer ones are judged too.
    false_alarm_rate : float
        False alarms in so many pulses, at most.
    adc_bits : int or None
        Of the digitizer.
    """

    def __init__(
        self,
        reference: ChannelReference,
        predictor: Predictor,
        *,
        window: int,
        false_alarm_rate: float,
        adc_bits: int | None,
    ) -> None:
        self.reference = reference
        self.limits = limits_of(reference, window=window, false_alarm_rate=false_alarm_rate)
        self.alarms: list[Alarm] = []
        self.n_marked = dict.fromkeys((str(mark.name) for mark in MARKS), 0)
        self._looker = Looker(predictor=predictor, adc_bits=adc_bits, held_from=reference.profile.held_from)
        self._blocks = Blocks(reference, block=block_of(window))
        self._whitening = reference.whitening
        self._now: Alarm | None = None
        self._named_by = 0.0
        self._clearest = 0.0, 0

    @property
    def n_pulses(self) -> int:
        """Pulses so far."""
        return self._blocks.n_pulses

    @property
    def n_pending(self) -> int:
        """The latest of them, which do not fill a block yet."""
        return self._blocks.n_pending

    def add(self, samples: NDArray[Any]) -> tuple[list[Verdict], NDArray[np.float32], NDArray[np.uint16]]:
        """Take the next pulses.

        Parameters
        ----------
        samples : ndarray, shape (pulse, sample)
            Raw.

        Returns
        -------
        list of Verdict
            One for each block that was completed.
        ndarray of float32, shape (pulse,)
            The score of each pulse: the mean square of its residual in units of the usual one at its height; NaN where
            the pulse is not usable.
        ndarray of uint16, shape (pulse,)
            Its marks, see :class:`~discrimen.reconstruction.quality.look.Mark`.
        """
        statistics, score, marks = self.measure(samples)
        return self.take(statistics, score, marks), score, marks

    def measure(self, samples: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.uint16]]:
        """Return the statistics of the usable ones of some pulses, and the scores and marks of all."""
        looked = self._looker(samples)
        good = usable(looked)
        statistics, of_good = self.reference.profile.statistics(looked[good])
        score = np.full(len(looked), np.nan, np.float32)
        score[good] = of_good
        marks = looked.marks.copy()
        marks[good & (score > self.reference.profile.odd_above)] |= np.uint16(Mark.ODD)
        return statistics, score, marks

    def take(
        self, statistics: NDArray[np.float64], score: NDArray[np.float32], marks: NDArray[np.uint16]
    ) -> list[Verdict]:
        """Take the next pulses as :meth:`measure` gives them; see :meth:`add`."""
        for mark in MARKS:
            self.n_marked[str(mark.name)] += int(np.count_nonzero(marks & mark))
        return [self._judge() for _ in self._blocks.add(statistics, np.isfinite(score), marks)]

    def _judge(self) -> Verdict:
        scores = np.full((len(SCALES), len(self.reference.tested) + len(MARKS)), np.nan, np.float32)
        for row in _SHORT_FIRST:
            scale = SCALES[row]
            if scale in self.limits and self._blocks.holds(scale) and self._blocks.n_blocks % step_of(scale) == 0:
                scores[row] = self._blocks.scores(scale, self.limits[scale])
            if row == _BASE and self._fault_is_gone(scores[row]):
                # What is over does not hide in longer windows what comes next.
                self._blocks.keep_latest(scale)
                self._now = None
        verdict = self._verdict(scores)
        self._follow(verdict)
        return verdict

    def _verdict(self, scores: NDArray[np.float32]) -> Verdict:
        size = np.nan_to_num(np.abs(scores), nan=0.0)
        row, column = np.unravel_index(int(size.argmax()), scores.shape)
        score, fault, named_by = float(size[row, column]), None, 0.0
        if score > 1:
            # Windows that hold more than the fault dilute it: the usual one names it, if it sees it clearly.
            by = next((each for each in _SHORT_FIRST if size[each].max() >= _CLEARLY), int(row))
            fault, named_by = self._named(SCALES[by], scores[by]), float(size[by].max())
        names = (*self.reference.tested, *(NAMED_BY_MARK[mark] for mark in MARKS))
        return Verdict(
            n_pulses=self._blocks.n_pulses_judged,
            scores=scores,
            score=score,
            statistic=names[column],
            window=SCALES[row] * self._blocks.block,
            fault=fault,
            named_by=named_by,
        )

    def _fault_is_gone(self, scores: NDArray[np.float32]) -> bool:
        """Follow what a clear fault does to the usual window, and say whether that is over."""
        if self._now is None or not np.isfinite(scores).any():
            return False
        furthest = int(np.abs(scores).argmax())
        if abs(float(scores[furthest])) > self._clearest[0]:
            self._clearest = abs(float(scores[furthest])), furthest
        peak, column = self._clearest
        return peak >= _CLEARLY and abs(float(scores[column])) < _USUAL

    def _named(self, scale: int, scores: NDArray[np.float32]) -> Named:
        """Name what happened: single pulses tell some faults, the others are told by what they do to the statistics."""
        n_tested = len(self.reference.tested)
        over = {mark for mark, score in zip(MARKS, scores[n_tested:], strict=True) if score > 1}
        for mark in _TOLD_BY_PULSE:
            if mark in over:
                return Named(fault=NAMED_BY_MARK[mark], size=None, explained=1.0)
        if np.nanmax(np.abs(scores[:n_tested]), initial=0.0) > 1:
            shift = self._blocks.mean(scale) - self.reference.mean
            return most_likely(shift, scale * self._blocks.block, self.reference.signatures, self._whitening)
        (mark, *_) = over or {Mark.ODD}
        return (
            Named(fault=NAMED_BY_MARK[mark], size=None, explained=1.0)
            if over
            else Named(fault=UNKNOWN, size=None, explained=0.0)
        )

    def _follow(self, verdict: Verdict) -> None:
        """Begin, go on with or end an alarm."""
        if verdict.fault is None:
            # A longer window that is not judged at every block says nothing between.
            if self._now is not None and verdict.score < _OVER and self._judged_again(verdict):
                self._now = None
            return
        if self._now is None:
            self._now = Alarm(
                begins_at=verdict.n_pulses,
                ends_at=verdict.n_pulses,
                score=verdict.score,
                statistic=verdict.statistic,
                window=verdict.window,
                fault=verdict.fault,
                first_fault=verdict.fault.fault,
            )
            self.alarms.append(self._now)
            self._named_by, self._clearest = 0.0, (0.0, 0)
        self._now.ends_at = verdict.n_pulses
        if verdict.score >= self._now.score:
            self._now.score, self._now.statistic = verdict.score, verdict.statistic
            self._now.window = verdict.window
        if verdict.named_by >= self._named_by:
            self._named_by, self._now.fault = verdict.named_by, verdict.fault

    def _judged_again(self, verdict: Verdict) -> bool:
        assert self._now is not None
        row = SCALES.index(self._now.window // self._blocks.block)
        return bool(np.isfinite(verdict.scores[row]).any())
