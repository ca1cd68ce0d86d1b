"""Encode the pulses of run files: the code of an auto-encoder, in whole steps, in place of the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.formats.settings_merge import common_settings
from discrimen.inference.base import Encoded, Predictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.verdict import Verdict
from discrimen.network.frozen_file import read_frozen, require_frozen
from discrimen.network.parts import write_part
from discrimen.output.files import refuse_inputs
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses import Pulses
from discrimen.pulses.rails import at_rail
from discrimen.reconstruction.codes_file import MOST_STEPS, CodedPulses, CodesHeader
from discrimen.reconstruction.codes_writer import CodesWriter
from discrimen.reconstruction.encoding import Encoding, EncodingOptions
from discrimen.reconstruction.stage_run import Counts, StageRun, require_some, summed
from discrimen.reconstruction.whole_records import adc_bits_of, fitting_chunks, require_whole_record

STEPS_IN_SPREAD = 32
"""Steps in the spread of a code that was not trained for storage."""

_REASONS = ("n_unprepared", "n_saturated", "n_outside", "n_too_large")


def encode_runs(
    readers: Sequence[Reader],
    model: Path,
    output: Path,
    *,
    options: EncodingOptions | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Encoding:
    """Write the pulses of run files as codes into one file, chunk by chunk, with all their columns.

    Parameters
    ----------
    readers : sequence of Reader
        Open inputs; they must agree on what their settings say. Several get the column `run`.
    model : Path
        A frozen auto-encoder, which decodes the file again.
    output : Path
        The file to write.
    options : EncodingOptions, optional
        How.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    SettingsError
        If the model gives no code of the whole record, or the inputs contradict each other.
    DataError
        If pulses do not fit the model (sampling, polarity, length), none could be encoded, or surely more of a run
        than allowed are unlike those that the model has seen.
    OutputError, FormatError
        If the output is one of the inputs, or reading or writing fails.
    """
    options = options or EncodingOptions()
    require_frozen(model)
    refuse_inputs(output, [model, *(reader.info.path for reader in readers)])
    require_whole_record(read_frozen(model).description, what="encode")
    with ExitStack() as stack:
        work = _Work(readers, model, encoder_of(model, threads=options.threads), output, options, stack)
        return work.done(on_progress)


def encoder_of(model: Path, *, threads: int | None = None) -> NativePredictor:
    """Return the first half of a frozen auto-encoder."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.discrimen"
        write_part(model, "encoder", path)
        return NativePredictor(path, threads=threads)


