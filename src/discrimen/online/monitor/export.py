"""The heat maps and spectra of a monitor as ROOT histograms."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.online.monitor.maps import HeatMap
from discrimen.online.monitor.watch import Watch


def histograms(watch: Watch) -> dict[str, tuple[NDArray[np.float64], ...]]:
    """Return counts and edges of all histograms by their names in the file: of all channels, then of each.

    ``all/psd`` and ``all/score`` have energy along x; ``all/energy`` is the spectrum. Those of a channel lie in
    ``b0_ch3``.

    Raises
    ------
    DataError
        If there is none yet.
    """
    if not watch.maps:
        raise DataError("there are no histograms yet: too few pulses have come")
    found: dict[str, tuple[NDArray[np.float64], ...]] = {}
    names: list[tuple[str, list[int] | None]] = [("all", None)]
    names += [(f"b{each.place[0]}_ch{each.place[1]}", [slot]) for slot, each in enumerate(watch.channels)]
    for folder, slots in names:
        for name, heat_map in watch.maps.items():
            found[f"{folder}/{name}"] = _two_dimensional(heat_map, slots)
        first = next(iter(watch.maps.values()))
        found[f"{folder}/energy"] = (first.summed(slots).sum(axis=0).astype(np.float64), first.x.edges)
    return found


def root_file(found: dict[str, tuple[NDArray[np.float64], ...]]) -> bytes:
    """Return a ROOT file of TH1D and TH2D.

    Raises
    ------
    MissingExtraError
        If uproot is not installed.
    """
    uproot = require_module("uproot", extra="root")
    content = BytesIO()
    with uproot.recreate(content) as file:
        for name, histogram in found.items():
            file[name] = histogram
        # Closing the file closes what it was written to.
        file.file.sink.flush()
        return content.getvalue()


def _two_dimensional(heat_map: HeatMap, slots: list[int] | None) -> tuple[NDArray[np.float64], ...]:
    counts = heat_map.summed(slots).T.astype(np.float64)
    return np.ascontiguousarray(counts), heat_map.x.edges, heat_map.y.edges
