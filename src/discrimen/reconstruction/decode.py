"""Decode a codes file into a run file: the records that its codes stand for, and those that were kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.table import find_writable, open_writer
from discrimen.inference.base import Predictor
from discrimen.inference.native import NativePredictor
from discrimen.network.frozen_file import read_frozen, require_frozen
from discrimen.network.model_description import ModelDescription
from discrimen.network.parts import write_part
from discrimen.network.prepare import Restoration
from discrimen.output.files import refuse_inputs
from discrimen.output.provenance import sha256_of_file
from discrimen.output.summary import Summarised
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.codes_file import CodedPulses, CodesFile, CodesHeader, open_codes
from discrimen.reconstruction.whole_records import digitised, require_whole_record


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Decoding(Summarised):
    """A run file made of a codes file.

    Parameters
    ----------
    input, output : Path
        The codes file and the run file.
    n_decoded, n_kept : int
        Pulses whose record comes from a code, and pulses that had been kept as recorded.
    columns_left_out : tuple of str
        Columns that the format of the output has no place for.
    seconds : float
        For reading, decoding and writing, in s.
    """

    input: Path
    output: Path
    n_decoded: int
    n_kept: int
    columns_left_out: tuple[str, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "input": str(self.input),
            "output": str(self.output),
            "n_decoded": self.n_decoded,
            "n_kept": self.n_kept,
            "columns_left_out": list(self.columns_left_out),
            "seconds": self.seconds,
        }


def decode_file(
    codes: Path,
    model: Path,
    output: Path,
    *,
    as_float: bool = False,
    threads: int | None = None,
    format_name: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Decoding:
    """Write the pulses of a codes file as a run file, chunk by chunk.

    Parameters
    ----------
    codes : Path
        From :func:`~discrimen.reconstruction.encode.encode_runs`.
    model : Path
        The frozen auto-encoder that made the codes.
    output : Path
        The file to write.
    as_float : bool
        Whether to write float32 instead of whole counts of the recorded type; only the native format takes it.
    threads : int, optional
        Of the engine.
    format_name : str, optional
        Format of the output; by default its suffix decides.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If the codes are of another model.
    FormatError
        If the codes file is none, truncated or damaged.
    OutputError
        If the output is one of the inputs, or writing fails.
    """
    require_frozen(model)
    refuse_inputs(output, [codes, model])
    keeps, begin_s = find_writable(output, format_name).keeps, perf_counter()
    with open_codes(codes) as found:
        settings = DetectorSettings.model_validate(found.header.settings)
        _require_own(found, model)
        decoder = CodesDecoder.of(model, found.header, as_float=as_float, threads=threads)
        left_out, n_decoded = dict[str, None](), 0
        with open_writer(output, settings, format_name=format_name) as writer:
            for coded in found.chunks():
                pulses = decoder.pulses(coded)
                left_out |= dict.fromkeys(name for name in pulses.columns() if name not in keeps)
                writer.write(pulses)
                n_decoded += int(coded.encoded.sum())
                on_progress(len(pulses))
        return Decoding(
            input=codes,
            output=output,
            n_decoded=n_decoded,
            n_kept=found.n_pulses - n_decoded,
            columns_left_out=tuple(left_out),
            seconds=perf_counter() - begin_s,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CodesDecoder:
    """Makes records of codes.

    Parameters
    ----------
    header : CodesHeader
        Of the codes.
    description : ModelDescription
        Of the auto-encoder.
    decoder : Predictor
        Its second half.
    dtype : dtype
        Of the records.
    adc_bits : int or None
        Of the digitizer.
    """

    header: CodesHeader
    description: ModelDescription
    decoder: Predictor
    dtype: np.dtype[Any]
    adc_bits: int | None

    @classmethod
    def of(
        cls, model: Path, header: CodesHeader, *, as_float: bool = False, threads: int | None = None
    ) -> CodesDecoder:
        """Take the decoder of a frozen auto-encoder.

        Raises
        ------
        SettingsError
            If its waveform does not take the place of a record.
        """
        description = read_frozen(model).description
        require_whole_record(description, what="decode")
        with TemporaryDirectory() as folder:
            path = Path(folder) / "decoder.discrimen"
            write_part(model, "decoder", path)
            decoder = NativePredictor(path, threads=threads)
        return cls(
            header=header,
            description=description,
            decoder=decoder,
            dtype=np.dtype(np.float32) if as_float else np.dtype(header.samples_dtype),
            adc_bits=DetectorSettings.model_validate(header.settings).adc_bits or description.settings.adc_bits,
        )

    def records(self, steps: NDArray[Any], restoration: Restoration) -> NDArray[Any]:
        """Return the records that codes stand for, shape (pulse, sample)."""
        preparation = self.description.preparation
        (values,) = self.decoder.run(steps.astype(np.float32) * np.float32(self.header.step))
        waveforms = values.reshape(len(steps), *preparation.shape)
        return digitised(restoration.to_adc(waveforms, preparation)[:, 0], self.dtype, self.adc_bits)

    def pulses(self, coded: CodedPulses) -> Pulses:
        """Return some pulses of a codes file with the records that they stand for."""
        records = np.empty((len(coded.encoded), self.header.n_samples), self.dtype)
        records[~coded.encoded] = coded.kept
        records[coded.encoded] = self.records(coded.steps, coded.restoration)
        return Pulses(samples=records, sample_period_ns=self.header.sample_period_ns, **coded.columns)


def _require_own(found: CodesFile, model: Path) -> None:
    """Verify that the model is the one that made the codes.

    Raises
    ------
    DataError
        If it is another.
    """
    header, sha256 = found.header, sha256_of_file(model)
    if sha256 != header.model_sha256:
        raise DataError(
            f"{found.path}: these are codes of another model: of the frozen file with SHA-256 "
            f"{header.model_sha256[:16]}..., {model} has {sha256[:16]}...: give the file that encoded them"
        )
    description = read_frozen(model).description
    made = description.preparation.window_length, description.outputs[description.code_at].n_values
    if made != (header.n_samples, header.code_length):
        raise DataError(
            f"{found.path}: records of {header.n_samples} samples from codes of {header.code_length} numbers; this "
            f"model makes {made[0]} of {made[1]}"
        )
