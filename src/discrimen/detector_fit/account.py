"""The account of a fit: every number with its error, what is doubtful, and what the run cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discrimen.detector_fit.alike import PileUpFit
from discrimen.detector_fit.as_file import RELATIVE_MEDIAN_KEVEE
from discrimen.detector_fit.front_end import ShapeFit
from discrimen.detector_fit.measure import Measured, steps_of_files
from discrimen.detector_fit.records import Records
from discrimen.detector_fit.result import Candidate, Quantity
from discrimen.simulation.detector_file import DetectorFile

_FEW_PULSES = 50


def quantities(
    measured: Measured,
    shape: ShapeFit,
    *,
    file: DetectorFile,
    errors: Mapping[str, float],
    pile_up: PileUpFit | None,
) -> tuple[Quantity, ...]:
    """Return every number that was fitted."""
    return (
        *_place(measured, file),
        *_shape(shape, errors),
        *_electronics(measured, file),
        *([] if pile_up is None else [_pile_up(pile_up)]),
    )


def _place(measured: Measured, file: DetectorFile) -> list[Quantity]:
    trigger, section, period = measured.trigger, file.simulation, measured.sample_period_ns
    error = trigger.spread * period / np.sqrt(trigger.n_pulses)
    level = "30 % of the height" if trigger.threshold_adc is None else f"{trigger.threshold_adc:.3g} ADC counts"
    found = [
        Quantity(
            name="pretrigger",
            value=file.settings.pretrigger_ns or 0.0,
            error=float(error),
            unit="ns",
            how=f"where the edges cross {level}, against simulated ones",
        ),
        Quantity(
            name="trigger_jitter",
            value=section.trigger_jitter_ns,
            error=_root_error(section.trigger_jitter_ns, (trigger.spread * period) ** 2, trigger.n_pulses),
            unit="ns",
            how="their spread, beyond that of simulated ones",
        ),
    ]
    if trigger.threshold_adc is not None:
        how = "the height at which the edges cross with the least spread: a leading edge"
        found.append(Quantity(name="threshold", value=section.threshold_adc, error=None, unit="ADC", how=how))
    return found


def _root_error(value: float, variance: float, n_pulses: int) -> float:
    """Return the error of the root of a difference of variances, of which this is the larger one."""
    of_square = variance * np.sqrt(2 / max(n_pulses - 1, 1))
    return float(min(of_square / (2 * value), np.sqrt(of_square))) if value > 0 else float(np.sqrt(of_square))


def _shape(shape: ShapeFit, errors: Mapping[str, float]) -> list[Quantity]:
    how = f"mean pulse, {shape.shape}; jackknife over the pulses"
    return [
        Quantity(
            name=name.removesuffix("_ns"),
            value=value,
            error=errors.get(name),
            unit="ns" if name.endswith("_ns") else "",
            how=_SHAPE_HOW.get(name, how),
        )
        for name, value in shape.values.items()
        if not name.startswith("shift_ns")
    ]


_SHAPE_HOW = {
    "ratio": "second time constant over the first",
    "cosine": "of the ringing, times its period",
    "sine": "of the ringing, times its period",
    "neutron_share": "share of the mean pulse that has the shape of neutrons; not a count of them",
    "gamma_tail": "delayed light of the lower band, relative to the known scintillator",
    "neutron_tail": "delayed light of the upper band, relative to the known scintillator",
}


def _electronics(measured: Measured, file: DetectorFile) -> list[Quantity]:
    noise, section = measured.noise, file.simulation
    colour = "coloured, its spectrum is in the file" if noise.is_coloured else "white within its errors"
    spread = max(noise.baseline_spread_adc, noise.sigma_adc / np.sqrt(measured.traces.baseline_stop))
    return [
        Quantity(
            name="noise",
            value=noise.sigma_adc,
            error=noise.error_adc,
            unit="ADC",
            how=f"{measured.traces.baseline_stop} samples before {noise.n_pulses} pulses; {colour}",
        ),
        Quantity(
            name="baseline",
            value=noise.baseline_adc,
            error=float(spread / np.sqrt(noise.n_pulses)),
            unit="ADC",
            how="mean before the pulses",
        ),
        Quantity(
            name="baseline_spread",
            value=noise.baseline_spread_adc,
            error=float(spread / np.sqrt(2 * max(noise.n_pulses - 1, 1))),
            unit="ADC",
            how="from pulse to pulse, beyond the noise",
        ),
        Quantity(name="adc_bits", value=measured.adc_bits, error=None, unit="", how="told, or the least that hold"),
        Quantity(name="adc_step", value=measured.adc_step, error=None, unit="ADC", how="what all codes have in common"),
        Quantity(
            name="gain",
            value=section.gain_adc_per_kevee,
            error=None,
            unit="ADC/keVee",
            how=f"relative: median height taken for {RELATIVE_MEDIAN_KEVEE:g} keVee"
            if section.gain_is_relative
            else "told, or from the calibration",
        ),
    ]


def _pile_up(pile_up: PileUpFit) -> Quantity:
    return Quantity(
        name="pileup_fraction",
        value=pile_up.share,
        error=pile_up.error,
        unit="",
        how=f"second rises; of simulated ones {pile_up.seen_of_real:.0%} are seen, of single pulses "
        f"{pile_up.seen_of_none:.1%} are taken for two",
    )


def unfitted(
    measured: Measured, records: Records, *, file: DetectorFile, pile_up: PileUpFit | None, named: bool
) -> tuple[str, ...]:
    """Return what the run cannot tell."""
    found = []
    if file.simulation.gain_is_relative:
        found.append(
            f"gain: no calibration is known, so the median height is taken for {RELATIVE_MEDIAN_KEVEE:g} keVee; number "
            "of photoelectrons and energy dependence of neutron tails follow from that (--gain-adc-per-kevee, or a "
            "calibration in --settings)"
        )
    if not measured.bands.part:
        found.append(f"tails of both classes: {measured.bands.why_not}; those of the known scintillator are kept")
    if not measured.looks_for_seconds:
        found.append(f"pile-up: {measured.n_single} clean pulses are too few; none is simulated")
    elif pile_up is None:
        found.append("pile-up: too few second pulses would be seen in records as short as these; none is simulated")
    if measured.noise.is_hidden:
        found.append(f"noise: hidden by ADC steps of {measured.adc_step}; what is left is simulated")
    if records.settings.adc_bits is None:
        found.append(
            f"range of the ADC: taken for {measured.adc_bits} bits, the least usual number that holds the highest code"
        )
    if named:
        found.append("scintillator: as told")
    found.append("photoelectrons per keVee: those of the known scintillator; share of neutrons: simulate takes a half")
    return tuple(found)


def warnings(
    measured: Measured, records: Records, candidates: Sequence[Candidate], *, most_misfit: float
) -> tuple[str, ...]:
    """Return what is doubtful."""
    found, traces = [], measured.traces
    n_clean = int(traces.clean.sum())
    if n_clean < _FEW_PULSES:
        found.append(f"only {n_clean} clean pulses: the fit follows their chances")
    if traces.clipped.any():
        found.append(
            f"{int(traces.clipped.sum())} of {len(traces.clipped)} pulses touch a rail and are left out: simulated "
            "heights end at the highest pulse that does not"
        )
    steps = steps_of_files(records.samples, records.file)
    if len(set(steps)) > 1:
        found.append(
            f"ADC steps differ from file to file ({', '.join(map(str, steps))}): {measured.adc_step} is simulated"
        )
    best = candidates[0]
    if best.misfit > most_misfit:
        found.append(f"{best.name} fits badly: misfit of {100 * best.misfit:.1f} % of the peak; look at the picture")
    width = np.sqrt(2 * best.n_degrees) * max(1.0, best.chi2 / best.n_degrees)
    alike = [each.name for each in candidates[1:] if each.chi2 - best.chi2 < width]
    if alike:
        found.append(
            f"{', '.join(alike)} fit{'s' if len(alike) == 1 else ''} as well as {best.name}: give --detector NAME"
        )
    return tuple(found)
