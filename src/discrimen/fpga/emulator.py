"""The network as adders and shifts, by alkaid, and its comparison with Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.fpga.chip_model import input_kif
from discrimen.fpga.float_network import logits_of, network_input
from discrimen.fpga.front_end import FrontEnd

HARD_DELAY_CONSTRAINT = 2
"""alkaid may take so many more adders in a row than the fewest, to share more of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many windows of one kind give other logits.

    Parameters
    ----------
    stimulus : str
        What the windows are.
    n_windows, n_mismatches : int
        Windows, and those of which a logit differs in any bit.
    """

    stimulus: str
    n_windows: int
    n_mismatches: int


def combinational(model: Any, front_end: FrontEnd) -> Any:
    """Return a network of HGQ2 as alkaid's combinational logic.

    Raises
    ------
    MissingExtraError
        If alkaid is not installed.
    """
    converter = require_module("alkaid.converter", extra="fpga")
    tracing = require_module("alkaid.trace", extra="fpga")
    given, taken = converter.trace_model(
        model,
        tracing.HWConfig(1, 1, -1),
        {"hard_dc": HARD_DELAY_CONSTRAINT},
        inputs_kif=input_kif(front_end),
    )
    return tracing.trace(given, taken)


def compare_with_keras(logic: Any, model: Any, stimuli: Mapping[str, NDArray[Any]]) -> tuple[Agreement, ...]:
    """Count the windows for which alkaid's emulator and Keras differ in any bit of a logit.

    Parameters
    ----------
    logic : alkaid.types.CombLogic
        Of :func:`combinational`.
    model : keras.Model
        The network it was made of.
    stimuli : mapping of str to ndarray of int, shape (window, sample)
        Windows by name.
    """
    found = []
    for name, values in stimuli.items():
        by_keras = logits_of(model, values).astype(np.float64)
        emulated = logic.predict(network_input(values).astype(np.float64), n_threads=1).reshape(by_keras.shape)
        differ = (by_keras != emulated).any(axis=1)
        found.append(Agreement(stimulus=name, n_windows=len(values), n_mismatches=int(differ.sum())))
    return tuple(found)