@dataclass(slots=True)
class _Work:
    """All runs, one after the other; the file is begun when the first chunk has said what its header must."""

    readers: Sequence[Reader]
    model: Path
    predictor: Predictor
    output: Path
    options: EncodingOptions
    stack: ExitStack
    writer: CodesWriter | None = None
    header: CodesHeader | None = None

    def done(self, on_progress: Callable[[int], None]) -> Encoding:
        runs, begin_s = [], perf_counter()
        for number, reader in enumerate(self.readers):
            verdict = Verdict.on(self.predictor.description, reader.info, self.options.most_outside)
            fate = "left out" if self.options.leave_out else "stored as recorded"
            counts = Counts(done=("n_encoded",), rest="n_not_encoded", reasons=_REASONS, fate=fate)
            for pulses in self._fitting(reader):
                several = len(self.readers) > 1 and pulses.run is None
                named = pulses.replace(run=np.full(len(pulses), number, np.int32)) if several else pulses
                self._write(named, verdict, counts, adc_bits_of(reader, self.predictor))
                on_progress(len(pulses))
            verdict.require_inside()
            runs.append(StageRun(path=reader.info.path, report=reader.report, counts=counts, outside=verdict.tally))
        require_some(runs)
        assert self.writer is not None
        assert self.header is not None
        sizes = self.writer.write_counts(summed(runs).as_dict())
        self.stack.close()
        return Encoding(
            output=self.output,
            header=self.header,
            description=self.predictor.description,
            runs=tuple(runs),
            stored_bytes=sizes,
            seconds=perf_counter() - begin_s,
        )

    def _fitting(self, reader: Reader) -> Iterator[Pulses]:
        for pulses in fitting_chunks(reader, self.predictor.description, most_outside=self.options.most_outside):
            if self.header is not None and pulses.samples.dtype != self.header.samples_dtype:
                raise DataError(
                    f"{reader.info.path}: samples of {pulses.samples.dtype}, those before are "
                    f"{self.header.samples_dtype}: encode these runs into files of their own"
                )
            yield pulses

    def _write(self, pulses: Pulses, verdict: Verdict, counts: Counts, adc_bits: int | None) -> None:
        encoded = self.predictor.encode(pulses.samples)
        verdict.add(pulses, encoded.outside)
        if self.writer is None:
            self._begin(pulses, encoded)
        assert self.header is not None
        assert self.writer is not None
        steps = np.rint(encoded.codes / np.float32(self.header.step))
        polarity = self.predictor.description.preparation.only.polarity
        found = passed_by(pulses.samples, encoded, steps, polarity=polarity, adc_bits=adc_bits)
        good = counts.sort_out(found, len(pulses))
        left = good if self.options.leave_out else np.ones(len(good), np.bool_)
        self.writer.write(
            CodedPulses(
                encoded=good[left],
                steps=steps[good].astype(np.int64),
                restoration=encoded.restoration[good],
                kept=pulses.samples[left & ~good],
                columns={name: values[left] for name, values in pulses.columns().items()},
            )
        )

    def _begin(self, pulses: Pulses, encoded: Encoded) -> None:
        """Write the header by what the first pulses are like, and open the file."""
        description = self.predictor.description
        step = self.options.step or trained_step(description.provenance) or _step_of(encoded.codes)
        # Pulses that cannot be divided by their height have none.
        baseline_adc = encoded.restoration.baseline_adc
        known = baseline_adc[np.isfinite(baseline_adc)]
        self.header = CodesHeader(
            model_sha256=sha256_of_file(self.model),
            step=step,
            code_length=encoded.codes.shape[1],
            n_samples=pulses.n_samples,
            samples_dtype=str(pulses.samples.dtype),
            sample_period_ns=pulses.require_sample_period_ns(),
            baseline_reference_adc=float(np.rint(np.median(known))) if len(known) else 0.0,
            with_divisor=description.preparation.scale != "none",
            settings=common_settings(self.readers).model_dump(exclude_none=True),
            inputs=tuple(reader.info.path.name for reader in self.readers),
        )
        self.writer = self.stack.enter_context(CodesWriter(self.output, self.header))


def passed_by(
    samples: NDArray[Any], encoded: Encoded, steps: NDArray[np.float32], *, polarity: int, adc_bits: int | None
) -> dict[str, NDArray[np.bool_] | None]:
    """Return which pulses are not stored as codes, by the reason.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised.
    encoded : Encoded
        Of these.
    steps : ndarray of float32, shape (pulse, number)
        Their codes in steps.
    polarity : int
        1 or -1.
    adc_bits : int or None
        Of the digitizer.
    """
    highest, lowest = samples.max(axis=1), samples.min(axis=1)
    baseline_adc = encoded.restoration.baseline_adc[:, 0]
    rises = highest > baseline_adc if polarity > 0 else lowest < baseline_adc
    return {
        "n_unprepared": ~(np.isfinite(steps).all(axis=1) & rises),
        "n_saturated": at_rail(highest, lowest, adc_bits=adc_bits),
        "n_outside": None if encoded.outside is None else encoded.outside != 0,
        "n_too_large": np.abs(steps).max(axis=1) > MOST_STEPS,
    }


def trained_step(provenance: Mapping[str, Any]) -> float | None:
    """Return the quantisation step that a model was trained for; None if it was trained for something else."""
    task = provenance.get("training", {}).get("task", {})
    return float(task["step"]) if task.get("name") == "compression" else None


def _step_of(codes: NDArray[np.float32]) -> float:
    spread = float(np.sqrt(np.nanvar(codes, axis=0).mean()))
    if not spread > 0:
        raise DataError(
            f"the codes of the first {len(codes)} pulses are all the same, so that no quantisation step follows from "
            "them: give one (--step)"
        )
    return spread / STEPS_IN_SPREAD
