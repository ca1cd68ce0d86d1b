"""The one shape of the pulses that a separation learnt, where fitting it beats the network: pulses that lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.network.part_template import PartTemplate
from discrimen.pulse_shape.apart import fit_apart, in_time, share_out
from discrimen.pulse_shape.template import Template
from discrimen.training.remix import Mixture

LEAST_DISTANCES = (2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
"""Tried, in samples."""

_MOST_PULSES = 2000
_MOST_OFF = 0.04
"""How far pulses may be off the template, as a share of their height, to be of one shape; beyond that a fit would take
from gammas and neutrons what tells them apart."""
_FEWEST_PULSES, _FEWEST_RECORDS = 100, 30


def learn_template(training: Mixture) -> Template | None:
    """Average pulses that are alone in their part; None where these are too few, or not all of one shape.

    Parameters
    ----------
    training : Mixture
        Records of the training part.
    """
    alone = (training.n_pulses == 1) & (training.parts.max(axis=2, initial=0) > 0)
    waves = training.parts[alone]
    step = max(1, len(waves) // _MOST_PULSES)
    waves, divisor = waves[::step], np.repeat(training.divisor[:, np.newaxis], 2, axis=1)[alone][::step]
    if len(waves) < _FEWEST_PULSES:
        return None
    template = Template.aligned(waves)
    # What whole counts leave says nothing of the shape.
    rounded = (waves > 0).sum(axis=1) / (12 * np.square(divisor, dtype=np.float64))
    off = (template.left_of(waves) - rounded).sum() / np.square(waves, dtype=np.float64).sum()
    return template if off <= _MOST_OFF**2 else None


def choose_distance(template: Template, judging: Mixture, given: NDArray[np.float32]) -> PartTemplate | None:
    """Return the template with the distance from which on it is nearer to the true parts than the network.

    Of the distances that are tried it is the one with the least mean of the relative errors of all records; None where
    the network alone has that.

    Parameters
    ----------
    template : Template
        Of training pulses.
    judging : Mixture
        Records that the network was not taught.
    given : ndarray of float32, shape (record, 2, sample)
        What the network gives for them.
    """
    pairs = np.flatnonzero(judging.is_pair & (np.square(judging.parts).sum(axis=(1, 2)) > 0))
    records, truth = judging.waveforms[pairs], judging.parts[pairs]
    crossing, parts, own = in_time(share_out(given[pairs], records), given[pairs])
    apart = np.flatnonzero(crossing[:, 1] - crossing[:, 0] >= LEAST_DISTANCES[0])
    fitted = fit_apart(template, records[apart], own[apart], crossing[apart])
    change = _relative_error(fitted.parts, truth[apart]) - _relative_error(parts[apart], truth[apart])
    tried = [fitted.distance >= least for least in LEAST_DISTANCES]
    sums = [float(change[taken].sum()) if taken.sum() >= _FEWEST_RECORDS else 0.0 for taken in tried]
    best = int(np.argmin(sums))
    if sums[best] >= 0:
        return None
    return PartTemplate(values=tuple(template.values.tolist()), least_distance=LEAST_DISTANCES[best])


def _relative_error(parts: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the root of the squared difference in the better order over that of the true parts, for each record."""
    square = [np.square(each - truth, dtype=np.float64).sum(axis=(1, 2)) for each in (parts, parts[:, ::-1])]
    return np.asarray(np.sqrt(np.minimum(*square) / np.square(truth, dtype=np.float64).sum(axis=(1, 2))))
