"""Score every pulse of a run file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader, ReadReport, RunInfo
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection, ChannelSieve
from discrimen.inference.base import Judgement, Predictor
from discrimen.inference.compatible import require_compatible, require_trained_channels
from discrimen.network.domain import Outside, OutsideTally
from discrimen.network.height_curve import Cut, HeightCurve, plain_threshold, thresholds_of
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses import Pulses
from discrimen.pulses.array import listed
from discrimen.runs.polarity import PolarityCheck
from discrimen.scoring.counts import Counted, RunTally
from discrimen.scoring.odd_channels import odd_channels
from discrimen.scoring.pile_up import PileUpMode, PileUpSearch, learn_pile_up
from discrimen.scoring.quantities import NO_CLASS, Gated, class_numbers
from discrimen.scoring.rates import PileUpShares, RunTime, channel_table, pile_up_shares, run_time
from discrimen.scoring.run_sample import RunSample
from discrimen.scoring.scores import ScoreRows, open_score_writer
from discrimen.scoring.verdict import MOST_OUTSIDE, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What the classification of one run file gave.

    Parameters
    ----------
    output : Path
        The file of scores.
    report : ReadReport
        What was met while reading.
    n_neutron, n_gamma : int
        Pulses with a neutron score of at least the threshold, and below it.
    n_not_scored : int
        Pulses that could not be prepared (no pulse above its baseline), or whose edge lies inside the model's baseline
        window; their scores are NaN.
    n_other_channels : int
        Pulses of boards and channels that were not chosen; they have no row.
    n_vetoed : int
        Pulses left out of the counts because their record holds a second one.
    absent : tuple of str
        Boards and channels that were chosen, but are not in the run.
    outside : OutsideTally or None
        Pulses unlike those that the model has seen; None if it does not know what it has seen.
    tally : RunTally
        The counts of each channel.
    time : RunTime or str
        Live time and rates, or why they cannot be known.
    pile_up : PileUpShares
        What was found, and what the rate lets expect.
    without_psd : str or None
        Why some or all pulses have no light and PSD, if they were wanted.
    threshold : float or HeightCurve
        On the neutron score.
    seconds : float
        For reading, scoring and writing, in s.
    """

    output: Path
    report: ReadReport
    n_neutron: int
    n_gamma: int
    n_not_scored: int
    n_vetoed: int
    n_other_channels: int
    absent: tuple[str, ...]
    outside: OutsideTally | None
    tally: RunTally
    time: RunTime | str
    pile_up: PileUpShares
    without_psd: str | None
    threshold: Cut
    seconds: float

    @property
    def n_pulses_per_s(self) -> float:
        """Pulses read in a second, those of other channels included."""
        return self.report.n_read / self.seconds

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.output),
            **self.report.as_dict(),
            "n_neutron": self.n_neutron,
            "n_gamma": self.n_gamma,
            "n_not_scored": self.n_not_scored,
            "n_vetoed": self.n_vetoed,
            "n_other_channels": self.n_other_channels,
            "absent": list(self.absent),
            "outside": None if self.outside is None else self.outside.as_dict(),
            "time": {"unknown": self.time} if isinstance(self.time, str) else self.time.as_dict(),
            "pile_up": asdict(self.pile_up),
            "losses": dict(self.tally.losses),
            "channels": channel_table(self.tally, self.time),
            "odd": odd_channels(self.tally),
            "without_psd": self.without_psd,
            "threshold": plain_threshold(self.threshold),
            "seconds": self.seconds,
            "n_pulses_per_s": self.n_pulses_per_s,
        }


def input_identity(
    info: RunInfo,
    *,
    model_sha256: str,
    threshold: Cut,
    selection: ChannelSelection = ALL_CHANNELS,
    most_outside: float = MOST_OUTSIDE,
    pile_up: PileUpMode | None = None,
    with_psd: bool = True,
) -> dict[str, str]:
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
        "model_sha256": model_sha256,
        "threshold": json.dumps(plain_threshold(threshold)),
        "most_outside": repr(most_outside),
        "pile_up": pile_up or "not looked for",
        "psd": "wanted" if with_psd else "not wanted",
        **selection.as_attributes(),
    }


