"""Separate piled-up pulses of run files: each pulse of every record on its own, with energy, time and score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from discrimen.errors import OutputError
from discrimen.formats.base import Reader
from discrimen.formats.lh5 import reader as lh5
from discrimen.formats.settings_merge import common_settings
from discrimen.formats.table import open_writer
from discrimen.inference.base import Predictor
from discrimen.inference.verdict import MOST_OUTSIDE, Verdict
from discrimen.output.files import refuse_inputs
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.part_pulses import PartWriter
from discrimen.reconstruction.parts import part_records, require_separator
from discrimen.reconstruction.separated_runs import SeparatedRun, SeparatedRuns, count_records, separation_counts
from discrimen.reconstruction.separation_judged import Judge
from discrimen.reconstruction.stage_run import Counts
from discrimen.reconstruction.whole_records import adc_bits_of, fitting_chunks
from discrimen.runs.components import Components


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparationOptions:
    """How to separate.

    Parameters
    ----------
    threshold : float or None
        Probability of a single pulse from which on a record is left whole; None: that of the model, which follows
        from the false alarms that it was trained for.
    in_place : bool
        Whether each part stays where it lies in its record; by default a second pulse is moved to where first ones lie.
    as_float : bool
        Whether to write float32 instead of whole counts of the type that the digitizer gave.
    most_outside : float
        Share of the pulses of a run that may be unlike those that the model has seen; 1 accepts every run.
    n_fitted : int
        How many records of two pulses the plain method, a fit of templates, is tried on where the truth is known.
    """

    threshold: float | None = None
    in_place: bool = False
    as_float: bool = False
    most_outside: float = MOST_OUTSIDE
    n_fitted: int = 300


def separate_runs(
    readers: Sequence[Reader],
    predictor: Predictor,
    output: Path | None = None,
    *,
    classifier: Predictor | None = None,
    components: Sequence[Components] | None = None,
    options: SeparationOptions | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> SeparatedRuns:
    """Find records of two pulses, take them apart, and write every pulse on its own, chunk by chunk.

    Records of one pulse are written as they are. Records of more than two pulses, saturated ones and those without a
    pulse are left out and counted.

    Parameters
    ----------
    readers : sequence of Reader
        Open inputs; they must agree on what their settings say. Several get the column `run`.
    predictor : Predictor
        Of a model of the task separation.
    output : Path, optional
        The native file to write; without one records are counted, and judged where the truth is known.
    classifier : Predictor, optional
        Scores each written pulse, column `neutron_score`.
    components : sequence of Components, optional
        The truth of each input: how right the parts are is given, with a fit of templates, and written pulses get the
        class that they have there.
    options : SeparationOptions, optional
        How.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    SettingsError
        If the model does not separate, or the inputs contradict each other.
    DataError
        If records do not fit the models (sampling, polarity, length), or surely more of a run than allowed are unlike
        those that the model has seen.
    OutputError, FormatError
        If the output is one of the inputs, or reading or writing fails.
    """
    options = options or SeparationOptions()
    require_separator(predictor.description)
    if classifier is not None:
        assert classifier.description.neutron_class >= 0  # refuses a model without one
    settings, begin_s = common_settings(readers), perf_counter()
    if output is not None:
        _require_native(output)
        refuse_inputs(output, [reader.info.path for reader in readers])
    runs = []
    with nullcontext() if output is None else open_writer(output, settings) as writer:
        for number, reader in enumerate(readers):
            truth = None if components is None else components[number]
            of_run = number if len(readers) > 1 else None
            one = _OneRun.on(reader, predictor, classifier, truth, options, settings, number=of_run)
            for pulses in one.parts(on_progress):
                if writer is not None:
                    writer.write(pulses)
            runs.append(one.done())
    return SeparatedRuns(output=output, runs=tuple(runs), seconds=perf_counter() - begin_s)


def _require_native(output: Path) -> None:
    if output.suffix.lower() not in lh5.FORMAT.suffixes:
        raise OutputError(
            f"{output}: only the native format has a place for part, time_offset_ns and scores: give a name that ends "
            f"in {lh5.FORMAT.suffixes[0]}"
        )


@dataclass(slots=True)
class _OneRun:
    reader: Reader
    predictor: Predictor
    options: SeparationOptions
    verdict: Verdict
    writer: PartWriter
    judge: Judge | None
    counts: Counts = field(default_factory=separation_counts)
    n_read: int = 0

    @classmethod
    def on(
        cls,
        reader: Reader,
        predictor: Predictor,
        classifier: Predictor | None,
        truth: Components | None,
        options: SeparationOptions,
        settings: DetectorSettings,
        *,
        number: int | None,
    ) -> _OneRun:
        description = predictor.description
        writer = PartWriter(
            preparation=description.preparation,
            calibration=settings.calibration or description.settings.calibration,
            gates=settings.gates or description.settings.gates,
            classifier=classifier,
            in_place=options.in_place,
            as_float=options.as_float,
            adc_bits=adc_bits_of(reader, predictor),
            run=number,
            where=str(reader.info.path),
        )
        judge = None if truth is None else Judge(truth, description.preparation)
        verdict = Verdict.on(description, reader.info, options.most_outside)
        return cls(reader, predictor, options, verdict, writer, judge)

    def parts(self, on_progress: Callable[[int], None]) -> Iterator[Pulses]:
        """Yield chunks of what is written."""
        chunks = fitting_chunks(self.reader, self.predictor.description, most_outside=self.options.most_outside)
        for pulses in chunks:
            parted = part_records(
                self.predictor,
                pulses.samples,
                threshold=self.options.threshold,
                adc_bits=adc_bits_of(self.reader, self.predictor),
            )
            self.verdict.add(pulses, parted.outside)
            count_records(self.counts, parted)
            rows = slice(self.n_read, self.n_read + len(pulses))
            self.n_read = rows.stop
            label = None if self.judge is None else self.judge.add(pulses, parted, rows)
            written = self.writer.written(pulses, parted, label=label)
            if len(written):
                yield written
            on_progress(len(pulses))

    def done(self) -> SeparatedRun:
        """Return what came of the run, which has been read."""
        self.verdict.require_inside()
        if self.judge is not None:
            self.judge.require_all(self.n_read, where=str(self.reader.info.path))
        return SeparatedRun(
            path=self.reader.info.path,
            report=self.reader.report,
            counts=self.counts,
            outside=self.verdict.tally,
            n_written=self.writer.n_written,
            n_unlike_classifier=self.writer.n_unlike,
            judged=None if self.judge is None else self.judge.judged(n_fitted=self.options.n_fitted),
        )
