from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits

from discrimen.errors import DataError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits
from discrimen.training.epoch_feed import EpochFeed
from discrimen.training.examples import Examples, prepared_pulses
from discrimen.training.fresh_noise import FreshNoise

AT = np.array([0, 0, 3, 17])


def noisy_and_clean(n_hits: int = 60) -> tuple[Hits, Hits]:
    clean = toy_hits(n_hits, noise_adc=0.0)
    noise = np.random.default_rng(8).normal(0, 5, clean.samples.shape).round().astype(np.int16)
    return replace(clean, samples=clean.samples + noise), clean


def examples_of(hits: Hits, preparation: Preparation) -> Examples:
    waveforms, kept, _ = prepared_pulses(hits, preparation, np.arange(len(hits)))
    return Examples(waveforms=waveforms, targets=np.zeros((len(kept), 3), np.float32), pulse=kept)


def fresh(noisy: Hits, clean: Hits, *, teaching: int = 40) -> FreshNoise:
    preparation = choose_hits_preparation(noisy, DetectorSettings(), reference="core", scale="none")
    return FreshNoise.of(noisy, clean, examples_of(noisy, preparation)[np.arange(teaching)], preparation)


def test_a_hit_is_its_clean_record_with_the_noise_of_a_hit_that_teaches() -> None:
    noisy, clean = noisy_and_clean()
    noise_of = fresh(noisy, clean)
    drawn = noise_of.draw(AT, rng=np.random.default_rng(1))
    bare = prepare(clean.samples[AT], noise_of.preparation).waveforms
    noises = prepare(noisy.samples - clean.samples, noise_of.preparation).waveforms
    apart = np.abs((drawn - bare)[:, np.newaxis] - noises).max(axis=(2, 3))
    donors = apart.argmin(axis=1)
    assert apart.min(axis=1).max() < 1e-2
    assert donors.max() < 40
    assert donors[0] != donors[1], "one hit twice has two noises"
    assert (np.median(apart, axis=1) > 5).all(), "and no other noise fits"


def test_absent_channels_stay_absent_and_lend_no_noise() -> None:
    noisy, clean = noisy_and_clean()
    present = np.ones((60, 37), dtype=np.bool_)
    present[:30, 4] = False
    dead = [replace(hits, present=present, samples=hits.samples * present[:, :, np.newaxis]) for hits in (noisy, clean)]
    noise_of = fresh(*dead)
    assert noise_of.donors.min() == 30
    drawn = noise_of.draw(np.arange(40), rng=np.random.default_rng(1))
    assert not drawn[:30, 4].any()
    assert (drawn[30:, 4].std(axis=1) > 1).all()


def test_what_cannot_be_prepared_keeps_its_own_noise() -> None:
    noisy, clean = noisy_and_clean()
    falling = clean.samples.copy()
    falling[3, -1] = 100 - (clean.samples[3, -1] - 100)
    preparation = choose_hits_preparation(noisy, DetectorSettings(), reference="core", scale="area")
    examples = examples_of(noisy, preparation)
    noise_of = FreshNoise.of(noisy, replace(clean, samples=falling), examples, preparation)
    drawn = noise_of.draw(AT, rng=np.random.default_rng(1))
    assert np.array_equal(drawn[2], examples.waveforms[3])
    assert not np.array_equal(drawn[3], examples.waveforms[17])


def test_every_epoch_has_noise_of_its_own_and_the_same_when_it_comes_again() -> None:
    noise_of = fresh(*noisy_and_clean())
    examples = noise_of.examples
    feed = EpochFeed(
        waveforms=examples.waveforms,
        targets=np.arange(len(examples)),
        batch_size=16,
        shuffle=True,
        seed=3,
        fresh_noise=noise_of,
    )
    epochs = []
    for epoch in (0, 1, 0):
        feed.begin_epoch(epoch)
        waveforms, targets = (np.concatenate(part) for part in zip(*(feed.batch(n) for n in range(3)), strict=True))
        epochs.append(waveforms[np.argsort(targets)])
    assert np.array_equal(epochs[0], epochs[2])
    changed = np.abs(epochs[0] - epochs[1]).max(axis=(1, 2)) > 1
    assert changed.mean() > 0.8, "few hits of 40 get the noise that they had before"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clean: clean[:30], "must be of the same hits"),
        (lambda clean: replace(clean, columns={"entry": np.arange(60)[::-1]}), "entry of pulse 0 is 0"),
    ],
)
def test_clean_records_of_other_hits_are_refused(change, message: str) -> None:  # type: ignore[no-untyped-def]
    noisy, clean = noisy_and_clean()
    noisy = replace(noisy, columns={"entry": np.arange(60)})
    with pytest.raises(DataError, match=message):
        fresh(noisy, change(clean))


def test_hits_without_noise_are_refused() -> None:
    _, clean = noisy_and_clean()
    with pytest.raises(DataError, match="there is no noise to draw"):
        fresh(clean, clean)
