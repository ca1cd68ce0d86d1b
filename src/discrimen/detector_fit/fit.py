"""Fit a detector that the simulator can run to an unlabelled run of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.account import quantities, unfitted, warnings
from discrimen.detector_fit.alike import correct_trigger, fit_pile_up, with_simulation
from discrimen.detector_fit.as_file import detector_file, gain_of, light_of
from discrimen.detector_fit.front_end import ShapeFit, Target, best_shape, fit_shape, late_crossings
from discrimen.detector_fit.mean_pulse import mean_pulse
from discrimen.detector_fit.measure import Measured, measure
from discrimen.detector_fit.records import Records
from discrimen.detector_fit.result import Candidate, DetectorFit
from discrimen.errors import DataError, SettingsError
from discrimen.simulation.scintillator import DETECTORS

MOST_MISFIT, MOST_MISFIT_OF_NAMED = 0.01, 0.06
"""Rms residual, of the peak, that the errors of a mean pulse do not explain: more is not a known scintillator.

Measured mean pulses of BC501A are met within 0.006. A scintillator that the user vouches for may be further off, with a
warning.
"""

_FEWEST_FOR_TAILS = 25
_MOST_BLOCKS = 8


def fit_detector(
    records: Records,
    *,
    scintillator: str | None = None,
    gain_adc_per_kevee: float | None = None,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> DetectorFit:
    """Fit pre-trigger, front end, noise, tails, pile-up and heights of one channel.

    Parameters
    ----------
    records : Records
        Of the channel; nobody need know which pulse is what.
    scintillator : str, optional
        A name in :data:`~discrimen.simulation.scintillator.DETECTORS`; by default the one that fits best.
    gain_adc_per_kevee : float, optional
        Peak height of 1 keVee. By default from the calibration in the settings, else relative.
    seed : int
        Of the simulated pulses that are measured alike.
    on_progress : callable
        Called with the number of steps done, of :data:`N_STEPS`.

    Raises
    ------
    DataError
        If the records do not let themselves be measured, or no known scintillator fits.
    SettingsError
        If there is no such scintillator, or the sampling period is unknown.
    """
    if scintillator is not None and scintillator not in DETECTORS:
        raise SettingsError(f"unknown scintillator {scintillator!r}; choose one of: {', '.join(DETECTORS)}")
    measured = measure(records)
    on_progress(1)
    gain, _ = gain_of(measured, records, gain_adc_per_kevee)
    target = _target(measured, gain_adc_per_kevee=gain)
    fits = _candidates(target, scintillator, on_progress)
    best = fits[0]
    _refuse_misfit(best, fits, records, named=scintillator is not None)
    draft = detector_file(measured, best, records, gain_adc_per_kevee=gain_adc_per_kevee)
    phases = late_crossings(best, period_ns=measured.sample_period_ns)
    aligned, simulated = correct_trigger(draft, measured, phases=phases, seed=seed)
    pile_up = fit_pile_up(aligned, measured, seed=seed) if measured.looks_for_seconds else None
    on_progress(1)
    errors = _errors(measured, best, gain_adc_per_kevee=gain)
    on_progress(1)
    candidates = tuple(map(_candidate, fits))
    not_fitted = unfitted(measured, records, file=aligned, pile_up=pile_up, named=scintillator is not None)
    file = with_simulation(
        aligned,
        pileup_fraction=0.0 if pile_up is None else round(pile_up.share, 5),
        fitted={
            "from": list(records.sources),
            "n_clean": int(measured.traces.clean.sum()),
            "chi2": round(best.chi2, 1),
            "n_degrees": best.n_degrees,
            "rms_residual": round(best.rms_residual, 5),
            "not_fitted": list(not_fitted),
        },
    )
    return DetectorFit(
        file=file,
        sources=records.sources,
        n_pulses=len(records.samples),
        n_clean=int(measured.traces.clean.sum()),
        quantities=quantities(measured, best, file=file, errors=errors, pile_up=pile_up),
        candidates=candidates,
        warnings=(*records.notes, *warnings(measured, records, candidates, most_misfit=MOST_MISFIT)),
        not_fitted=not_fitted,
        target=target,
        shape=best,
        noise=measured.noise,
        heights_adc=measured.heights_adc,
        simulated_heights_adc=simulated,
    )


N_STEPS = 3 + len(set(map(id, DETECTORS.values())))
"""Steps of a fit, for a progress bar."""


def _target(measured: Measured, *, gain_adc_per_kevee: float, chosen: NDArray[np.bool_] | None = None) -> Target:
    traces, bands, period = measured.traces, measured.bands, measured.sample_period_ns
    some = np.ones(len(traces.clean), dtype=bool) if chosen is None else chosen
    if min(bands.gamma.sum(), bands.neutron.sum()) >= _FEWEST_FOR_TAILS:
        groups: Sequence[NDArray[np.bool_]] = (bands.gamma, bands.neutron)
    else:
        groups = (traces.clean,)
    pulses = tuple(mean_pulse(traces, group & some, period_ns=period) for group in groups)
    heights = traces.height_adc[groups[-1] & some]
    return Target(pulses=pulses, light_kevee=light_of(heights, gain_adc_per_kevee))


def _candidates(target: Target, scintillator: str | None, on_progress: Callable[[int], None]) -> list[ShapeFit]:
    """Fit the wished scintillator, or all; the best first."""
    wanted = (
        [DETECTORS[scintillator]] if scintillator else list({id(each): each for each in DETECTORS.values()}.values())
    )
    fits = []
    for each in wanted:
        fits.append(best_shape(target, each))
        on_progress(1)
    return sorted(fits, key=lambda fit: fit.chi2)


def _candidate(fit: ShapeFit) -> Candidate:
    return Candidate(
        name=fit.scintillator.name,
        shape=fit.shape,
        chi2=fit.chi2,
        n_degrees=fit.n_degrees,
        rms_residual=fit.rms_residual,
        misfit=fit.misfit,
    )


def _refuse_misfit(best: ShapeFit, fits: Sequence[ShapeFit], records: Records, *, named: bool) -> None:
    """Refuse what does not fit; of a scintillator that the user vouches for, only what is far off."""
    most = MOST_MISFIT_OF_NAMED if named else MOST_MISFIT
    if not best.at_limits and best.misfit <= most:
        return
    listed = ", ".join(f"{fit.scintillator.name} {_how_well(fit)}" for fit in fits)
    mend = "" if named else ". If you know better, name the scintillator: --detector NAME"
    raise DataError(
        f"{', '.join(records.sources)}: no scintillator of those tried fits the mean pulse: {listed}; a misfit of "
        f"{100 * most:g} % of the peak beyond the errors is the most. Nothing is written; simulate knows "
        f"{', '.join(DETECTORS)}, behind one or two poles and a damped ringing{mend}"
    )


def _how_well(fit: ShapeFit) -> str:
    limits = f", {' and '.join(fit.at_limits)} beyond what is allowed" if fit.at_limits else ""
    return f"{100 * fit.misfit:.1f} % (chi2 {fit.chi2:.3g} of {fit.n_degrees}{limits})"


def _errors(measured: Measured, best: ShapeFit, *, gain_adc_per_kevee: float) -> dict[str, float]:
    """Return standard errors of the shape's parameters by a jackknife over blocks of pulses."""
    clean = np.flatnonzero(measured.traces.clean)
    n_blocks = min(_MOST_BLOCKS, len(clean))
    tries = []
    for number in range(n_blocks):
        chosen = np.ones(len(measured.traces.clean), dtype=bool)
        chosen[clean[number::n_blocks]] = False
        part = _target(measured, gain_adc_per_kevee=gain_adc_per_kevee, chosen=chosen)
        tries.append(fit_shape(part, best.scintillator, best.shape, start=best.values).values)
    table = {name: np.array([each[name] for each in tries]) for name in best.values}
    factor = (n_blocks - 1) / n_blocks
    return {name: float(np.sqrt(factor * ((column - column.mean()) ** 2).sum())) for name, column in table.items()}
