"""The path from a run file to scores in a few typed functions; the command line does the same.

``simulate`` -> ``inspect``, ``calibrate``, ``find_gates`` -> ``read``, ``label_by_band`` or ``label_by_flight`` ->
``audit_dataset`` -> ``train`` -> ``evaluate`` -> ``freeze`` -> ``classify``, ``adapt`` for another detector,
``denoise``, ``encode`` and ``decode`` for storage, ``learn_quality`` -> ``quality`` to watch signals, ``overlay`` and
``separate`` for piled-up pulses, and ``generate`` for more pulses. ``compare``, ``measure_robustness``,
``search_networks``, ``drift`` and ``bench`` judge networks; ``charges``, ``psd``, ``light`` and ``prepare`` give what
an analysis needs of pulses, and :class:`PulseClassifier` has the methods of scikit-learn. Each composes the stages of
the package, which can be used one by one for more control. A stage is imported where it is called: a core install
reads, classifies, denoises, separates and generates, and for the rest
:class:`~discrimen.errors.MissingExtraError` names the extra.
"""

from discrimen.api.classifier import PulseClassifier
from discrimen.api.frozen import adapt, classify, freeze
from discrimen.api.judging import bench, compare, drift, locate, measure_robustness, read_hits, search_networks
from discrimen.api.model import evaluate, evaluate_waveforms, load, train
from discrimen.api.quality import learn_quality, quality
from discrimen.api.reconstruction import decode, denoise, encode, generate, separate
from discrimen.api.runs import LabelBy, audit_dataset, label_by_band, overlay, read, simulate
from discrimen.api.shapes import charges, light, preparation, prepare, psd
from discrimen.api.stages import calibrate, convert, find_gates, inspect, label_by_flight

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
    "search_networks",
    "separate",
    "simulate",
    "train",
]
