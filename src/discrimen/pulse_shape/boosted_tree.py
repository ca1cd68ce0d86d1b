"""Gradient-boosted trees (J. H. Friedman, Ann. Statist. 29 (2001) 1189) on features of the pulse shape."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.pulse_shape.base import Waveforms
from discrimen.pulse_shape.features import FEATURES_ABOUT, pulse_features

_OPTIONS: Mapping[str, Any] = {
    "max_iter": 200,
    "learning_rate": 0.1,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": True,
    "validation_fraction": 0.1,
    "n_iter_no_change": 10,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BoostedTree:
    """The trained trees.

    Parameters
    ----------
    classifier : sklearn.ensemble.HistGradientBoostingClassifier
        Trained on :func:`~discrimen.pulse_shape.features.pulse_features`.
    """

    classifier: Any

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was trained."""
        return {
            "n_trees": int(self.classifier.n_iter_),
            "n_features": int(self.classifier.n_features_in_),
            "features": FEATURES_ABOUT,
        }

    def score(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Score aligned waveforms: the logit of the neutron class; see :class:`discrimen.pulse_shape.base.Method`."""
        with _one_thread():
            logits: NDArray[np.float64] = self.classifier.decision_function(pulse_features(waveforms))
        return np.where(waveforms.max(axis=1) > 0, logits, np.nan)


def train_boosted_tree(waveforms: Waveforms, is_neutron: NDArray[np.bool_], *, seed: int) -> BoostedTree:
    """Train on aligned waveforms of known class.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        See :mod:`discrimen.pulse_shape.base`; those without a pulse are left out.
    is_neutron : ndarray of bool, shape (pulse,)
        The class of each.
    seed : int
        Chooses the tenth that decides when to stop.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    ensemble = require_module("sklearn.ensemble", extra="analysis")
    classifier = ensemble.HistGradientBoostingClassifier(random_state=seed, **_OPTIONS)
    usable = waveforms.max(axis=1) > 0
    with _one_thread():
        classifier.fit(pulse_features(waveforms[usable]), is_neutron[usable])
    return BoostedTree(classifier=classifier)


def _one_thread() -> AbstractContextManager[Any]:
    """Keep scikit-learn on one core: its threads wait for each other by spinning, slow where cores are shared."""
    limits: AbstractContextManager[Any] = require_module("threadpoolctl", extra="analysis").threadpool_limits(1)
    return limits
