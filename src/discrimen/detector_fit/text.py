"""A fitted detector as text for people."""

from __future__ import annotations

from discrimen.detector_fit.result import DetectorFit, Quantity


def lines_of(fit: DetectorFit) -> list[str]:
    """Return what was fitted, how well, what is doubtful and what could not be fitted; one line each."""
    tried = ", ".join(
        f"{each.name} {each.chi2:.4g} of {each.n_degrees} ({each.shape}, rms {100 * each.rms_residual:.2f} %)"
        for each in fit.candidates
    )
    return [
        f"{fit.n_clean} clean pulses of {fit.n_pulses}; taken for {fit.file.simulation.scintillator}",
        f"chi-square of the mean pulse: {tried}",
        *map(_line, fit.quantities),
        *(f"warning: {line}" for line in fit.warnings),
        *(f"not fitted: {line}" for line in fit.not_fitted),
    ]


def _line(quantity: Quantity) -> str:
    error = "" if quantity.error is None else f" ± {quantity.error:.2g}"
    value = f"{quantity.value:.5g}{error} {quantity.unit}".rstrip()
    return f"  {quantity.name:<16}{value:<28}{quantity.how}"
