"""What each give-away test may see of a pulse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.discriminant import Features
from discrimen.audit.quantities import Quantities
from discrimen.pulses import Pulses

_MOST_SAMPLES = 64
_MOST_FREQUENCIES = 32
_PEAK_BINS = 40


def features_of(quantities: Quantities, pulses: Pulses, rows: NDArray[np.int64]) -> dict[str, Features]:
    """Return the features of every give-away test that the data allow, by name.

    Parameters
    ----------
    quantities : Quantities
        Of the pulses looked at.
    pulses : Pulses
        The whole data set, for board and channel.
    rows : ndarray of int64, shape (chosen pulse,)
        Which of the pulses looked at to take.
    """
    tests = {}
    if quantities.pretrigger.usable:
        shape = _pretrigger_shape(quantities, rows)
        before = _thinned(quantities.before_adc[rows].astype(np.float64))
        tests["pre-trigger"] = Features(
            names=("baseline", *shape.names),
            quantities=np.column_stack([quantities.baseline_adc[rows], shape.quantities]),
            samples=np.concatenate([before, shape.samples], axis=1),
        )
        tests["pre-trigger noise"] = shape
    tests["baseline"] = _scalars(baseline=quantities.baseline_adc[rows])
    if quantities.step_adc is not None and quantities.step_before_adc is not None:
        tests["ADC step"] = _adc_step(quantities, rows)
    tests["trigger position"] = _scalars(crossing=quantities.crossing[rows])
    tests["amplitude"] = _scalars(charge=quantities.charge_adc[rows])
    channel = _channel(pulses, quantities.pulse[rows])
    if channel is not None:
        tests["channel"] = channel
    return tests


def matched_by_peak(
    peak_adc: NDArray[np.float64], is_neutron: NDArray[np.bool_], *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose as many pulses of each class in every bin of the peak, so that the peak says nothing of the class.

    Parameters
    ----------
    peak_adc, is_neutron : ndarray, shape (pulse,)
        Peak and class.
    rng : numpy.random.Generator
        Draws among the class that has more.

    Returns
    -------
    ndarray of int64, shape (chosen pulse,)
        Ascending positions.
    """
    edges = np.unique(np.quantile(peak_adc, np.arange(1, _PEAK_BINS) / _PEAK_BINS))
    of_bin = np.searchsorted(edges, peak_adc, side="right")
    chosen: list[NDArray[np.int64]] = []
    for number in range(len(edges) + 1):
        members = [np.flatnonzero((of_bin == number) & (is_neutron == label)) for label in (False, True)]
        fewer = min(map(len, members))
        chosen += [rng.permutation(part)[:fewer] for part in members]
    return np.sort(np.concatenate(chosen))


def _scalars(**columns: NDArray[np.float64]) -> Features:
    quantities = np.column_stack(list(columns.values()))
    return Features(names=tuple(columns), quantities=quantities, samples=np.empty((len(quantities), 0)))


def _pretrigger_shape(quantities: Quantities, rows: NDArray[np.int64]) -> Features:
    before = quantities.before_adc[rows].astype(np.float64)
    deviation = before - before.mean(axis=1, keepdims=True)
    power = (deviation**2).sum(axis=1)
    neighbours = (deviation[:, 1:] * deviation[:, :-1]).sum(axis=1)
    scalars = _scalars(
        noise=quantities.noise_adc[rows],
        slope=quantities.slope_adc[rows],
        neighbours=np.where(power > 0, neighbours / np.where(power > 0, power, 1.0), 0.0),
        span=np.ptp(before, axis=1),
    )
    spectrum = np.abs(np.fft.rfft(deviation, axis=1))[:, 1:]
    samples = np.concatenate([_thinned(deviation), _thinned(spectrum, _MOST_FREQUENCIES)], axis=1)
    return Features(names=scalars.names, quantities=scalars.quantities, samples=samples)


def _adc_step(quantities: Quantities, rows: NDArray[np.int64]) -> Features:
    assert quantities.step_adc is not None
    assert quantities.step_before_adc is not None
    # Differences, not values: the parity of a value says where the baseline lies, not how fine the ADC counts.
    before = quantities.before_adc[rows].astype(np.int64)
    odd = ((before[:, 1:] - before[:, :-1]) % 2).sum(axis=1)
    return _scalars(
        step=quantities.step_adc[rows].astype(np.float64),
        step_before=quantities.step_before_adc[rows].astype(np.float64),
        odd_differences=odd.astype(np.float64),
    )


def _channel(pulses: Pulses, pulse: NDArray[np.int64]) -> Features | None:
    known = [column[pulse] for column in (pulses.board, pulses.channel) if column is not None]
    if not known:
        return None
    places, number = np.unique(np.stack(known), axis=1, return_inverse=True)
    if places.shape[1] < 2:
        return None
    kept = np.argsort(-np.bincount(number.ravel()))[:_MOST_SAMPLES]
    samples = (number.ravel()[:, np.newaxis] == kept).astype(np.float64)
    return Features(names=(), quantities=np.empty((len(pulse), 0)), samples=samples)


def _thinned(samples: NDArray[np.float64], most: int = _MOST_SAMPLES) -> NDArray[np.float64]:
    """Average neighbouring columns until there are no more than `most`."""
    width = -(-samples.shape[1] // most) if samples.shape[1] else 1
    n_whole = samples.shape[1] // width * width
    return np.asarray(samples[:, :n_whole].reshape(len(samples), -1, width).mean(axis=2))
