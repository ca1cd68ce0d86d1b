"""The native engine as Python sees it: a table of contents of the compiled module.

:class:`~discrimen.inference.native.NativePredictor` is the way to use it; here are the parts it is made of.
"""

from discrimen.inference.engine._native import (
    EngineError,
    Model,
    Output,
    Threshold,
    Workspace,
    batch_ns,
    classify,
    copy_bytes_hz,
    decide,
    device_copy_bytes_hz,
    run,
    single_pulse_ns,
)

__all__ = [
    "EngineError",
    "Model",
    "Output",
    "Threshold",
    "Workspace",
    "batch_ns",
    "classify",
    "copy_bytes_hz",
    "decide",
    "device_copy_bytes_hz",
    "run",
    "single_pulse_ns",
]
