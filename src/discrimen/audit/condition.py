"""The condition of the pulses: saturation, pile-up, unsteady baselines, constant and dead channels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.finding import Finding, Severity
from discrimen.audit.quantities import Quantities
from discrimen.pulses import PulseFlag, Pulses
from discrimen.runs.dataset import Dataset

_OUTLYING_SIGMA = 8.0
_SIGMA_OF_MAD = 1.4826
_LEAST_PULSES = 50
_WARN_SHARE = 0.01
_PLATEAU_SAMPLES = 3
_DEAD_BELOW_NOISE = 5.0
_DRIFT_PARTS = 10
_DRIFT_ERRORS = 6.0

_SATURATED_GATE = (
    "saturated-gate",
    "the digitizer's own charge overflowed (the flag of a saturated gate): do not trust its energy; the waveform may "
    "be sound",
    "widen the charge range, or take the energy from the waveform",
)
_PILE_UP = (
    "pile-up",
    "pulses carry the digitizer's flag of pile-up: a second pulse in the tail makes a neutron of a gamma",
    "leave them out, or lower the rate",
)


def check_condition(dataset: Dataset, quantities: Quantities) -> list[Finding]:
    """Run every check of the pulses' condition on the pulses looked at."""
    looked_at = dataset.pulses[quantities.pulse]
    return [
        *_check_saturation(looked_at, quantities, adc_bits=dataset.settings.adc_bits),
        *_check_flag(looked_at, quantities, PulseFlag.SATURATED_GATE, *_SATURATED_GATE),
        *_check_flag(looked_at, quantities, PulseFlag.PILE_UP, *_PILE_UP),
        *_check_unsteady(quantities),
        *_check_channels(looked_at, quantities),
    ]


def saturated(pulses: Pulses, quantities: Quantities, *, adc_bits: int | None) -> NDArray[np.bool_]:
    """Say which pulses touch a rail of the ADC, stand on a common plateau, or carry the flag of a saturated input.

    Where the number of bits is unknown, a plateau at the most extreme value of the channels together stands for a
    rail: three samples in a row there in more than one pulse.

    Returns
    -------
    ndarray of bool, shape (pulse,)
    """
    samples = pulses.samples
    extreme = samples.max(axis=1) if quantities.pretrigger.polarity > 0 else samples.min(axis=1)
    if adc_bits is not None and samples.dtype.kind != "f":
        found = (samples.max(axis=1) >= 2**adc_bits - 1) | (samples.min(axis=1) <= 0)
    else:
        rail = extreme.max() if quantities.pretrigger.polarity > 0 else extreme.min()
        candidates = np.flatnonzero((extreme == rail) & ~quantities.constant)
        at_rail = samples[candidates] == rail
        in_a_row = at_rail[:, : max(0, at_rail.shape[1] - _PLATEAU_SAMPLES + 1)].copy()
        for shift in range(1, _PLATEAU_SAMPLES):
            in_a_row &= at_rail[:, shift : shift + in_a_row.shape[1]]
        flat = candidates[in_a_row.any(axis=1)]
        found = np.zeros(len(samples), dtype=np.bool_)
        found[flat if len(flat) > 1 else []] = True
    found &= ~quantities.constant
    if pulses.flags is not None:
        found |= (pulses.flags & np.uint32(PulseFlag.SATURATED_INPUT)) != 0
    return np.asarray(found)


def _check_saturation(pulses: Pulses, quantities: Quantities, *, adc_bits: int | None) -> list[Finding]:
    return _counted(
        saturated(pulses, quantities, adc_bits=adc_bits),
        quantities,
        check="saturation",
        what="pulses are cut off by the ADC: their shape is wrong, and it is wrong by energy",
        mend="lower the gain or the high voltage, or leave saturated pulses out of training and evaluation",
    )


def _check_flag(
    pulses: Pulses, quantities: Quantities, flag: PulseFlag, check: str, what: str, mend: str
) -> list[Finding]:
    if pulses.flags is None:
        return []
    return _counted((pulses.flags & np.uint32(flag)) != 0, quantities, check=check, what=what, mend=mend)


def _check_unsteady(quantities: Quantities) -> list[Finding]:
    if len(quantities) < _LEAST_PULSES or not quantities.pretrigger.usable:
        return []
    live = ~quantities.constant
    step_adc = 1.0
    unsteady = _outlying(quantities.noise_adc, live, least=step_adc)
    unsteady |= _outlying(quantities.slope_adc, live, least=step_adc / quantities.before_adc.shape[1])
    return _counted(
        unsteady & live,
        quantities,
        check="unsteady-baseline",
        what="the pre-trigger is not flat (far noisier or steeper than usual): an earlier pulse's tail, or pick-up",
        mend="leave them out (a threshold on the rms of the pre-trigger), or lower the rate",
    )


def _outlying(values: NDArray[np.float64], live: NDArray[np.bool_], *, least: float) -> NDArray[np.bool_]:
    if not live.any():
        return np.zeros(len(values), dtype=np.bool_)
    middle = np.median(values[live])
    sigma = _SIGMA_OF_MAD * np.median(np.abs(values[live] - middle))
    return np.asarray(np.abs(values - middle) > max(_OUTLYING_SIGMA * sigma, least))


