"""The path from a run file to scores in a few typed functions; the command line does the same.

``simulate`` -> ``read`` or ``label_by_band`` -> ``audit_dataset`` -> ``train`` -> ``evaluate`` -> ``freeze`` ->
``classify``, ``adapt`` for another detector, ``denoise``, ``encode`` and ``decode`` for storage, ``learn_quality`` ->
``quality`` to watch signals, ``overlay`` and ``separate`` for piled-up pulses, and ``generate`` for more pulses. Each
composes the stages of the package, which can be used one by one for more control. A stage is imported where it is
called: a core install reads, classifies, denoises, separates and generates, and for the rest
:class:`~discrimen.errors.MissingExtraError` names the extra.
"""

from discrimen.api.frozen import adapt, classify, freeze
from discrimen.api.model import evaluate, evaluate_waveforms, load, train
from discrimen.api.quality import learn_quality, quality
from discrimen.api.reconstruction import decode, denoise, encode, generate, separate
from discrimen.api.runs import LabelBy, audit_dataset, label_by_band, overlay, read, simulate

__all__ = [
    "LabelBy",
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
