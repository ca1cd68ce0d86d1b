"""Labels at high light teach at low light: what is thinned, what is refused, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.network.domain.test_light_noise import PREPARATION, poisson_pulses
from tests.training.toy_pulses import labelled_examples

from discrimen.errors import DataError, SettingsError
from discrimen.network.domain import OutsideTally, outside
from discrimen.network.domain.measure import measure
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import Hits, Reconstruction, TrainingConfig, train
from discrimen.training.epoch_feed import EpochFeed, training_feed
from discrimen.training.extension import extended_note


def labelled(n_pulses: int = 1200, **changes: Any) -> Pulses:
    samples = poisson_pulses(n_pulses)
    labels = (np.arange(n_pulses) % 2).astype(np.int8)
    light = (measure(samples, PREPARATION).height_adc / 3).astype(np.float32)
    return Pulses(samples=samples, sample_period_ns=10.0, label=labels, **{"energy_kevee": light, **changes})


def feed(pulses: Pulses, **wishes: Any) -> EpochFeed:
    config = TrainingConfig(**wishes)
    examples = labelled_examples(pulses, PREPARATION)
    settings = DetectorSettings(adc_bits=14)
    return training_feed(pulses, examples, config, targets=examples.targets, preparation=PREPARATION, settings=settings)


def heights(fed: EpochFeed, n_pulses: int) -> np.ndarray:
    assert fed.augmentation is not None
    drawn = fed.augmentation.distorted(np.arange(n_pulses), rng=np.random.default_rng(0))
    return measure(drawn, PREPARATION).height_adc


@pytest.mark.parametrize("wish", [{"extend_down_adc": 60.0}, {"extend_down_kevee": 20.0}])
def test_heights_reach_evenly_from_the_lowest_to_their_own(wish: dict[str, float]) -> None:
    pulses = labelled()
    own, thinned = measure(pulses.samples, PREPARATION).height_adc, heights(feed(pulses, **wish), 1200)
    share = np.log(thinned / 60) / np.log(own / 60)
    assert np.quantile(share, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.06)
    assert thinned.min() > 25


def test_pulses_below_the_lowest_light_stay_as_they_are() -> None:
    pulses = labelled()
    own = measure(pulses.samples, PREPARATION).height_adc
    lowest = float(np.quantile(own, 0.009))
    fed = feed(pulses, extend_down_adc=lowest)
    assert fed.extension is not None
    low = np.flatnonzero(own < lowest)
    thinned = fed.extension.thinned(pulses.samples[low], low, rng=np.random.default_rng(0))
    assert len(low) > 5
    assert np.array_equal(thinned, pulses.samples[low])


def test_the_model_says_what_it_learnt_from_thinned_pulses(tmp_path: Path) -> None:
    pulses = labelled()
    config = TrainingConfig(architecture="mlp", epochs=1, extend_down_adc=60.0)
    description = train(pulses, PREPARATION, config, folder=tmp_path).description
    record, domain = description.provenance["extend_down"], description.domain
    assert record["lowest"] == 60.0
    assert record["variance_adc_per_adc"] == pytest.approx(3.5, rel=0.1)
    note = extended_note(description.provenance)
    assert note is not None
    assert "down to 60" in note
    assert domain is not None
    assert domain.height_adc[0] < 62
    assert domain.thinned_below_adc == pytest.approx(np.quantile(measure(pulses.samples, PREPARATION).height_adc, 0.01))
    low = feed(pulses, extend_down_adc=60.0).augmentation
    assert low is not None
    drawn = low.distorted(np.arange(1000), rng=np.random.default_rng(5))
    assert (outside(drawn, PREPARATION, domain) != 0).mean() < 0.03
    tally = OutsideTally(domain, PREPARATION)
    tally.add(drawn, np.zeros(1000, np.uint16))
    heights = measure(drawn, PREPARATION).height_adc
    assert tally.share_seen_thinned() == pytest.approx((heights < domain.thinned_below_adc).mean())


def test_a_model_of_real_pulses_alone_says_nothing(tmp_path: Path) -> None:
    config = TrainingConfig(architecture="mlp", epochs=1)
    description = train(labelled(), PREPARATION, config, folder=tmp_path).description
    assert extended_note(description.provenance) is None
    assert description.domain is not None
    assert "thinned_below_adc" not in description.domain.as_dict()


def test_thinned_pulses_judge_too(tmp_path: Path) -> None:
    seen = []

    class Listener:
        def on_epoch(self, record: Any) -> None:
            seen.append(record.val_loss)

    for wish in ({}, {"extend_down_adc": 30.0}):
        config = TrainingConfig(architecture="mlp", epochs=1, learning_rate=1e-9, **wish)
        train(labelled(), PREPARATION, config, folder=tmp_path / str(len(seen)), progress=Listener())
    # The network has hardly learnt anything: only other pulses can give another loss.
    assert seen[0] != pytest.approx(seen[1], rel=1e-4)


def test_labels_that_reach_as_low_already_are_refused() -> None:
    with pytest.raises(SettingsError, match="does nothing"):
        feed(labelled(), extend_down_adc=2000.0)


def test_a_class_without_more_light_is_refused() -> None:
    with pytest.raises(DataError, match="labelled gamma has more light than 1e\\+06"):
        feed(labelled(), extend_down_adc=1e6)


def test_light_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingsError, match="not known in keVee"):
        feed(labelled(energy_kevee=None), extend_down_kevee=20.0)


def test_pulses_without_statistics_of_photoelectrons_are_refused() -> None:
    smooth = labelled().replace(samples=poisson_pulses(1200, adc_per_pe=1e-3, response=np.array([1.0])))
    with pytest.raises(DataError, match="extend_down: the tails"):
        feed(smooth, extend_down_adc=60.0)


def test_several_channels_are_refused() -> None:
    pulses = labelled()
    several = Hits(samples=pulses.samples[:, np.newaxis], sample_period_ns=10.0, columns=pulses.columns())
    examples = labelled_examples(several, PREPARATION)
    with pytest.raises(SettingsError, match="extend_down knows pulses of one channel"):
        training_feed(
            several,
            examples,
            TrainingConfig(extend_down_adc=60.0),
            targets=examples.targets,
            preparation=PREPARATION,
            settings=DetectorSettings(),
        )


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"extend_down_adc": 0.0}, "must be positive"),
        ({"extend_down_adc": 50.0, "extend_down_kevee": 20.0}, "give one"),
        ({"extend_down_adc": 50.0, "balance": "energy"}, "balance over energy"),
        ({"extend_down_adc": 50.0, "task": Reconstruction()}, "changes the light"),
    ],
)
def test_wishes_that_contradict_each_other_are_refused(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TrainingConfig(**wishes)