def _counted(chosen: NDArray[np.bool_], quantities: Quantities, *, check: str, what: str, mend: str) -> list[Finding]:
    """Make a finding of the chosen pulses, a note if they are few."""
    n_chosen = int(chosen.sum())
    if n_chosen == 0:
        return []
    n_neutron = int((chosen & quantities.is_neutron).sum())
    share = n_chosen / len(quantities)
    positions = ", ".join(map(str, quantities.pulse[np.flatnonzero(chosen)[:5]]))
    return [
        Finding(
            check=check,
            severity=Severity.WARNING if share > _WARN_SHARE else Severity.NOTE,
            what=what,
            how_many=f"{n_chosen} of {len(quantities)} pulses ({share:.2%}): "
            f"{n_chosen - n_neutron} gammas and {n_neutron} neutrons",
            where=f"for example pulses {positions}",
            mend=mend,
            numbers={"n_gamma": n_chosen - n_neutron, "n_neutron": n_neutron, "n_looked_at": len(quantities)},
        )
    ]


def _check_channels(pulses: Pulses, quantities: Quantities) -> list[Finding]:
    findings = []
    dead, constant, drifting = [], [], []
    for name, rows in _by_channel(pulses):
        flat = quantities.constant[rows]
        if flat.all():
            constant.append(f"{name} ({len(rows)} pulses)")
        elif _is_dead(quantities, rows):
            dead.append(f"{name} ({len(rows)} pulses)")
        drift = _drift(quantities, rows)
        if drift is not None:
            drifting.append(f"{name}: {drift:.1f} ADC counts")
    n_constant = int(quantities.constant.sum())
    if n_constant:
        findings.append(_constant(constant, n_constant, quantities))
    if dead:
        findings.append(_of_channels("dead-channel", "channels show no pulses above their noise", dead,
                                     "check cable, high voltage and threshold; leave these channels out"))  # fmt: skip
    if drifting:
        findings.append(_of_channels("baseline-drift", "the baseline drifts along the file", drifting,
                                     "let the electronics warm up; the baseline of each pulse is subtracted in "
                                     "training, but what else drifted with it (gain, temperature) is not"))  # fmt: skip
    return findings


def _constant(channels: list[str], n_constant: int, quantities: Quantities) -> Finding:
    first = ", ".join(map(str, quantities.pulse[np.flatnonzero(quantities.constant)[:5]]))
    return Finding(
        check="constant",
        severity=Severity.WARNING,
        what="all samples of a record are equal: there is no pulse",
        how_many=f"{n_constant} of {len(quantities)} pulses",
        where=f"channels without any pulse: {', '.join(channels)}" if channels else f"for example pulses {first}",
        mend="check the channel and the channel mask; training leaves these records out",
        numbers={"n_constant": n_constant, "n_looked_at": len(quantities), "constant_channels": channels},
    )


def _of_channels(check: str, what: str, channels: list[str], mend: str) -> Finding:
    return Finding(
        check=check,
        severity=Severity.WARNING,
        what=what,
        how_many=f"{len(channels)} channels",
        where="; ".join(channels),
        mend=mend,
        numbers={"channels": channels},
    )


def _is_dead(quantities: Quantities, rows: NDArray[np.int64]) -> bool:
    noise_adc = float(np.median(quantities.noise_adc[rows]))
    return bool(np.median(quantities.peak_adc[rows]) < _DEAD_BELOW_NOISE * noise_adc)


def _drift(quantities: Quantities, rows: NDArray[np.int64]) -> float | None:
    """Return how far the baseline moves over the file in ADC counts, None if no further than it fluctuates."""
    if len(rows) < _LEAST_PULSES * _DRIFT_PARTS:
        return None
    parts = np.array_split(quantities.baseline_adc[rows], _DRIFT_PARTS)
    means = np.array([np.median(part) for part in parts])
    within = float(np.median([_SIGMA_OF_MAD * np.median(np.abs(part - np.median(part))) for part in parts]))
    # The median of n normal values fluctuates by 1.25 sigma / sqrt(n).
    error = 1.2533 * within / np.sqrt(len(parts[0]))
    span = float(means.max() - means.min())
    return span if span > max(_DRIFT_ERRORS * error, within, 1.0) else None


def _by_channel(pulses: Pulses) -> list[tuple[str, NDArray[np.int64]]]:
    known = {name: getattr(pulses, name) for name in ("board", "channel") if getattr(pulses, name) is not None}
    if not known:
        return [("all pulses", np.arange(len(pulses)))]
    places, number = np.unique(np.stack(list(known.values())), axis=1, return_inverse=True)
    return [
        (_place_name(known, place), np.flatnonzero(number.ravel() == position))
        for position, place in enumerate(places.T)
    ]


def _place_name(columns: Iterable[str], place: NDArray[np.int32]) -> str:
    return " ".join(f"{name} {part}" for name, part in zip(columns, place, strict=True))
