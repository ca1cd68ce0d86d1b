"""Denoise the hits of files by a network that gives the clean traces of all channels of a hit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ReadReport
from discrimen.inference.base import Predictor
from discrimen.inference.clean_traces import NOT_DENOISED, clean_traces, require_whole_hits
from discrimen.network.domain.tally import exceeds
from discrimen.output.files import refuse_inputs
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.pulses.hit_flags import HitFlag
from discrimen.pulses.hits import Hits
from discrimen.reconstruction.denoise import Denoising, DenoisingOptions
from discrimen.reconstruction.stage_run import Counts, StageRun, require_some
from discrimen.reconstruction.whole_records import digitised
from discrimen.runs.hits_file import HitsWriter, hits_chunks

SUFFIXES = (".h5", ".hdf5")
_OUTSIDE = ("n_several_segments", "n_missing_channels", "n_too_low", "n_too_high")


def denoise_hits_files(
    paths: Sequence[Path],
    predictor: Predictor,
    output: Path,
    *,
    options: DenoisingOptions | None = None,
    model_sha256: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Denoising:
    """Write the hits of files with denoised traces and the same channels and columns into one file, piece by piece.

    A hit that the model cannot or should not denoise (without the reference, saturated, unlike the training) is left
    out, or written as it was recorded with :attr:`~discrimen.pulses.hit_flags.HitFlag.NOT_DENOISED`, and counted.

    Parameters
    ----------
    paths : sequence of Path
        Files of hits. Several get the column `run`.
    predictor : Predictor
        Of a model that gives the traces of the whole record.
    output : Path
        ``.h5``; complete or absent.
    options : DenoisingOptions, optional
        How.
    model_sha256 : str, optional
        Of the model's file, for the provenance of the output.
    on_progress : callable
        Called with the number of hits of each piece.

    Raises
    ------
    SettingsError
        If the model gives no traces of the whole record.
    DataError
        If hits do not fit the model, none could be denoised, or surely more of a file than allowed are unlike those of
        the training.
    OutputError, FormatError
        If the output is one of the inputs, or reading or writing fails.
    """
    options = options or DenoisingOptions()
    require_whole_hits(predictor.description, what="denoise")
    if output.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"{output}: denoised hits are a file of hits again; give a name that ends in .h5")
    refuse_inputs(output, list(paths))
    runs, begin_s = [], perf_counter()
    with ExitStack() as stack:
        writer = stack.enter_context(HitsWriter(output, _provenance(paths, predictor, model_sha256, options)))
        for number, path in enumerate(paths):
            one = _OneFile(path, predictor, options, number if len(paths) > 1 else None)
            for written in one.denoised(on_progress):
                writer.write(written)
            one.require_inside()
            runs.append(
                StageRun(
                    path=path, report=ReadReport(n_read=one.n_hits), counts=one.counts, outside=None, things="hits"
                )
            )
        require_some(runs)
    return Denoising(
        output=output,
        runs=tuple(runs),
        columns_left_out=(),
        seconds=perf_counter() - begin_s,
        model_sha256=model_sha256,
    )


def _provenance(
    paths: Sequence[Path], predictor: Predictor, model_sha256: str | None, options: DenoisingOptions
) -> dict[str, Any]:
    """Return what the output keeps of where its traces come from."""
    return {
        "made_by": "denoise",
        "model_sha256": model_sha256,
        "architecture": predictor.description.architecture.get("name"),
        "backend": predictor.backend,
        "inputs": [path.name for path in paths],
        "options": asdict(options),
        "versions": software_versions("numpy"),
        "date_utc": utc_now(),
        "command_line": command_line(),
    }


class _OneFile:
    """Denoises the hits of one file."""

    def __init__(self, path: Path, predictor: Predictor, options: DenoisingOptions, number: int | None) -> None:
        self._path, self._predictor, self._options, self._number = path, predictor, options, number
        fate = "written as recorded" if options.keep else "left out"
        self.counts = Counts(done=("n_denoised",), rest="n_not_denoised", reasons=tuple(NOT_DENOISED), fate=fate)
        self.n_hits = 0

    def denoised(self, on_progress: Callable[[int], None]) -> Iterator[Hits]:
        """Yield pieces of what is written."""
        for hits in hits_chunks(self._path):
            try:
                done = clean_traces(self._predictor, hits)
            except DataError as error:
                raise DataError(f"{self._path}: {error}") from error
            good = self.counts.sort_out(done.found, len(hits))
            written = self._written(hits, done.traces_adc, good)
            self.n_hits += len(hits)
            if len(written):
                yield written
            on_progress(len(hits))

    def require_inside(self) -> None:
        """Refuse the file if too much of it is unlike the training."""
        n_outside = sum(self.counts[name] for name in _OUTSIDE)
        if exceeds(n_outside, self.n_hits, self._options.most_outside):
            raise DataError(
                f"{self._path}: {n_outside} of {self.n_hits} hits are unlike those of the training "
                f"({self.counts.told()}); allowed is a share of {self._options.most_outside:.4g}; --accept takes the "
                "file as it is"
            )

    def _written(self, hits: Hits, clean: NDArray[np.float32], good: NDArray[np.bool_]) -> Hits:
        dtype = np.dtype(np.float32) if self._options.as_float else hits.samples.dtype
        samples = hits.samples.astype(dtype)
        samples[good] = digitised(clean[good], dtype, None)
        flags = hits.columns.get("flags", np.zeros(len(hits), np.uint32)).copy()
        flags[~good] |= np.uint32(HitFlag.NOT_DENOISED)
        columns = {"entry": np.arange(self.n_hits, self.n_hits + len(hits)), **hits.columns, "flags": flags}
        if self._number is not None:
            columns.setdefault("run", np.full(len(hits), self._number, np.int32))
        written = hits.with_samples(samples, columns=columns)
        return written if self._options.keep or good.all() else written[good]