def classify_run(
    reader: Reader,
    predictor: Predictor,
    output: Path,
    *,
    model_sha256: str,
    threshold: Cut = 0.5,
    selection: ChannelSelection = ALL_CHANNELS,
    most_outside: float = MOST_OUTSIDE,
    pile_up: PileUpMode | None = None,
    with_psd: bool = True,
    sample: RunSample | None = None,
    compress: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Classification:
    """Score the pulses of one run file, chunk by chunk, into a file of scores.

    Parameters
    ----------
    reader : Reader
        The open run file.
    predictor : Predictor
        The model.
    output : Path
        File of scores; its suffix tells its format (.h5, .parquet, .root, .csv). It appears when it is complete.
    model_sha256 : str
        Goes into the output.
    threshold : float or HeightCurve
        A pulse with this neutron score or more counts as neutron; the scores themselves are stored, and the height
        where the threshold follows it.
    selection : ChannelSelection
        Which boards and channels; the model need not fit the others.
    most_outside : float
        Share of the pulses that may be unlike those that the model has seen; 1 accepts every run.
    pile_up : {"flag", "veto"}, optional
        Look for records with a second pulse and write them as a column; "veto" leaves them out of the counts too.
    with_psd : bool
        Whether to write light (or charge) and PSD, where gates are known; about 1 us a pulse of 75 samples.
    sample : RunSample, optional
        Filled with pulses of the run, for a picture.
    compress : bool
        Of an HDF5 file: see :func:`~discrimen.scoring.scores.open_score_writer`.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If the file holds no pulses, or none of the chosen channels, or the model was not trained for them; if surely
        more of them than `most_outside` are unlike those that the model has seen.
    OutputError, FormatError
        If reading or writing fails.
    """
    sieve = ChannelSieve(selection, str(reader.info.path))
    identity = input_identity(
        reader.info,
        model_sha256=model_sha256,
        threshold=threshold,
        selection=selection,
        most_outside=most_outside,
        pile_up=pile_up,
        with_psd=with_psd,
    )
    search = None if pile_up is None else _learned(reader, predictor.description, selection)
    verdict = Verdict.on(predictor.description, reader.info, most_outside)
    with open_score_writer(
        output,
        classes=predictor.description.classes,
        attributes=_attributes(reader, predictor, identity),
        n_entries=reader.info.n_entries,
        compress=compress,
    ) as writer:
        begin_s = perf_counter()
        tally, neutron = RunTally(), predictor.description.neutron_class
        gated = Gated(reader.info.settings, predictor.description) if with_psd else None
        for each in _judged(reader, predictor, sieve=sieve, verdict=verdict, search=search, on_progress=on_progress):
            numbers = each.class_numbers(threshold, neutron)
            measured = {} if gated is None else gated(each.pulses)
            writer.write(each.rows(numbers, measured, with_height=isinstance(threshold, HeightCurve)))
            counted = _counted(numbers, neutron, vetoed=each.pile_up if pile_up == "veto" else None)
            tally.add(each.pulses, counted, outside=each.judged.outside, pile_up=each.pile_up)
            if sample is not None:
                sample.add(each.pulses, counted, measured)
        _require_pulses(reader, sieve)
        verdict.require_inside()
    time = run_time(tally, reader.info.settings)
    return Classification(
        output=output,
        report=reader.report,
        n_neutron=tally.count(Counted.NEUTRON),
        n_gamma=tally.count(Counted.GAMMA),
        n_not_scored=tally.count(Counted.NOT_SCORED),
        n_vetoed=tally.count(Counted.VETOED),
        n_other_channels=sieve.n_left_out,
        absent=(*sieve.absent(), *_untouched(predictor.description, tally, selection)),
        outside=verdict.tally,
        tally=tally,
        time=time,
        pile_up=pile_up_shares(tally, time, search, reader.info.settings),
        without_psd=None if gated is None else gated.missing,
        threshold=threshold,
        seconds=perf_counter() - begin_s,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A chunk with its scores and flags."""

    pulses: Pulses
    judged: Judgement
    pile_up: NDArray[np.uint8] | None

    def class_numbers(self, threshold: Cut, neutron: int) -> NDArray[np.int8]:
        """Return the class of each pulse; see :func:`~discrimen.scoring.quantities.class_numbers`."""
        scores = self.judged.scores
        least = thresholds_of(threshold, self.judged.height_adc, n_pulses=len(scores))
        return class_numbers(scores, is_neutron=scores[:, neutron] >= least, neutron_class=neutron)

    def rows(
        self, numbers: NDArray[np.int8], measured: Mapping[str, NDArray[np.float32]], *, with_height: bool
    ) -> ScoreRows:
        """Return what is written."""
        return ScoreRows(
            entry=self.pulses.column("entry"),
            timestamp_ps=self.pulses.timestamp_ps,
            board=self.pulses.board,
            channel=self.pulses.channel,
            flags=self.pulses.flags,
            score=self.judged.scores,
            outside=self.judged.outside,
            pile_up=self.pile_up,
            height_adc=self.judged.height_adc if with_height else None,
            class_number=numbers,
            **measured,
        )


def _judged(
    reader: Reader,
    predictor: Predictor,
    *,
    sieve: ChannelSieve,
    verdict: Verdict,
    search: PileUpSearch | None,
    on_progress: Callable[[int], None],
) -> Iterator[_Judged]:
    """Score chunk by chunk."""
    info, description = reader.info, predictor.description
    check = PolarityCheck(info.path, "positive" if description.preparation.only.polarity > 0 else "negative")
    for read in reader.chunks():
        pulses = sieve(read)
        if len(pulses):
            require_compatible(description, pulses, info.settings, where=str(info.path))
            if verdict.most_outside < 1:
                require_trained_channels(description, pulses, where=str(info.path), way_out="give --accept")
            check(pulses)
            judged = predictor.judge(pulses.samples)
            if judged.outside is not None:
                judged.scores[(judged.outside & Outside.EDGE_IN_BASELINE) != 0] = np.nan
            verdict.add(pulses, judged.outside)
            yield _Judged(pulses, judged, None if search is None else search(pulses))
        on_progress(len(read))


def _learned(reader: Reader, description: ModelDescription, selection: ChannelSelection) -> PileUpSearch:
    """Learn from the first chosen pulses what tells second ones."""
    info, sieve = reader.info, ChannelSieve(selection, str(reader.info.path))

    def compatible() -> Iterator[Pulses]:
        for pulses in filter(len, map(sieve, reader.chunks())):
            require_compatible(description, pulses, info.settings, where=str(info.path))
            yield pulses

    return learn_pile_up(compatible(), description.preparation)


def _untouched(description: ModelDescription, tally: RunTally, selection: ChannelSelection) -> list[str]:
    """Name the channels that the model was trained on and are chosen, but have no pulse in the run."""
    trained = listed(description.settings)
    return [
        f"{place}, which the model was trained on"
        for place in trained
        if place not in tally.channels and selection.takes(place)
    ]


def _require_pulses(reader: Reader, sieve: ChannelSieve) -> None:
    n_read, path = reader.report.n_read, reader.info.path
    if not n_read:
        left_out = "; ".join(reader.report.left_out()) or "the file holds no event"
        raise DataError(f"{path}: no pulses to classify: {left_out}")
    if sieve.n_left_out == n_read:
        raise DataError(f"{path}: none of its {n_read} pulses is of {sieve.selection}; it holds {sieve.describe_met()}")


def _attributes(reader: Reader, predictor: Predictor, identity: Mapping[str, str]) -> dict[str, str]:
    return {
        **identity,
        "settings": reader.info.settings.model_dump_json(exclude_none=True),
        "preparation": json.dumps(predictor.description.preparation.as_dict()),
        "backend": predictor.backend,
        "versions": json.dumps(software_versions()),
        "date_utc": utc_now(),
    }


def _counted(numbers: NDArray[np.int8], neutron_class: int, *, vetoed: NDArray[np.uint8] | None) -> NDArray[np.int8]:
    """Return what each pulse counts as, values of :class:`Counted`."""
    counted: NDArray[np.int8] = (numbers == neutron_class).astype(np.int8)
    counted[numbers == NO_CLASS] = Counted.NOT_SCORED
    if vetoed is not None:
        counted[vetoed != 0] = Counted.VETOED
    return counted
