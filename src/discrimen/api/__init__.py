"""The path from a run file to scores in a few typed functions; the command line does the same.

``simulate`` -> ``inspect``, ``calibrate``, ``find_gates`` -> ``read``, ``label_by_band``, ``label_by_source`` or
``label_by_flight`` -> ``audit_dataset`` -> ``train`` -> ``evaluate`` -> ``freeze`` -> ``classify``, ``adapt`` for
another detector, ``denoise``, ``encode`` and ``decode`` for storage, ``learn_quality`` -> ``quality`` to watch
signals, ``overlay`` and ``separate`` for piled-up pulses, and ``generate`` for more pulses. ``compare``,
``measure_robustness``, ``search_networks``, ``drift`` and ``bench`` judge networks; ``charges``, ``psd``, ``light``
and ``prepare`` give what an analysis needs of pulses, and :class:`PulseClassifier` has the methods of scikit-learn.
Each composes the stages of the package, which can be used one by one for more control. A stage is imported where it
is called: a core install reads, classifies, denoises, separates and generates, and for the rest
:class:`~discrimen.errors.MissingExtraError` names the extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discrimen.api.classifier import PulseClassifier
    from discrimen.api.frozen import adapt, classify, freeze
    from discrimen.api.judging import bench, compare, drift, locate, measure_robustness, read_hits, search_networks
    from discrimen.api.labelled import label_by_band, label_by_flight, label_by_source
    from discrimen.api.model import evaluate, evaluate_waveforms, load
    from discrimen.api.reconstruction import decode, denoise, encode, generate, separate
    from discrimen.api.runs import LabelBy, audit_dataset, overlay, read, simulate
    from discrimen.api.shapes import charges, light, preparation, prepare, psd
    from discrimen.api.signals import learn_quality, quality
    from discrimen.api.stages import calibrate, convert, find_gates, inspect
    from discrimen.api.trained import resume, train

__all__ = [
    "LabelBy",
    "PulseClassifier",
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
    "resume",
    "search_networks",
    "separate",
    "simulate",
    "train",
]

_HOMES = {
    "LabelBy": "runs",
    "PulseClassifier": "classifier",
    "adapt": "frozen",
    "audit_dataset": "runs",
    "bench": "judging",
    "calibrate": "stages",
    "charges": "shapes",
    "classify": "frozen",
    "compare": "judging",
    "convert": "stages",
    "decode": "reconstruction",
    "denoise": "reconstruction",
    "drift": "judging",
    "encode": "reconstruction",
    "evaluate": "model",
    "evaluate_waveforms": "model",
    "find_gates": "stages",
    "freeze": "frozen",
    "generate": "reconstruction",
    "inspect": "stages",
    "label_by_band": "labelled",
    "label_by_flight": "labelled",
    "label_by_source": "labelled",
    "learn_quality": "signals",
    "light": "shapes",
    "load": "model",
    "locate": "judging",
    "measure_robustness": "judging",
    "overlay": "runs",
    "preparation": "shapes",
    "prepare": "shapes",
    "psd": "shapes",
    "quality": "signals",
    "read": "runs",
    "read_hits": "judging",
    "resume": "trained",
    "search_networks": "judging",
    "separate": "reconstruction",
    "simulate": "runs",
    "train": "trained",
}
"""The module of each name: who loads a model does not wait for what reads run files."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'discrimen.api' has no attribute '{name}'")
    return getattr(import_module(f"discrimen.api.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
