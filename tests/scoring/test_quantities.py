"""Class, light and PSD beside the scores: what is known is written, what is not is said."""

from __future__ import annotations

import numpy as np
import pytest
from tests.scoring.small_model import long_records
from tests.training.toy_pulses import PREPARATION

from discrimen.labelling.plane import plane_of_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.pulses.detector import ChannelSettings, DetectorSettings, GatesNs, LightCalibration
from discrimen.pulses.places import Place
from discrimen.scoring.quantities import Gated, class_numbers

GATES = GatesNs(gate_start_ns=-20, short_gate_end_ns=30, long_gate_end_ns=200)
RUN = DetectorSettings(polarity="negative", sample_period_ns=10.0, pretrigger_ns=150.0)
CALIBRATION = LightCalibration(quantity="long_charge_adc_ns", gain_kevee_per_unit=0.02)


def model(settings: DetectorSettings | None = None) -> ModelDescription:
    return ModelDescription(preparation=PREPARATION, settings=settings or DetectorSettings())


def test_the_class_is_that_of_the_threshold_else_the_best_of_the_others() -> None:
    scores = np.array([[0.5, 0.2, 0.3], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [np.nan] * 3, [0.4, 0.35, 0.25]], np.float32)
    reached = scores[:, 2] >= 0.25
    assert class_numbers(scores, is_neutron=reached, neutron_class=2).tolist() == [2, 2, 1, -1, 2]
    assert class_numbers(scores, is_neutron=~reached & False, neutron_class=2).tolist() == [0, 1, 1, -1, 0]


def test_light_and_psd_are_those_of_charge_comparison() -> None:
    pulses = long_records()
    settings = RUN.merged(gates=GATES.model_dump(), calibration=CALIBRATION.model_dump())
    measured = Gated(settings, model())(pulses)
    plane = plane_of_pulses(pulses, settings)
    assert list(measured) == ["energy_kevee", "psd"]
    np.testing.assert_allclose(measured["psd"], plane.psd, rtol=1e-6)
    np.testing.assert_allclose(measured["energy_kevee"], plane.energy, rtol=1e-6)


def test_gates_of_the_model_serve_a_run_without_any_but_not_its_calibration() -> None:
    trained = DetectorSettings(gates=GATES, calibration=CALIBRATION)
    measured = Gated(RUN, model(trained))(long_records())
    assert list(measured) == ["long_charge_adc_ns", "psd"]
    expected = plane_of_pulses(long_records(), RUN.merged(gates=GATES.model_dump()))
    np.testing.assert_allclose(measured["psd"], expected.psd, rtol=1e-6)


def test_what_cannot_be_known_is_said_and_no_column_made_up() -> None:
    gated = Gated(RUN, model())
    assert gated(long_records()) == {}
    assert gated.missing is not None
    assert "gates" in gated.missing


def test_a_channel_that_is_not_calibrated_has_no_light() -> None:
    one = LightCalibration.model_validate(
        {"quantity": "long_charge_adc_ns", "channels": [{"channel": 0, "gain_kevee_per_unit": 0.02}]}
    )
    settings = RUN.merged(gates=GATES.model_dump(), calibration=one.model_dump(exclude_none=True))
    gated = Gated(settings, model())
    known = long_records()
    first = known[known.column("channel") == 0]
    assert np.isfinite(gated(first)["energy_kevee"]).all()
    assert gated.missing is None
    others = gated(known[known.column("channel") == 1])
    assert list(others) == ["energy_kevee", "psd"]
    assert np.isnan(others["energy_kevee"]).all()
    assert gated.missing is not None
    with pytest.raises(KeyError):
        others["long_charge_adc_ns"]


def test_each_channel_has_gates_and_polarity_of_its_own_model() -> None:
    pulses = long_records()
    wide = GATES.model_copy(update={"short_gate_end_ns": GATES.short_gate_end_ns + 20})
    own = {Place(0, channel): model(DetectorSettings(gates=GATES)) for channel in range(4)}
    listed = (ChannelSettings(channel=1, gates=wide),)
    own[Place(0, 1)] = model(DetectorSettings(gates=GATES, channels=listed))
    psd = Gated(RUN, own)(pulses)["psd"]
    second = pulses.column("channel") == 1
    for here, gates in ((second, wide), (~second, GATES)):
        expected = plane_of_pulses(pulses[here], RUN.merged(gates=gates.model_dump()))
        np.testing.assert_allclose(psd[here], expected.psd, rtol=1e-6)
    told = Gated(RUN.merged(gates=GATES.model_dump()), own)(pulses)["psd"]
    np.testing.assert_allclose(told, plane_of_pulses(pulses, RUN.merged(gates=GATES.model_dump())).psd, rtol=1e-6)
