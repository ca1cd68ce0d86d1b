"""The library of a generator: what the trained network makes of its training pulses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.generator import Generator, Library, pack_generator
from discrimen.output.files import complete_or_absent
from discrimen.training.generator_records import GeneratorRecords

MOST_ROWS = 10_000
"""Of each class in the library."""

_BATCH = 4096


def write_generator(
    model: Any, records: GeneratorRecords, chosen: NDArray[np.int64], path: Path, *, seed: int
) -> Generator:
    """Encode and decode training pulses, and write what stays of them.

    Parameters
    ----------
    model : keras.Model
        Trained, see :func:`discrimen.models.conditional.build_conditional`.
    records : GeneratorRecords
        That it was trained on.
    chosen : ndarray of int64
        Positions of the pulses that the library may hold.
    path : Path
        The file to write.
    seed : int
        Of the choice, and of the draws of the codes.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    rng = np.random.default_rng([seed, 7])
    label = records.pulses.column("label")[chosen]
    size = records.size[chosen]
    classes = range(len(records.condition.groups))
    parts = [np.flatnonzero(label == number) for number in classes]
    kept = np.concatenate([np.sort(rng.permutation(part)[:MOST_ROWS]) for part in parts])
    kept = kept[np.lexsort((size[kept], label[kept]))]
    samples = records.pulses.samples[chosen[kept]]
    code, log_variance, residual = _coded(model, samples, records.condition.n_values, rng)
    library = Library(
        label=label[kept],
        size=size[kept],
        baseline_adc=records.baseline_adc[chosen[kept]],
        code_mean=code.astype(np.float16),
        code_log_variance=log_variance.astype(np.float16),
        residual=residual.astype(np.float16),
    )
    generator = Generator(
        preparation=records.made_from,
        stabilisation=records.stabilisation,
        condition=records.condition,
        sample_type=records.sample_type,
        n_training=tuple(map(len, parts)),
        size_range=tuple((float(size[part].min()), float(size[part].max())) for part in parts),
        library=library,
    )
    with complete_or_absent(path) as part_path:
        part_path.write_bytes(pack_generator(generator))
    return generator


def _coded(
    model: Any, records: NDArray[np.float32], n_conditions: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], ...]:
    """Return means and logarithms of the variances of the codes, and what a draw of the code leaves of the record."""
    rows = records[:, np.newaxis, :]
    _, code, log_variance = model.predict(rows, batch_size=_BATCH, verbose=0)
    drawn = code.copy()
    noise = rng.standard_normal(log_variance.shape, dtype=np.float32)
    drawn[:, :-n_conditions] += np.exp(log_variance / 2) * noise
    decoded = model.get_layer("decoder").predict(drawn, batch_size=_BATCH, verbose=0)
    return code[:, :-n_conditions], log_variance, records[:, :-n_conditions] - decoded
