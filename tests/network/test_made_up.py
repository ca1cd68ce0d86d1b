"""Made-up pulses suit any preparation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.network.pulses import MASKED, TWO_CHANNELS

from discrimen.network.made_up import made_up_pulses
from discrimen.network.preparation import Alignment, Channel, Preparation, Scale, one_channel
from discrimen.network.prepare import prepare


@pytest.mark.parametrize("scale", ["peak", "area", "none"])
@pytest.mark.parametrize("polarity", [-1, 1])
@pytest.mark.parametrize("alignment", [None, Alignment(position=6, interpolate=True)])
def test_every_pulse_can_be_prepared(scale: Scale, polarity: int, alignment: Alignment | None) -> None:
    preparation = one_channel(
        sample_period_ns=2.0,
        polarity=polarity,
        baseline_start=0,
        baseline_stop=20,
        window_start=5,
        window_length=90,
        alignment=alignment,
        scale=scale,
    )
    pulses = made_up_pulses(preparation, 64)
    assert np.array_equal(pulses, made_up_pulses(preparation, 64))
    assert not np.array_equal(pulses, made_up_pulses(preparation, 64, seed=1))
    assert prepare(pulses, preparation).valid.all()
    assert len(np.unique(pulses, axis=0)) == len(pulses)


@pytest.mark.parametrize("preparation", [TWO_CHANNELS, MASKED, replace(MASKED, reference=2)])
def test_pulses_of_several_channels_can_be_prepared(preparation: Preparation) -> None:
    assert prepare(made_up_pulses(preparation, 64), preparation).valid.all()


def test_a_channel_without_baseline_window_gets_numbers_around_zero() -> None:
    code = Preparation(sample_period_ns=1, channels=(Channel(name="code"),), window_length=4, scale="none")
    values = made_up_pulses(code, 500)
    assert values.dtype == np.float32
    assert values.shape == (500, 1, 4)
    assert abs(values.mean()) < 0.1 < values.std()
