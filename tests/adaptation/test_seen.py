"""What an adaptation keeps of the new pulses: some, evenly spread, and how unlike the old ones they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.scoring.small_model import long_records, write_small_model

from discrimen.adaptation.seen import SeenPulses
from discrimen.inference.reference_predictor import ReferencePredictor


def test_pulses_are_kept_evenly_over_all_chunks(tmp_path: Path) -> None:
    predictor = ReferencePredictor(write_small_model(tmp_path / "m.discrimen"))
    pulses = long_records()
    numbered = pulses.replace(samples=np.arange(len(pulses), dtype=np.uint16)[:, np.newaxis].repeat(75, axis=1))
    seen = SeenPulses(predictor, most=40)
    for first in range(0, len(pulses), 7):
        seen.add(numbered[first : first + 7])
    assert seen.outside is None
    assert seen.kept()[:, 0].tolist() == list(range(0, len(pulses), 8))


def test_pulses_unlike_the_old_ones_are_counted(tmp_path: Path) -> None:
    predictor = ReferencePredictor(write_small_model(tmp_path / "m.discrimen", domain=True))
    pulses = long_records()
    seen = SeenPulses(predictor)
    seen.add(pulses)
    seen.add(pulses.replace(samples=np.roll(pulses.samples, -10, axis=1)))
    assert seen.outside is not None
    assert (seen.outside.n_pulses, seen.outside.n_outside) == (2 * len(pulses), len(pulses))
    assert len(seen.kept()) == 2 * len(pulses)
