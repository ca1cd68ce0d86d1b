"""For those who write plug-ins: Hypothesis strategies for pulses and models, and what readers and predictors promise.

Nothing of this package needs it at work; it asks for the extra ``testing``.
"""

from discrimen.formats.contract import broken_promises as broken_promises_of_reader
from discrimen.testing.predictor import broken_promises_of_predictor
from discrimen.testing.strategies import frozen_models, preparations, pulses, write_model

__all__ = [
    "broken_promises_of_predictor",
    "broken_promises_of_reader",
    "frozen_models",
    "preparations",
    "pulses",
    "write_model",
]
