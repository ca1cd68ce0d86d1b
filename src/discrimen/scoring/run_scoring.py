"""One run at work: scores of its pulses, chunk by chunk, and what is counted on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader, ReadReport, RunInfo
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection, ChannelSieve
from discrimen.inference.verdict import MOST_OUTSIDE
from discrimen.output.provenance import command_line, software_versions
from discrimen.pulses import Pulses
from discrimen.scoring.classification import Classification
from discrimen.scoring.counts import Counted, RunTally
from discrimen.scoring.discriminator import Discriminators, attributes_of
from discrimen.scoring.judge import RunJudge
from discrimen.scoring.pile_up import PileUpMode
from discrimen.scoring.quantities import NO_CLASS, Gated
from discrimen.scoring.rates import pile_up_shares, run_time
from discrimen.scoring.run_sample import RunSample
from discrimen.scoring.score_rows import ScoreRows
from discrimen.scoring.scores import ScoreWriter, open_score_writer


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringWish:
    """What is wanted of a run.

    Parameters
    ----------
    selection : ChannelSelection
        Which boards and channels; the models need not fit the others.
    most_outside : float
        Share of the pulses that may be unlike those that the model has seen; 1 accepts every run.
    pile_up : {"flag", "veto"}, optional
        Look for records with a second pulse and write them as a column; "veto" leaves them out of the counts too.
    with_psd : bool
        Whether to write light (or charge) and PSD, where gates are known.
    """

    selection: ChannelSelection = ALL_CHANNELS
    most_outside: float = MOST_OUTSIDE
    pile_up: PileUpMode | None = None
    with_psd: bool = True

    def identity(self, info: RunInfo, discriminators: Discriminators) -> dict[str, str]:
        """Return what a file of scores must carry to be the finished result.

        It names the input, the way it was read, the model, and what the numbers in the file depend on besides.
        """
        stat = info.path.stat()
        return {
            "input": info.path.name,
            "input_format": info.format,
            "input_layout": info.layout,
            "input_bytes": str(stat.st_size),
            "input_mtime_ns": str(stat.st_mtime_ns),
            "model_sha256": discriminators.sha256,
            "threshold": json.dumps(discriminators.thresholds),
            "most_outside": repr(self.most_outside),
            "pile_up": self.pile_up or "not looked for",
            "psd": "wanted" if self.with_psd else "not wanted",
            **self.selection.as_attributes(),
        }


class RunScoring:
    """The models at work on a run, and the counts so far.

    Parameters
    ----------
    reader : Reader
        The open run file.
    discriminators : Discriminators
        The model with its threshold, or one for each channel.
    wish : ScoringWish
        What is wanted.

    Attributes
    ----------
    report : ReadReport
        What was met while reading.
    sieve : ChannelSieve
        The chosen channels at work.
    judge : RunJudge
        The models at work.
    tally : RunTally
        The counts of each channel.
    """

    def __init__(self, reader: Reader, discriminators: Discriminators, wish: ScoringWish) -> None:
        self._reader, self._discriminators, self._wish = reader, discriminators, wish
        self._classes = next(iter(discriminators.parts.values())).description.classes
        self._neutron = next(iter(discriminators.parts.values())).description.neutron_class
        self._attributes = {
            **wish.identity(reader.info, discriminators),
            "settings": reader.info.settings.model_dump_json(exclude_none=True),
            **attributes_of(discriminators),
            "versions": json.dumps(software_versions()),
            "command_line": command_line(),
        }
        self.report = ReadReport()
        self.sieve = ChannelSieve(wish.selection, str(reader.info.path))
        self.tally = RunTally()
        self.judge = RunJudge(
            discriminators,
            reader,
            selection=wish.selection,
            most_outside=wish.most_outside,
            with_pile_up=wish.pile_up is not None,
        )
        self._gated = Gated(reader.info.settings, self.judge.descriptions) if wish.with_psd else None
        self.without_psd: str | None = None

    def writer(self, output: Path, *, compress: bool = False) -> ScoreWriter:
        """Open the file of scores; it depends on input, model, wish and command alone, not on the time."""
        info = self._reader.info
        return open_score_writer(
            output,
            classes=self._classes,
            attributes=self._attributes,
            n_entries=info.n_entries,
            compress=compress,
            source=info.path,
        )

    def rows(
        self,
        chunks: Iterable[Pulses],
        *,
        sample: RunSample | None = None,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> Iterator[ScoreRows]:
        """Score and count chunks of the reader; see :func:`~discrimen.scoring.classify.classify_run`."""
        for read in chunks:
            pulses = self.sieve(read)
            if len(pulses):
                yield self._scored(pulses, sample)
            on_progress(len(read))
        self.report = self._reader.report
        self.without_psd = None if self._gated is None else self._gated.missing

    def _scored(self, pulses: Pulses, sample: RunSample | None) -> ScoreRows:
        judged = self.judge(pulses)
        measured = {} if self._gated is None else self._gated(pulses)
        vetoed = judged.pile_up if self._wish.pile_up == "veto" else None
        counted = _counted(judged.class_number, self._neutron, vetoed=vetoed)
        self.tally.add(pulses, counted, outside=judged.judgement.outside, pile_up=judged.pile_up)
        if sample is not None:
            sample.add(pulses, counted, measured)
        return judged.rows(measured)

    def require_sound(self) -> None:
        """Refuse the run, all of which has been read, if it has no pulses or is too unlike the training.

        Raises
        ------
        DataError
            With the counts.
        """
        n_read, path = self.report.n_read, self._reader.info.path
        if not n_read:
            left_out = "; ".join(self.report.left_out()) or "the file holds no event"
            raise DataError(f"{path}: no pulses to classify: {left_out}")
        if self.sieve.n_left_out == n_read:
            raise DataError(
                f"{path}: none of its {n_read} pulses is of {self.sieve.selection}; it holds "
                f"{self.sieve.describe_met()}"
            )
        self.judge.require_inside()

    def result(self, output: Path, *, seconds: float) -> Classification:
        """Return what the classification gave."""
        settings, tally = self._reader.info.settings, self.tally
        time = run_time(tally, settings)
        learned = self.judge.learned if self._wish.pile_up else None
        return Classification(
            output=output,
            report=self.report,
            n_neutron=tally.count(Counted.NEUTRON),
            n_gamma=tally.count(Counted.GAMMA),
            n_not_scored=tally.count(Counted.NOT_SCORED),
            n_vetoed=tally.count(Counted.VETOED),
            n_other_channels=self.sieve.n_left_out,
            absent=(*self.sieve.absent(), *self._untouched()),
            outside=self.judge.outside,
            tally=tally,
            time=time,
            pile_up=pile_up_shares(tally, time, learned, settings),
            without_psd=self.without_psd,
            thresholds=self._discriminators.thresholds,
            seconds=seconds,
        )

    def _untouched(self) -> list[str]:
        """Name the channels that a model was trained on and are chosen, but have no pulse in the run."""
        return [
            f"{place}, which the model was trained on"
            for place in self.judge.trained
            if place not in self.tally.channels and self._wish.selection.takes(place)
        ]


def _counted(numbers: NDArray[np.int8], neutron_class: int, *, vetoed: NDArray[np.uint8] | None) -> NDArray[np.int8]:
    """Return what each pulse counts as, values of :class:`Counted`."""
    counted: NDArray[np.int8] = (numbers == neutron_class).astype(np.int8)
    counted[numbers == NO_CLASS] = Counted.NOT_SCORED
    if vetoed is not None:
        counted[vetoed != 0] = Counted.VETOED
    return counted
