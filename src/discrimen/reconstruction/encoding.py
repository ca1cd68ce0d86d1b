"""How to encode, and what became of the pulses: wishes and results of :mod:`discrimen.reconstruction.encode`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import SettingsError
from discrimen.inference.verdict import MOST_OUTSIDE
from discrimen.network.model_description import ModelDescription
from discrimen.output.stage_report import PageTable, StageTold
from discrimen.output.summary import Summarised
from discrimen.output.tables import table_of
from discrimen.reconstruction.codes_file import CodesHeader
from discrimen.reconstruction.stage_run import StageRun, counts_table


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingOptions:
    """How to encode.

    Parameters
    ----------
    step : float or None
        Of the quantisation; by default that of the training, or 1/32 of the spread of the code in the first chunk for
        a model that was not trained for storage.
    leave_out : bool
        Whether pulses that cannot be encoded are left out; by default they are stored as they were recorded.
    most_outside : float
        Share of the pulses of a run that may be unlike those that the model has seen; 1 accepts every run.
    threads : int or None
        Of the engine; by default one for each core.
    """

    step: float | None = None
    leave_out: bool = False
    most_outside: float = MOST_OUTSIDE
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.step is not None and not (np.isfinite(self.step) and self.step > 0):
            raise SettingsError(f"the quantisation step must be positive and finite, got {self.step}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Encoding(Summarised):
    """A codes file.

    Parameters
    ----------
    output : Path
        The file.
    header : CodesHeader
        As it stands in the file.
    description : ModelDescription
        Of the encoder.
    runs : tuple of StageRun
        The inputs, in their order.
    stored_bytes : dict of str to int
        By data set of the file.
    seconds : float
        For reading, encoding and writing, in s.
    """

    output: Path
    header: CodesHeader
    description: ModelDescription
    runs: tuple[StageRun, ...]
    stored_bytes: dict[str, int]
    seconds: float

    @property
    def recorded_bytes(self) -> int:
        """Of the samples of all pulses that are in the file, as they were recorded."""
        each = self.header.n_samples * np.dtype(self.header.samples_dtype).itemsize
        return self._n_stored * each

    @property
    def waveform_bytes(self) -> int:
        """Of all that stands for the samples: codes, baselines, divisors, and records that were kept."""
        return sum(size for name, size in self.stored_bytes.items() if not name.startswith("columns/"))

    @property
    def column_bytes(self) -> int:
        """Of what stands beside the samples."""
        return sum(size for name, size in self.stored_bytes.items() if name.startswith("columns/"))

    @property
    def ratio(self) -> float:
        """Bytes of the samples as recorded over those of what stands for them."""
        return self.recorded_bytes / self.waveform_bytes

    @property
    def bits_a_pulse(self) -> float:
        """Bits of code, baseline and divisor of an encoded pulse."""
        n_encoded = sum(run.counts.n_done for run in self.runs)
        size = sum(self.stored_bytes.get(name, 0) for name in ("codes", "baseline", "divisor"))
        return 8 * size / n_encoded

    @property
    def _n_stored(self) -> int:
        kept = self.stored_bytes.get("kept/samples", 0) > 0
        return sum(run.counts.n_done + (run.counts["n_not_encoded"] if kept else 0) for run in self.runs)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.output),
            "model_sha256": self.header.model_sha256,
            "step": self.header.step,
            "code_length": self.header.code_length,
            "recorded_bytes": self.recorded_bytes,
            "waveform_bytes": self.waveform_bytes,
            "column_bytes": self.column_bytes,
            "stored_bytes": self.stored_bytes,
            "ratio": self.ratio,
            "bits_a_pulse": self.bits_a_pulse,
            "seconds": self.seconds,
            "files": [run.as_dict() for run in self.runs],
        }

    def size_lines(self) -> tuple[str, str]:
        """Return in two lines how many bytes stand for samples and columns."""
        return (
            f"samples: {self.recorded_bytes} bytes as recorded, {self.waveform_bytes} as stored, {self.ratio:.1f} "
            f"times fewer; {self.bits_a_pulse:.1f} bits a code",
            f"columns: {self.column_bytes} bytes (times, energies, ...), stored without loss",
        )

    def told(self) -> StageTold:
        """Return what the page of a report says of it."""
        return StageTold(
            name="encode",
            title="Pulses stored as codes",
            done=(*(run.told() for run in self.runs), *self.size_lines()),
            tables=(counts_table(self.runs), self._bytes_table()),
            values={"encoding": self.as_dict()},
            pulses=("recorded", "decoded"),
        )

    def _bytes_table(self) -> PageTable:
        n_pulses = self._n_stored
        rows = {"samples as recorded": self.recorded_bytes, **self.stored_bytes}
        lines = [(name, str(size), f"{size / n_pulses:.2f}") for name, size in rows.items()]
        words = f"Codes of {self.header.code_length} numbers in steps of {self.header.step:.4g}; then each data set."
        return PageTable("Bytes", table_of(("what", "bytes", "bytes a pulse"), lines), words)
