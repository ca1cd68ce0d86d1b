"""Labels of a simulated run from its truth, joined by the position in the file."""

from __future__ import annotations

import numpy as np

from discrimen.errors import DataError
from discrimen.pulses import COLUMNS, Label, Pulses
from discrimen.simulation.truth import OPTIONAL_COLUMNS, TRUTH_COLUMNS, Truth

TIME_TOLERANCE_PS = 100_000
"""Formats that count clock ticks keep the time only to some ns."""


def label_by_truth(pulses: Pulses, truth: Truth) -> Pulses:
    """Add label, true light and photon-level likelihood ratio to the pulses of a simulated run.

    Time of flight and number of the run are added too where the simulator gave them: not every format holds them.

    Parameters
    ----------
    pulses : Pulses
        As read from the run file, with the column `entry`.
    truth : Truth
        Of the whole run.

    Raises
    ------
    DataError
        If a pulse is not in the truth, or has another channel or time there: the files do not belong together. If the
        truth knows no class at all: the run was generated without classes.
    """
    if len(truth.columns["label"]) and (truth.columns["label"] == Label.UNKNOWN).all():
        raise DataError("the truth of this run knows no classes: it was made without them, so it cannot label")
    entry, known = pulses.column("entry"), truth.columns["entry"]
    at = np.minimum(np.searchsorted(known, entry), max(0, len(known) - 1))
    strangers = int((known[at] != entry).sum()) if len(known) else len(entry)
    for name, tolerance in (("channel", 0), ("timestamp_ps", TIME_TOLERANCE_PS)):
        values = pulses.columns().get(name)
        if values is not None and not strangers:
            strangers = int((np.abs(truth.columns[name][at] - values) > tolerance).sum())
    if strangers:
        raise DataError(
            f"{strangers} of {len(pulses)} pulses are not in the truth (by entry, channel and time): "
            "run file and truth do not belong together"
        )
    known_columns = [*TRUTH_COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in truth.columns)]
    return pulses.replace(**{name: truth.columns[name][at].astype(COLUMNS[name]) for name in known_columns})
