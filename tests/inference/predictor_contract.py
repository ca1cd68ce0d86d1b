"""What every Predictor must do; the tests of a backend inherit this class and say how to make one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.inference.base import Predictor
from discrimen.network.domain import outside
from discrimen.network.prepare import prepare


class PredictorContract:
    """Needs the fixtures `predictor` and `samples`: five or more raw waveforms that its model can score."""

    tolerance = 1e-6
    """How far scores may differ for reasons of arithmetic."""

    def test_gives_one_float32_probability_a_class(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        scores = predictor.predict(samples)
        assert scores.dtype == np.float32
        assert scores.shape == (len(samples), len(predictor.description.classes))
        assert scores.min() >= 0
        assert_allclose(scores.sum(axis=1), 1, atol=1e-5)

    def test_says_what_computes(self, predictor: Predictor) -> None:
        assert predictor.backend

    def test_parts_equal_the_whole(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        whole = predictor.predict(samples)
        parts = [predictor.predict(samples[:1]), predictor.predict(samples[1:4]), predictor.predict(samples[4:])]
        assert_allclose(np.concatenate(parts), whole, atol=self.tolerance)

    def test_no_pulses_give_no_scores(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        assert predictor.predict(samples[:0]).shape == (0, len(predictor.description.classes))

    def test_a_flat_waveform_scores_nan_and_leaves_the_others_alone(
        self, predictor: Predictor, samples: NDArray[Any]
    ) -> None:
        with_flat = samples.copy()
        with_flat[1] = with_flat[1, 0]
        scores = predictor.predict(with_flat)
        assert np.isnan(scores[1]).all()
        kept = np.arange(len(samples)) != 1
        assert_allclose(scores[kept], predictor.predict(samples)[kept], atol=self.tolerance)

    def test_gain_and_baseline_do_not_matter(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        if predictor.description.preparation.scale == "none":
            pytest.skip("this model sees ADC counts")
        changed = samples.astype(np.float32) * np.float32(0.5) + np.float32(64)
        assert_allclose(predictor.predict(changed), predictor.predict(samples), atol=max(self.tolerance, 1e-4))

    @pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.float32, ">u2"])
    def test_the_type_of_the_samples_does_not_matter(
        self, predictor: Predictor, samples: NDArray[Any], dtype: Any
    ) -> None:
        assert_allclose(predictor.predict(samples.astype(dtype)), predictor.predict(samples), atol=self.tolerance)

    def test_samples_that_are_not_contiguous_score_the_same(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        strided = np.repeat(samples, 2, axis=0)[::2]
        assert_array_equal(predictor.predict(strided), predictor.predict(samples))

    def test_samples_are_not_modified(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        frozen = samples.copy()
        frozen.flags.writeable = False
        predictor.predict(frozen)
        assert_array_equal(frozen, samples)

    def test_samples_beyond_the_window_do_not_matter(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        if predictor.description.preparation.alignment is not None:
            pytest.skip("an alignment searches the whole record")
        longer = np.concatenate([samples, samples[:, :10]], axis=1)
        assert_allclose(predictor.predict(longer), predictor.predict(samples), atol=self.tolerance)

    def test_short_records_are_refused(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        shortest = predictor.description.preparation.shortest_record
        with pytest.raises(DataError, match=f"at least {shortest} samples"):
            predictor.predict(samples[:, : shortest - 1])

    def test_prepares_as_its_spec_says(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        assert prepare(samples, predictor.description.preparation).valid.all()
        assert np.isfinite(predictor.predict(samples)).all()

    def test_judges_as_its_domain_says(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        description = predictor.description
        scores, flags, _ = predictor.judge(samples)
        assert_array_equal(scores, predictor.predict(samples))
        if description.domain is None:
            assert flags is None
        else:
            assert_array_equal(flags, outside(samples, description.preparation, description.domain))
