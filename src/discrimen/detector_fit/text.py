"""A fitted detector as text for people."""

from __future__ import annotations

from textwrap import wrap

from discrimen.detector_fit.result import DetectorFit, Quantity
from discrimen.output.numbers import with_error

_NAME, _VALUE, _WIDTH = 16, 26, 80
"""Columns of a quantity's name and value, and of the screen."""


def lines_of(fit: DetectorFit) -> list[str]:
    """Return what was fitted, how well, what is doubtful and what could not be fitted; tables of 80 columns."""
    return [
        f"{fit.n_clean} clean pulses of {fit.n_pulses}; taken for {fit.file.simulation.scintillator}",
        "chi-square of the mean pulse, its shape and rms residual:",
        *(
            f"  {each.name:<{_NAME}}{f'{each.chi2:.4g} of {each.n_degrees}':<{_VALUE}}"
            f"{each.shape}, {100 * each.rms_residual:.2f} %"
            for each in fit.candidates
        ),
        *(line for quantity in fit.quantities for line in quantity_lines(quantity)),
        *(f"warning: {line}" for line in fit.warnings),
        *(f"not fitted: {line}" for line in fit.not_fitted),
    ]


def quantity_lines(quantity: Quantity) -> list[str]:
    """Return a quantity with two digits of its error, and how it was found in as many lines as that takes."""
    value = f"{quantity.value:.5g}"
    if quantity.error is not None and quantity.error > 0:
        value = with_error(quantity.value, quantity.error)
    how, *more = wrap(quantity.how, _WIDTH - _NAME - _VALUE - 2) or [""]
    indent = " " * (_NAME + _VALUE + 2)
    return [
        f"  {quantity.name:<{_NAME}}{f'{value} {quantity.unit}'.rstrip():<{_VALUE}}{how}",
        *(indent + x for x in more),
    ]
