"""Neutron/gamma pulse shape discrimination with neural networks, from the digitizer's file to scores.

>>> import discrimen
>>> pulses = discrimen.read("run.BIN")

The functions are described in :mod:`discrimen.api`; nothing heavy is imported before the first of them is used. The
rooms of the package are names too: ``discrimen.plots``, ``discrimen.testing``, ``discrimen.evaluation`` and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discrimen.api import (
        PulseClassifier,
        adapt,
        audit_dataset,
        bench,
        calibrate,
        charges,
        classify,
        compare,
        convert,
        decode,
        denoise,
        drift,
        encode,
        evaluate,
        evaluate_waveforms,
        find_gates,
        freeze,
        generate,
        inspect,
        label_by_band,
        label_by_flight,
        label_by_source,
        learn_quality,
        light,
        load,
        locate,
        measure_robustness,
        overlay,
        preparation,
        prepare,
        psd,
        quality,
        read,
        read_hits,
        resume,
        search_networks,
        separate,
        simulate,
        train,
    )
    from discrimen.formats.base import ReadOptions
    from discrimen.inference.load import Model
    from discrimen.pulses import Label, Pulses
    from discrimen.pulses.detector import DetectorSettings, GatesNs
    from discrimen.pulses.hits import Hits
    from discrimen.runs.dataset import Dataset
    from discrimen.scoring.scores import read_scores

__all__ = [
    "Dataset",
    "DetectorSettings",
    "GatesNs",
    "Hits",
    "Label",
    "Model",
    "PulseClassifier",
    "Pulses",
    "ReadOptions",
    "adapt",
    "audit_dataset",
    "bench",
    "calibrate",
    "charges",
    "classify",
    "compare",
    "convert",
    "decode",
    "denoise",
    "drift",
    "encode",
    "evaluate",
    "evaluate_waveforms",
    "find_gates",
    "freeze",
    "generate",
    "inspect",
    "label_by_band",
    "label_by_flight",
    "label_by_source",
    "learn_quality",
    "light",
    "load",
    "locate",
    "measure_robustness",
    "overlay",
    "preparation",
    "prepare",
    "psd",
    "quality",
    "read",
    "read_hits",
    "read_scores",
    "resume",
    "search_networks",
    "separate",
    "simulate",
    "train",
]

_HOMES = {
    "Dataset": "discrimen.runs.dataset",
    "DetectorSettings": "discrimen.pulses.detector",
    "GatesNs": "discrimen.pulses.detector",
    "Hits": "discrimen.pulses.hits",
    "Label": "discrimen.pulses",
    "Model": "discrimen.inference.load",
    "Pulses": "discrimen.pulses",
    "ReadOptions": "discrimen.formats.base",
    "read_scores": "discrimen.scoring.scores",
}

_ROOMS = (
    "adaptation",
    "adoption",
    "api",
    "audit",
    "benchmark",
    "calibration",
    "cluster",
    "comparison",
    "demo",
    "detector_fit",
    "errors",
    "evaluation",
    "formats",
    "fpga",
    "freezing",
    "grid_search",
    "inference",
    "labelling",
    "metrics",
    "models",
    "network",
    "online",
    "output",
    "plots",
    "public_data",
    "pulse_shape",
    "pulses",
    "reconstruction",
    "robustness",
    "runs",
    "scoring",
    "search",
    "simulation",
    "testing",
    "training",
    "workflow",
)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _ROOMS:
        return import_module(f"discrimen.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'discrimen' has no attribute '{name}'")
    return getattr(import_module(_HOMES.get(name, "discrimen.api")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
