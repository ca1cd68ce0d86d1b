"""Simulated hits of a segmented germanium crystal, or a basis of its signals, as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from discrimen.errors import OutputError
from discrimen.output.plain import plain
from discrimen.output.provenance import software_versions
from discrimen.pulses import PulseFlag
from discrimen.pulses.hits import Hits
from discrimen.runs.hits_file import HitsWriter, is_hits_file
from discrimen.simulation.germanium.basis import Basis, BasisWish, cached_basis, is_basis_file
from discrimen.simulation.germanium.crystal import Crystal, read_crystal
from discrimen.simulation.germanium.simulate import GermaniumConfig, simulate_clean_hits, simulate_hits

SUFFIXES = (".h5", ".hdf5")
"""Of files of hits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHits:
    """Where simulated hits lie and what they are.

    Parameters
    ----------
    output : Path
        The file.
    n_hits : int
        In it.
    n_saturated : int
        Cut at the end of the digitizer's range.
    n_several : int
        With more than one interaction.
    n_uncollected : int
        Whose segment is -1, as no charge had arrived at the end of the window.
    """

    output: Path
    n_hits: int
    n_saturated: int
    n_several: int
    n_uncollected: int


def simulate_hits_file(
    config: GermaniumConfig,
    output: Path,
    *,
    clean: Path | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> SimulatedHits:
    """Simulate hits into a file; the truth stands in its columns.

    Parameters
    ----------
    config : GermaniumConfig
        What to simulate.
    output : Path
        The file; a name that another kind of file has is refused.
    clean : Path, optional
        Another one, for the same hits before noise, rounding and the ends of the digitizer's range.
    on_progress : callable
        Called with the number of hits of each block.

    Raises
    ------
    OutputError
        If the file has no suffix of HDF5, something else has its name, or the file system refuses.
    """
    for path in (output, *((clean,) if clean else ())):
        _require_name(path, is_hits_file, what="hits")
    if clean is not None and clean.resolve() == output.resolve():
        raise OutputError(f"{clean}: is the file of the recorded hits; give the clean ones a name of their own")
    crystal = read_crystal(config.detector)
    provenance = {
        "simulation": {**plain(asdict(config)), "crystal": crystal.model_dump(), "crystal_sha256": crystal.digest()},
        "software": software_versions("numba"),
    }
    n_saturated = n_several = n_uncollected = 0
    with ExitStack() as open_files:
        writers = [open_files.enter_context(HitsWriter(output, provenance))]
        if clean is not None:
            writers.append(open_files.enter_context(HitsWriter(clean, {**provenance, "clean": True})))
        for hits, bare in _simulated(config, with_clean=clean is not None):
            for writer, each in zip(writers, (hits, bare), strict=False):
                writer.write(each)
            n_saturated += int(np.count_nonzero(hits.column("flags") & PulseFlag.SATURATED_INPUT))
            n_several += int(np.count_nonzero(hits.column("n_interactions") > 1))
            n_uncollected += int(np.count_nonzero(hits.column("segment") < 0))
            on_progress(len(hits))
    return SimulatedHits(
        output=output,
        n_hits=config.n_hits,
        n_saturated=n_saturated,
        n_several=n_several,
        n_uncollected=n_uncollected,
    )


def _simulated(config: GermaniumConfig, *, with_clean: bool) -> Iterator[tuple[Hits, Hits]]:
    """Yield hits and clean ones; the same ones twice where nobody wants these."""
    if with_clean:
        yield from simulate_clean_hits(config)
    else:
        yield from ((hits, hits) for hits in simulate_hits(config))


def simulate_basis_file(crystal: Crystal, wish: BasisWish, output: Path) -> tuple[Basis, bool]:
    """Compute a basis into a file, unless the file holds it already.

    Returns
    -------
    basis : Basis
        As in the file.
    made : bool
        Whether it was computed.

    Raises
    ------
    OutputError
        If the file has no suffix of HDF5, something else has its name, or the file system refuses.
    """
    _require_name(output, is_basis_file, what="basis")
    before = output.stat().st_mtime_ns if output.exists() else None
    basis = cached_basis(output, crystal, wish)
    return basis, before != output.stat().st_mtime_ns


def _require_name(output: Path, is_such: Callable[[Path], bool], *, what: str) -> None:
    if output.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"{output}: signals of a segmented detector are written as HDF5; give a name that ends in .h5"
        )
    if output.exists() and not is_such(output):
        raise OutputError(f"{output}: is there and holds no {what}; choose another name")
