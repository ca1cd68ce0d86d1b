"""What a network is trained for, one task a file, and the one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from discrimen.errors import SettingsError
from discrimen.training.tasks.base import Learning, Targets, Task
from discrimen.training.tasks.classification import Classification
from discrimen.training.tasks.compression import Compression
from discrimen.training.tasks.generation import Generation
from discrimen.training.tasks.interactions import Interactions
from discrimen.training.tasks.reconstruction import Reconstruction
from discrimen.training.tasks.regression import Quantity, Regression
from discrimen.training.tasks.separation import Separation

__all__ = [
    "TASKS",
    "Classification",
    "Compression",
    "Generation",
    "Interactions",
    "Learning",
    "Quantity",
    "Reconstruction",
    "Regression",
    "Separation",
    "Targets",
    "Task",
    "task_from_dict",
]

TASKS: Mapping[str, type[Task]] = MappingProxyType(
    {
        task.name: task
        for task in (Classification, Reconstruction, Compression, Regression, Interactions, Generation, Separation)
    }
)


def task_from_dict(values: Mapping[str, Any]) -> Task:
    """Build a task from what its ``as_dict`` returned.

    Raises
    ------
    SettingsError
        If it is no task, or a value does not fit.
    """
    given = dict(values)
    name = given.pop("name", None)
    try:
        if name == Classification.name:
            return Classification(tuple(given["classes"]))
        if name == Reconstruction.name:
            return Reconstruction(**given)
        if name == Compression.name:
            return Compression(**given)
        if name == Generation.name:
            return Generation(**given)
        if name == Regression.name:
            return Regression(tuple(Quantity(**quantity) for quantity in given["quantities"]))
        if name == Interactions.name:
            return Interactions(**given)
        if name == Separation.name:
            return Separation(**given)
    except (TypeError, KeyError) as error:
        raise SettingsError(f"this is no task of a training: {error}") from error
    raise SettingsError(f"task must be one of {', '.join(TASKS)}, got {name!r}")
