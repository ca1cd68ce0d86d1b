"""Neutron/gamma pulse shape discrimination with neural networks, from the digitizer's file to scores.

>>> import discrimen
>>> pulses = discrimen.read("run.BIN")

The functions are described in :mod:`discrimen.api`; nothing heavy is imported before the first of them is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discrimen.api import (
        adapt,
        audit_dataset,
        classify,
        decode,
        denoise,
        encode,
        evaluate,
        evaluate_waveforms,
        freeze,
        generate,
        label_by_band,
        learn_quality,
        load,
        overlay,
        quality,
        read,
        separate,
        simulate,
        train,
    )
    from discrimen.inference.load import Model
    from discrimen.pulses import Label, Pulses
    from discrimen.runs.dataset import Dataset

__all__ = [
    "Dataset",
    "Label",
    "Model",
    "Pulses",
    "adapt",
    "audit_dataset",
    "classify",
    "decode",
    "denoise",
    "encode",
    "evaluate",
    "evaluate_waveforms",
    "freeze",
    "generate",
    "label_by_band",
    "learn_quality",
    "load",
    "overlay",
    "quality",
    "read",
    "separate",
    "simulate",
    "train",
]

_HOMES = {
    "Dataset": "discrimen.runs.dataset",
    "Label": "discrimen.pulses",
    "Model": "discrimen.inference.load",
    "Pulses": "discrimen.pulses",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'discrimen' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "discrimen.api")), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
