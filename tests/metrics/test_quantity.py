from __future__ import annotations

import numpy as np
import pytest

from discrimen.metrics.quantity import quantity_figures


def test_figures_of_a_normal_quantity_are_those_it_was_drawn_from() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 10, 20_000)
    found = np.stack([truth + 0.5 + rng.normal(0, 2, len(truth)), np.full(len(truth), 2.0)], axis=1)
    figures = quantity_figures(found, truth, confidence=0.95)
    assert figures["bias"].low < 0.5 < figures["bias"].high
    assert figures["rms"].value == pytest.approx(np.hypot(2, 0.5), rel=0.02)
    assert figures["spread"].value == pytest.approx(10 / np.sqrt(12), rel=0.02)
    assert figures["coverage"].value == pytest.approx(66.7, abs=1.5)


def test_what_is_not_known_does_not_count() -> None:
    truth = np.arange(200.0)
    truth[:150] = np.nan
    found = truth[:, np.newaxis] + 1
    found[-1] = np.nan
    figures = quantity_figures(found, truth, confidence=0.95)
    assert figures["rms"].value == pytest.approx(1)
    assert "coverage" not in figures
    assert quantity_figures(found[:160], truth[:160], confidence=0.95) == {}
