"""Clean hits must be of the same hits as the recorded ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits, write_toy

from discrimen.errors import DataError
from discrimen.pulses.hits import Hits, cut_records, in_order_of
from discrimen.runs.clean_hits import clean_hits_samples
from discrimen.runs.hits_dataset import HitsDataset, load_hits


def numbered(hits: Hits, *, first: int = 0) -> Hits:
    return replace(hits, columns={**hits.columns, "entry": np.arange(first, first + len(hits))})


NOISY = numbered(toy_hits(20))
CLEAN = numbered(toy_hits(20, noise_adc=0.0))


def loaded(folder: Path, hits: Hits, **wishes: object) -> HitsDataset:
    return load_hits([write_toy(folder / "hits.h5", hits)], **wishes)  # type: ignore[arg-type]


def test_clean_records_come_in_the_order_of_the_recorded_channels(tmp_path: Path) -> None:
    recorded = loaded(tmp_path, NOISY)
    turned = in_order_of(CLEAN, CLEAN.channels[::-1])
    clean = loaded(tmp_path, turned, channels=recorded.hits.channels)
    assert np.array_equal(clean_hits_samples(recorded, clean), CLEAN.samples)


@pytest.mark.parametrize(
    ("clean", "message"),
    [
        (CLEAN[:19], "19 clean hits for the 20 of hits.h5"),
        (cut_records(CLEAN, 0, 50), r"the clean hits have the shape \(20, 37, 50\)"),
        (numbered(toy_hits(20, noise_adc=0.0), first=3), "of other pulses: entry of pulse 0 is 0"),
    ],
)
def test_records_of_other_hits_are_refused(tmp_path: Path, clean: Hits, message: str) -> None:
    recorded = loaded(tmp_path, NOISY)
    with pytest.raises(DataError, match=message):
        clean_hits_samples(recorded, loaded(tmp_path, clean))
