"""Score every pulse of a run file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader, ReadReport, RunInfo
from discrimen.inference.base import Predictor
from discrimen.inference.compatible import require_compatible
from discrimen.network.domain import Outside, OutsideTally, exceeds
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses import Pulses
from discrimen.runs.polarity import PolarityCheck
from discrimen.scoring.scores import ScoreRows, ScoreWriter, open_score_writer
from discrimen.scoring.selection import ChannelSelection, ChannelSieve

ALL_CHANNELS = ChannelSelection()

MOST_OUTSIDE = 0.01
"""Share of the pulses of a run that may be unlike those that the model has seen."""


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
    absent : tuple of str
        Boards and channels that were chosen, but are not in the run.
    outside : OutsideTally or None
        Pulses unlike those that the model has seen; None if it does not know what it has seen.
    threshold : float
        On the neutron score.
    seconds : float
        For reading, scoring and writing, in s.
    """

    output: Path
    report: ReadReport
    n_neutron: int
    n_gamma: int
    n_not_scored: int
    n_other_channels: int
    absent: tuple[str, ...]
    outside: OutsideTally | None
    threshold: float
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
            "n_other_channels": self.n_other_channels,
            "absent": list(self.absent),
            "outside": None if self.outside is None else self.outside.as_dict(),
            "threshold": self.threshold,
            "seconds": self.seconds,
            "n_pulses_per_s": self.n_pulses_per_s,
        }


def input_identity(
    info: RunInfo,
    *,
    model_sha256: str,
    threshold: float,
    selection: ChannelSelection = ALL_CHANNELS,
    most_outside: float = MOST_OUTSIDE,
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
        "threshold": repr(threshold),
        "most_outside": repr(most_outside),
        **selection.as_attributes(),
    }


def classify_run(
    reader: Reader,
    predictor: Predictor,
    output: Path,
    *,
    model_sha256: str,
    threshold: float = 0.5,
    selection: ChannelSelection = ALL_CHANNELS,
    most_outside: float = MOST_OUTSIDE,
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
    threshold : float
        A pulse with this neutron score or more counts as neutron; the scores themselves are stored.
    selection : ChannelSelection
        Which boards and channels; the model need not fit the others.
    most_outside : float
        Share of the pulses that may be unlike those that the model has seen; 1 accepts every run.
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
        reader.info, model_sha256=model_sha256, threshold=threshold, selection=selection, most_outside=most_outside
    )
    verdict = _Verdict.on(predictor.description, reader.info, most_outside)
    with open_score_writer(
        output,
        classes=predictor.description.classes,
        attributes=_attributes(reader, predictor, identity),
        n_entries=reader.info.n_entries,
        compress=compress,
    ) as writer:
        begin_s = perf_counter()
        scored = _scored(reader, predictor, writer, sieve=sieve, verdict=verdict, on_progress=on_progress)
        counts = sum((_count(scores, threshold) for scores in scored), np.zeros(3, np.int64))
        _require_pulses(reader, sieve)
        verdict.require_inside()
    return Classification(
        output=output,
        report=reader.report,
        n_neutron=int(counts[0]),
        n_gamma=int(counts[1]),
        n_not_scored=int(counts[2]),
        n_other_channels=sieve.n_left_out,
        absent=sieve.absent(),
        outside=verdict.tally,
        threshold=threshold,
        seconds=perf_counter() - begin_s,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Verdict:
    """Whether a run is like the pulses that the model has seen."""

    where: Path
    n_entries: int | None
    most_outside: float
    tally: OutsideTally | None

    @classmethod
    def on(cls, description: ModelDescription, info: RunInfo, most_outside: float) -> _Verdict:
        """Return what judges a run, before it is read."""
        if not 0 <= most_outside <= 1:
            raise SettingsError(f"expected a share from 0 to 1 that may lie outside, got {most_outside:g}")
        domain = description.domain
        tally = None if domain is None else OutsideTally(domain, description.preparation)
        return cls(info.path, info.n_entries, most_outside, tally)

    def add(self, pulses: Pulses, outside: NDArray[np.uint16] | None) -> None:
        """Count the pulses of a chunk; refuse the run where all that is still to come could not make it good."""
        if self.tally is None or outside is None:
            return
        self.tally.add(pulses.samples, outside)
        if self.n_entries is not None and self._exceeds(max(self.n_entries, self.tally.n_pulses)):
            self._refuse(self.tally)

    def require_inside(self) -> None:
        """Refuse the run, which has been read, if too much of it lies outside."""
        if self.tally is not None and self._exceeds(self.tally.n_pulses):
            self._refuse(self.tally)

    def _exceeds(self, n_pulses: int) -> bool:
        return self.tally is not None and exceeds(self.tally.n_outside, n_pulses, self.most_outside)

    def _refuse(self, tally: OutsideTally) -> NoReturn:
        raise DataError(
            f"{self.where}: {tally.told()} (allowed is a share of {self.most_outside:.4g}; --accept takes the run "
            "as it is)"
        )


def _scored(
    reader: Reader,
    predictor: Predictor,
    writer: ScoreWriter,
    *,
    sieve: ChannelSieve,
    verdict: _Verdict,
    on_progress: Callable[[int], None],
) -> Iterator[NDArray[np.float32]]:
    """Score and write chunk by chunk; yield the neutron scores."""
    info, description = reader.info, predictor.description
    neutron = description.neutron_class
    check = PolarityCheck(info.path, "positive" if description.preparation.only.polarity > 0 else "negative")
    for read in reader.chunks():
        pulses = sieve(read)
        if len(pulses):
            require_compatible(description, pulses, info.settings, where=str(info.path))
            check(pulses)
            scores, outside = predictor.judge(pulses.samples)
            if outside is not None:
                scores[(outside & Outside.EDGE_IN_BASELINE) != 0] = np.nan
            verdict.add(pulses, outside)
            writer.write(_rows(pulses, scores, outside))
            yield scores[:, neutron]
        on_progress(len(read))


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


def _rows(pulses: Pulses, scores: NDArray[np.float32], outside: NDArray[np.uint16] | None) -> ScoreRows:
    return ScoreRows(
        entry=pulses.column("entry"),
        timestamp_ps=pulses.timestamp_ps,
        board=pulses.board,
        channel=pulses.channel,
        flags=pulses.flags,
        score=scores,
        outside=outside,
    )


def _count(neutron_scores: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    # NumPy would round the threshold to the scores' float32, and let those just below it pass.
    n_neutron = int((neutron_scores >= np.float64(threshold)).sum())
    n_not_scored = int(np.isnan(neutron_scores).sum())
    return np.array([n_neutron, len(neutron_scores) - n_neutron - n_not_scored, n_not_scored])
