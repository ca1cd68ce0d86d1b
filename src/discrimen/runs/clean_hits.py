"""Clean records of hits: the same hits without noise, as a simulation writes them beside a file of hits."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses.hits import Hits
from discrimen.runs.clean_records import require_same_pulses
from discrimen.runs.hits_dataset import HitsDataset


def clean_hits_samples(recorded: HitsDataset, clean: HitsDataset) -> NDArray[Any]:
    """Return the clean records of the hits of files.

    Parameters
    ----------
    recorded, clean : HitsDataset
        Of the same files in the same order, their channels in one order.

    Returns
    -------
    ndarray, shape (hit, channel, sample)
        In ADC counts.

    Raises
    ------
    DataError
        If they are not of the same hits.
    """
    for noisy, bare in zip(recorded.files, clean.files, strict=True):
        if noisy["n_pulses"] != bare["n_pulses"]:
            raise DataError(
                f"{bare['name']}: {bare['n_pulses']} clean hits for the {noisy['n_pulses']} of {noisy['name']}: give "
                "the file that was written with it"
            )
    require_same_hits(recorded.hits, clean.hits)
    return clean.hits.samples


def require_same_hits(recorded: Hits, clean: Hits) -> None:
    """Refuse clean records of other hits.

    Raises
    ------
    DataError
        If their number, channels, length, time stamps or entries differ.
    """
    if recorded.samples.shape != clean.samples.shape:
        raise DataError(
            f"the clean hits have the shape {clean.samples.shape} (hit, channel, sample), the recorded ones "
            f"{recorded.samples.shape}: they must be of the same hits"
        )
    require_same_pulses(recorded.info, clean.info)
