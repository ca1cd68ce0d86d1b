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
from discrimen.inference.verdict import MOST_OUTSIDE
from discrimen.network.domain import OutsideTally
from discrimen.output.provenance import software_versions, utc_now
from discrimen.scoring.counts import Counted, RunTally
from discrimen.scoring.discriminator import Discriminators, attributes_of, for_one_or_each
from discrimen.scoring.judge import Judged, RunJudge
from discrimen.scoring.odd_channels import odd_channels
from discrimen.scoring.pile_up import PileUpMode
from discrimen.scoring.quantities import NO_CLASS, Gated
from discrimen.scoring.rates import PileUpShares, RunTime, channel_table, pile_up_shares, run_time
from discrimen.scoring.run_sample import RunSample
from discrimen.scoring.scores import open_score_writer


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
    outside : mapping of str to OutsideTally
        Pulses unlike those that a model has seen, by its name, "" for the one for all channels; empty if the models do
        not know what they have seen.
    tally : RunTally
        The counts of each channel.
    time : RunTime or str
        Live time and rates, or why they cannot be known.
    pile_up : PileUpShares
        What was found, and what the rate lets expect.
    without_psd : str or None
        Why some or all pulses have no light and PSD, if they were wanted.
    thresholds : Any
        On the neutron score, as plain data: of the one model, or by the names of the models.
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
    outside: Mapping[str, OutsideTally]
    tally: RunTally
    time: RunTime | str
    pile_up: PileUpShares
    without_psd: str | None
    thresholds: Any
    seconds: float

    @property
    def n_outside(self) -> int:
        """Pulses unlike those that their model has seen."""
        return sum(each.n_outside for each in self.outside.values())

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
            "outside": for_one_or_each({name: each.as_dict() for name, each in self.outside.items()}),
            "time": {"unknown": self.time} if isinstance(self.time, str) else self.time.as_dict(),
            "pile_up": asdict(self.pile_up),
            "losses": dict(self.tally.losses),
            "channels": channel_table(self.tally, self.time),
            "odd": odd_channels(self.tally),
            "without_psd": self.without_psd,
            "threshold": self.thresholds,
            "seconds": self.seconds,
            "n_pulses_per_s": self.n_pulses_per_s,
        }


def input_identity(
    info: RunInfo,
    discriminators: Discriminators,
    *,
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
        "model_sha256": discriminators.sha256,
        "threshold": json.dumps(discriminators.thresholds),
        "most_outside": repr(most_outside),
        "pile_up": pile_up or "not looked for",
        "psd": "wanted" if with_psd else "not wanted",
        **selection.as_attributes(),
    }


def classify_run(
    reader: Reader,
    discriminators: Discriminators,
    output: Path,
    *,
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
    discriminators : Discriminators
        The model with its threshold, or one for each channel. The scores themselves are stored, and the height where a
        threshold follows it.
    output : Path
        File of scores; its suffix tells its format (.h5, .parquet, .root, .csv). It appears when it is complete.
    selection : ChannelSelection
        Which boards and channels; the models need not fit the others.
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
        discriminators,
        selection=selection,
        most_outside=most_outside,
        pile_up=pile_up,
        with_psd=with_psd,
    )
    judge = RunJudge(
        discriminators, reader, selection=selection, most_outside=most_outside, with_pile_up=pile_up is not None
    )
    first = next(iter(discriminators.parts.values())).description
    with open_score_writer(
        output,
        classes=first.classes,
        attributes=_attributes(reader, discriminators, identity),
        n_entries=reader.info.n_entries,
        compress=compress,
    ) as writer:
        begin_s = perf_counter()
        tally, neutron = RunTally(), first.neutron_class
        gated = Gated(reader.info.settings, judge.descriptions) if with_psd else None
        for each in _judged(reader, judge, sieve=sieve, on_progress=on_progress):
            measured = {} if gated is None else gated(each.pulses)
            writer.write(each.rows(measured))
            counted = _counted(each.class_number, neutron, vetoed=each.pile_up if pile_up == "veto" else None)
            tally.add(each.pulses, counted, outside=each.judgement.outside, pile_up=each.pile_up)
            if sample is not None:
                sample.add(each.pulses, counted, measured)
        _require_pulses(reader, sieve)
        judge.require_inside()
    time = run_time(tally, reader.info.settings)
    return Classification(
        output=output,
        report=reader.report,
        n_neutron=tally.count(Counted.NEUTRON),
        n_gamma=tally.count(Counted.GAMMA),
        n_not_scored=tally.count(Counted.NOT_SCORED),
        n_vetoed=tally.count(Counted.VETOED),
        n_other_channels=sieve.n_left_out,
        absent=(*sieve.absent(), *_untouched(judge, tally, selection)),
        outside=judge.outside,
        tally=tally,
        time=time,
        pile_up=pile_up_shares(tally, time, judge.learned if pile_up else None, reader.info.settings),
        without_psd=None if gated is None else gated.missing,
        thresholds=discriminators.thresholds,
        seconds=perf_counter() - begin_s,
    )


def _judged(
    reader: Reader, judge: RunJudge, *, sieve: ChannelSieve, on_progress: Callable[[int], None]
) -> Iterator[Judged]:
    """Score chunk by chunk."""
    for read in reader.chunks():
        pulses = sieve(read)
        if len(pulses):
            yield judge(pulses)
        on_progress(len(read))


def _untouched(judge: RunJudge, tally: RunTally, selection: ChannelSelection) -> list[str]:
    """Name the channels that a model was trained on and are chosen, but have no pulse in the run."""
    return [
        f"{place}, which the model was trained on"
        for place in judge.trained
        if place not in tally.channels and selection.takes(place)
    ]


def _require_pulses(reader: Reader, sieve: ChannelSieve) -> None:
    n_read, path = reader.report.n_read, reader.info.path
    if not n_read:
        left_out = "; ".join(reader.report.left_out()) or "the file holds no event"
        raise DataError(f"{path}: no pulses to classify: {left_out}")
    if sieve.n_left_out == n_read:
        raise DataError(f"{path}: none of its {n_read} pulses is of {sieve.selection}; it holds {sieve.describe_met()}")


def _attributes(reader: Reader, discriminators: Discriminators, identity: Mapping[str, str]) -> dict[str, str]:
    return {
        **identity,
        "settings": reader.info.settings.model_dump_json(exclude_none=True),
        **attributes_of(discriminators),
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
