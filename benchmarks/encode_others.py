"""What compression by a network is held against: lossless codecs, and principal components at equal bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from discrimen.models.stabilising import in_stabilised_scale
from discrimen.reconstruction.codes_file import ROWS, zigzag

Waveforms = NDArray[np.float64]
_STEPS_TRIED = 12


def stored_bytes(values: NDArray[Any], *, by_columns: bool = False, **filters: Any) -> int:
    """Return what HDF5 stores of an array with some filters, in chunks of rows or of columns."""
    rows = min(ROWS, len(values))
    fitting = min(len(values), max(1, 2**18 // values[0].nbytes))
    chunks = (rows, 1) if by_columns else (fitting, *values.shape[1:])
    with h5py.File(io.BytesIO(), "w") as file:
        dataset = file.create_dataset("values", data=values, chunks=chunks, **filters)
        file.flush()
        return int(dataset.id.get_storage_size())


def lossless_bytes(samples: NDArray[Any]) -> dict[str, int]:
    """Return the size of records by each lossless way."""
    from lh5.compression import radware, varlen

    gzip, zstd = {"compression": "gzip", "compression_opts": 9, "shuffle": True}, hdf5plugin.Zstd(clevel=19)
    found = {
        "as recorded": samples.nbytes,
        "gzip + shuffle": stored_bytes(samples, **gzip),
        "zstd": stored_bytes(samples, **zstd),
        "zstd + shuffle": stored_bytes(samples, shuffle=True, **zstd),
        "zstd of differences, shuffled": stored_bytes(_differences(samples), shuffle=True, **zstd),
    }
    for name, encode in (("radware (LEGEND)", radware.encode), ("ULEB128 zigzag differences (LEGEND)", varlen.encode)):
        _, n_bytes = encode(samples.astype(np.int16) if name.startswith("radware") else samples.astype(np.int32))
        found[name] = int(np.sum(n_bytes))
    return found


def _differences(samples: NDArray[Any]) -> NDArray[np.uint16]:
    wide = samples.astype(np.int64)
    return zigzag(np.diff(wide, axis=1, prepend=0)).astype(np.uint16)


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of waveforms in the stabilised scale, which is better for them than ADC counts."""

    unit_adc: float
    mean: NDArray[np.float64]
    directions: NDArray[np.float64]

    @classmethod
    def of(cls, above: Waveforms, unit_adc: float) -> Components:
        """Find them in waveforms above their baseline, in ADC counts."""
        scaled = in_stabilised_scale(np, above, unit_adc)
        mean = scaled.mean(axis=0)
        if len(scaled) < scaled.shape[1]:  # long records, few of them: there are no more components than records
            return cls(unit_adc, mean, np.linalg.svd(scaled - mean, full_matrices=False)[2].T)
        _, vectors = np.linalg.eigh(np.cov((scaled - mean).T))
        return cls(unit_adc, mean, vectors[:, ::-1])

    def steps(self, above: Waveforms, *, number: int, step: float) -> NDArray[np.int64]:
        """Return the first components in whole steps."""
        scaled = in_stabilised_scale(np, above, self.unit_adc) - self.mean
        return np.rint(scaled @ self.directions[:, :number] / step).astype(np.int64)

    def waveforms(self, steps: NDArray[np.int64], step: float) -> Waveforms:
        """Return what steps stand for, above the baseline in ADC counts."""
        values = self.mean + step * steps @ self.directions[:, : steps.shape[1]].T
        return np.asarray(self.unit_adc * (values + np.maximum(values, 0) ** 2 / 4))

    def at_bytes(self, above: Waveforms, *, number: int, wanted_bytes: int) -> tuple[Waveforms, int, float]:
        """Return waveforms from as many bytes as wanted, or just fewer, their bytes, and the step."""
        low, high = 2.0**-6, 2.0**6
        for _ in range(_STEPS_TRIED):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if self._bytes(above, number, middle) > wanted_bytes else (low, middle)
        steps = self.steps(above, number=number, step=high)
        return self.waveforms(steps, high), self._bytes(above, number, high), high

    def error(self, above: Waveforms, found: Waveforms) -> float:
        """Return the mean square error in the stabilised scale."""
        wanted, given = (in_stabilised_scale(np, each, self.unit_adc) for each in (above, found))
        return float(np.square(wanted - given).mean())

    def _bytes(self, above: Waveforms, number: int, step: float) -> int:
        folded = zigzag(self.steps(above, number=number, step=step)).astype(np.uint16)
        return stored_bytes(folded, by_columns=True, shuffle=True, **hdf5plugin.Zstd(clevel=9))


def told(sizes: Mapping[str, int]) -> list[str]:
    """Return one line for each lossless way: its ratio and its bytes a pulse."""
    whole = sizes["as recorded"]
    return [f"  {name:40s} {whole / size:5.2f} times" for name, size in sizes.items()]
