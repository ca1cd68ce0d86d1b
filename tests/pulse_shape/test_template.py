"""The mean shape of pulses."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.pulse_shape.template import Template

N_SAMPLES = 60


def pulses(at: np.ndarray) -> np.ndarray:
    """Fast pulses: their edge takes less than two samples."""
    late = np.arange(N_SAMPLES) - at[:, np.newaxis]
    return (100 * np.where(late > 0, np.exp(-late / 8) - np.exp(-late / 0.4), 0)).astype(np.float32)


def test_alignment_sharpens_what_crossings_smear() -> None:
    waves = pulses(np.linspace(10, 12, 200))
    errors = []
    for template in (Template.of(waves), Template.aligned(waves)):
        places = np.linspace(9, 13, 801)
        shapes = template.at(places, N_SAMPLES)
        height = (shapes @ waves[77]) / np.square(shapes).sum(axis=1)
        errors.append(np.abs(height[:, np.newaxis] * shapes - waves[77]).max(axis=1).min())
    assert errors[1] < 0.6 * errors[0]


def test_places_may_have_any_shape() -> None:
    template = Template.of(pulses(np.linspace(10, 12, 200)))
    several = template.at(np.array([[10.0, 20.0], [30.0, 40.0]]), N_SAMPLES)
    assert several.shape == (2, 2, N_SAMPLES)
    np.testing.assert_array_equal(several[1, 0], template.at(np.array([30.0]), N_SAMPLES)[0])


def test_a_template_needs_pulses_with_an_edge() -> None:
    with pytest.raises(DataError, match="8 pulses with an edge, got 3"):
        Template.aligned(pulses(np.array([10.0, 11.0, 12.0])))
