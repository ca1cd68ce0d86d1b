"""What every predictor promises, tried on one: for those who write a backend of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.inference.base import Predictor
from discrimen.network.domain import outside
from discrimen.network.prepare import prepare

_TYPES = (np.int32, np.uint32, np.float32, np.dtype(">u2"))


def broken_promises_of_predictor(predictor: Predictor, samples: NDArray[Any], *, tolerance: float = 1e-5) -> list[str]:
    """Score pulses in several ways, and return one line for each promise of a predictor that is broken.

    Parameters
    ----------
    predictor : Predictor
        Of classes, for one channel.
    samples : ndarray of integers, shape (pulse, sample)
        Five or more raw pulses that its model can score.
    tolerance : float
        How far scores may differ for reasons of arithmetic.

    Raises
    ------
    DataError
        If there are too few pulses, or the preparation of the model refuses one.
    """
    valid = prepare(samples, predictor.description.preparation).valid
    if len(samples) < 5 or not valid.all():
        raise DataError(f"expected five or more pulses that can be prepared, got {int(valid.sum())} of {len(samples)}")
    scores = predictor.predict(samples)
    broken = list(_of_scores(predictor, scores, samples))
    if broken:
        return broken  # whatever is compared with them would be wrong too
    return [
        *_of_parts(predictor, scores, samples, tolerance),
        *_of_input(predictor, scores, samples, tolerance),
        *_of_refusals(predictor, scores, samples, tolerance),
        *_of_judgement(predictor, scores, samples),
    ]


def _of_scores(predictor: Predictor, scores: NDArray[Any], samples: NDArray[Any]) -> Iterator[str]:
    shape = (len(samples), len(predictor.description.classes))
    if scores.dtype != np.float32 or scores.shape != shape:
        yield f"scores are float32 of shape {shape}, got {scores.dtype} of shape {scores.shape}"
    elif not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1:
        yield f"scores of pulses that can be prepared lie between 0 and 1, got {scores.min():g} to {scores.max():g}"
    elif predictor.description.scores.activation == "softmax" and not np.allclose(scores.sum(axis=1), 1, atol=1e-4):
        yield f"the scores of a pulse add up to 1, got {scores.sum(axis=1).min():g} to {scores.sum(axis=1).max():g}"
    if not predictor.backend:
        yield "backend says what computes, got an empty text"


def _of_parts(predictor: Predictor, scores: NDArray[Any], samples: NDArray[Any], tolerance: float) -> Iterator[str]:
    parts = np.concatenate([predictor.predict(samples[at]) for at in (slice(0, 1), slice(1, 4), slice(4, None))])
    if not np.allclose(parts, scores, atol=tolerance):
        yield f"parts of 1, 3 and {len(samples) - 4} pulses score as all together; they differ by {_off(parts, scores)}"
    none = predictor.predict(samples[:0])
    if none.shape != (0, scores.shape[1]):
        yield f"no pulses give no scores, got shape {none.shape}"


def _of_input(predictor: Predictor, scores: NDArray[Any], samples: NDArray[Any], tolerance: float) -> Iterator[str]:
    for dtype in _TYPES:
        if not np.array_equal(samples.astype(dtype).astype(np.float64), samples):
            continue
        found = predictor.predict(samples.astype(dtype))
        if not np.allclose(found, scores, atol=tolerance):
            yield f"the type of the samples does not matter; {np.dtype(dtype)} differs by {_off(found, scores)}"
    kept = samples.copy()
    kept.flags.writeable = False
    try:
        strided = predictor.predict(np.repeat(kept, 2, axis=0)[::2])
        predictor.predict(kept)
    except ValueError as error:
        yield f"samples are never written to: {error}"
        return
    if not np.allclose(strided, scores, atol=tolerance):
        yield f"samples with gaps between them score the same; they differ by {_off(strided, scores)}"


def _of_refusals(predictor: Predictor, scores: NDArray[Any], samples: NDArray[Any], tolerance: float) -> Iterator[str]:
    preparation = predictor.description.preparation
    flat = samples.copy()
    flat[1] = flat[1, 0]
    if preparation.scale != "none" or preparation.alignment is not None:
        found, others = predictor.predict(flat), np.arange(len(samples)) != 1
        if not np.isnan(found[1]).all():
            yield f"a record without a pulse scores NaN, got {found[1].tolist()}"
        if not np.allclose(found[others], scores[others], atol=tolerance):
            yield f"a record without a pulse leaves others alone; they differ by {_off(found[others], scores[others])}"
    try:
        predictor.predict(samples[:, : preparation.shortest_record - 1])
    except DataError:
        return
    yield f"records of fewer than {preparation.shortest_record} samples are a DataError, they were scored"


def _of_judgement(predictor: Predictor, scores: NDArray[Any], samples: NDArray[Any]) -> Iterator[str]:
    description, judged = predictor.description, predictor.judge(samples)
    if not np.array_equal(judged.scores, scores):
        yield f"judge scores as predict does; they differ by {_off(judged.scores, scores)}"
    if description.domain is None:
        wrong = judged.outside is not None
    else:
        expected = outside(samples, description.preparation, description.domain)
        wrong = judged.outside is None or not np.array_equal(judged.outside, expected)
    if wrong:
        yield "judge says which pulses lie outside as the domain of the model does, and None without one"


def _off(found: NDArray[Any], expected: NDArray[Any]) -> str:
    if found.shape != expected.shape:
        return f"shape {found.shape}, not {expected.shape}"
    return f"up to {np.nanmax(np.abs(found - expected), initial=0.0):.2g}"
