"""Denoise the pulses of run files by a network that gives clean waveforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import Reader
from discrimen.formats.settings_merge import common_settings
from discrimen.formats.table import find_writable, open_writer
from discrimen.inference.base import Predictor
from discrimen.inference.verdict import MOST_OUTSIDE, Verdict
from discrimen.output.files import refuse_inputs
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.output.stage_report import StageTold
from discrimen.output.summary import Summarised
from discrimen.pulses import Pulses
from discrimen.pulses.rails import at_rail
from discrimen.reconstruction.stage_run import Counts, StageRun, counts_table, require_some
from discrimen.reconstruction.whole_records import adc_bits_of, digitised, fitting_chunks, require_whole_record

_REASONS = ("n_unprepared", "n_saturated", "n_outside")


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoisingOptions:
    """How to denoise.

    Parameters
    ----------
    keep : bool
        Whether pulses that cannot be denoised are written as they were recorded; by default they are left out.
    as_float : bool
        Whether to write float32 instead of whole counts of the type that the digitizer gave; only the native format
        takes it.
    most_outside : float
        Share of the pulses of a run that may be unlike those that the model has seen; 1 accepts every run.
    """

    keep: bool = False
    as_float: bool = False
    most_outside: float = MOST_OUTSIDE


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Denoising(Summarised):
    """A file of denoised pulses.

    Parameters
    ----------
    output : Path
        The file.
    runs : tuple of StageRun
        The inputs, in their order.
    columns_left_out : tuple of str
        Columns of the inputs that the format of the output has no place for.
    seconds : float
        For reading, denoising and writing, in s.
    model_sha256 : str or None
        Of the model's file.
    """

    output: Path
    runs: tuple[StageRun, ...]
    columns_left_out: tuple[str, ...]
    seconds: float
    model_sha256: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.output),
            "columns_left_out": list(self.columns_left_out),
            "seconds": self.seconds,
            "files": [run.as_dict() for run in self.runs],
        }

    def told(self) -> StageTold:
        """Return what the page of a report says of it."""
        return StageTold(
            name="denoise",
            title="Denoised pulses",
            done=tuple(run.told() for run in self.runs),
            tables=(counts_table(self.runs),),
            values={"denoising": self.as_dict(), "model_sha256": self.model_sha256},
            pulses=("recorded", "denoised"),
        )


def denoise_runs(
    readers: Sequence[Reader],
    predictor: Predictor,
    output: Path,
    *,
    options: DenoisingOptions | None = None,
    format_name: str | None = None,
    model_sha256: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Denoising:
    """Write the pulses of run files with denoised records and the same columns into one file, chunk by chunk.

    A pulse that the model cannot or should not denoise (no pulse above the baseline, saturated, unlike those that it
    has seen) is left out, or written as it was recorded, and counted.

    Parameters
    ----------
    readers : sequence of Reader
        Open inputs; they must agree on what their settings say. Several get the column `run`.
    predictor : Predictor
        Of a model that gives a waveform of the whole record.
    output : Path
        The file to write.
    options : DenoisingOptions, optional
        How.
    format_name : str, optional
        Format of the output; by default its suffix decides.
    model_sha256 : str, optional
        Of the model's file, for the provenance of the output.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    SettingsError
        If the model gives no waveform of the whole record, or the inputs contradict each other.
    DataError
        If pulses do not fit the model (sampling, polarity, length), none could be denoised, or surely more of a run
        than allowed are unlike those that the model has seen.
    OutputError, FormatError
        If the output is one of the inputs, or reading or writing fails.
    """
    options = options or DenoisingOptions()
    require_whole_record(predictor.description, what="denoise")
    refuse_inputs(output, [reader.info.path for reader in readers])
    keeps = find_writable(output, format_name).keeps
    left_out: dict[str, None] = {}
    runs, begin_s = [], perf_counter()
    origin = _provenance(readers, predictor, model_sha256, options)
    with open_writer(output, common_settings(readers), format_name=format_name, provenance=origin) as writer:
        for number, reader in enumerate(readers):
            verdict = Verdict.on(predictor.description, reader.info, options.most_outside)
            fate = "written as recorded" if options.keep else "left out"
            counts = Counts(done=("n_denoised",), rest="n_not_denoised", reasons=_REASONS, fate=fate)
            one = _OneRun(reader, predictor, options, verdict, counts)
            for pulses in one.denoised(on_progress):
                if len(readers) > 1 and pulses.run is None:
                    pulses = pulses.replace(run=np.full(len(pulses), number, np.int32))
                left_out |= dict.fromkeys(name for name in pulses.columns() if name not in keeps)
                writer.write(pulses)
            verdict.require_inside()
            runs.append(StageRun(path=reader.info.path, report=reader.report, counts=one.counts, outside=verdict.tally))
        require_some(runs)
    return Denoising(
        output=output,
        runs=tuple(runs),
        columns_left_out=tuple(left_out),
        seconds=perf_counter() - begin_s,
        model_sha256=model_sha256,
    )


def _provenance(
    readers: Sequence[Reader], predictor: Predictor, model_sha256: str | None, options: DenoisingOptions
) -> dict[str, Any]:
    """Return what the output keeps of where its records come from."""
    return {
        "made_by": "denoise",
        "model_sha256": model_sha256,
        "architecture": predictor.description.architecture.get("name"),
        "backend": predictor.backend,
        "inputs": [reader.info.path.name for reader in readers],
        "options": asdict(options),
        "versions": software_versions("numpy"),
        "date_utc": utc_now(),
        "command_line": command_line(),
    }


@dataclass(slots=True)
class _OneRun:
    reader: Reader
    predictor: Predictor
    options: DenoisingOptions
    verdict: Verdict
    counts: Counts

    def denoised(self, on_progress: Callable[[int], None]) -> Iterator[Pulses]:
        """Yield chunks of what is written."""
        chunks = fitting_chunks(self.reader, self.predictor.description, most_outside=self.options.most_outside)
        for pulses in chunks:
            written = self._chunk(pulses)
            if len(written):
                yield written
            on_progress(len(pulses))

    def _chunk(self, pulses: Pulses) -> Pulses:
        waveforms_adc, outside = self.predictor.reconstruct(pulses.samples)
        self.verdict.add(pulses, outside)
        good = self._sorted_out(pulses, waveforms_adc[:, 0], outside)
        dtype = np.dtype(np.float32) if self.options.as_float else pulses.samples.dtype
        records = pulses.samples.astype(dtype)
        records[good] = digitised(waveforms_adc[good, 0], dtype, adc_bits_of(self.reader, self.predictor))
        written = pulses.replace(samples=records)
        return written if self.options.keep or good.all() else written[good]

    def _sorted_out(
        self, pulses: Pulses, waveforms_adc: NDArray[np.float32], outside: NDArray[np.uint16] | None
    ) -> NDArray[np.bool_]:
        """Count the pulses by what becomes of them, and say which are denoised."""
        samples, adc_bits = pulses.samples, adc_bits_of(self.reader, self.predictor)
        found = {
            "n_unprepared": ~np.asarray(np.isfinite(waveforms_adc).all(axis=1)),
            "n_saturated": at_rail(samples.max(axis=1), samples.min(axis=1), adc_bits=adc_bits),
            "n_outside": None if outside is None else outside != 0,
        }
        return self.counts.sort_out(found, len(pulses))
