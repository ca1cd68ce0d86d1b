"""A project of hls4ml for those who own a vendor's tools, and its C simulation against Keras."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.fpga.chip_model import ChipModel
from discrimen.fpga.float_network import logits_of, network_input
from discrimen.fpga.verification import Comparison

HLS = "Keras = hls4ml (C simulation, g++)"
STRATEGY = "Latency"
"""Fully unrolled; that of distributed arithmetic wants da4ml, the library that alkaid took the place of."""

PROJECT, BACKEND = "discrimen_network", "Vitis"


def compare_hls(chip: ChipModel, stimuli: Mapping[str, NDArray[Any]], folder: Path) -> tuple[Comparison, ...]:
    """Write a project of hls4ml, build its C simulation and compare it with Keras bit for bit.

    Parameters
    ----------
    chip : ChipModel
        The network.
    stimuli : mapping of str to ndarray of int, shape (window, sample)
        Windows by name.
    folder : Path
        Of the project.

    Raises
    ------
    MissingExtraError
        If hls4ml is not installed.
    """
    converters = require_module("hls4ml.converters", extra="fpga")
    sign, integer, fraction = chip.input_kif
    width, whole = sign + integer + fraction, sign + integer
    # What hls4ml prints on the way is no result.
    with redirect_stdout(sys.stderr):
        project = converters.convert_from_keras_model(
            chip.model,
            hls_config={"Model": {"Precision": f"ap_fixed<{width},{whole}>", "ReuseFactor": 1, "Strategy": STRATEGY}},
            output_dir=str(folder),
            project_name=PROJECT,
            backend=BACKEND,
            io_type="io_parallel",
        )
        project.compile()
    found = []
    for name, values in stimuli.items():
        by_keras = logits_of(chip.model, values).astype(np.float64)
        by_hls = np.asarray(project.predict(np.ascontiguousarray(network_input(values), np.float32)), np.float64)
        differ = (by_keras != by_hls.reshape(by_keras.shape)).any(axis=1)
        found.append(Comparison(step=HLS, stimulus=name, n_windows=len(values), n_mismatches=int(differ.sum())))
    return tuple(found)
