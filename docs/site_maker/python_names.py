"""Reference of the Python interface, made of the docstrings."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import discrimen
from site_maker import rst

ROOMS = {
    "keywords": (
        "Options by keyword",
        [
            "discrimen.api.options",
            "discrimen.labelling.band",
            "discrimen.freezing.calibrate",
            "discrimen.adaptation.recalibrate",
            "discrimen.reconstruction.denoise",
            "discrimen.reconstruction.encoding",
            "discrimen.reconstruction.generation_options",
            "discrimen.reconstruction.separate",
            "discrimen.runs.overlay",
        ],
    ),
    "pulses": ("Pulses and settings", ["discrimen.pulses", "discrimen.pulses.detector", "discrimen.pulses.array"]),
    "formats": ("Formats and readers", ["discrimen.formats.base", "discrimen.formats.table"]),
    "datasets": ("Data sets", ["discrimen.runs.dataset", "discrimen.runs.hits_dataset", "discrimen.runs.hits_file"]),
    "simulation": ("Simulation", ["discrimen.simulation.config", "discrimen.simulation.simulate"]),
    "labelling": ("Labels", ["discrimen.labelling.band_run", "discrimen.labelling.contamination", "discrimen.audit"]),
    "pulse-shape": ("Classic methods", ["discrimen.pulse_shape", "discrimen.pulse_shape.base"]),
    "metrics": ("Metrics", ["discrimen.metrics"]),
    "training": (
        "Training",
        ["discrimen.training.config", "discrimen.training.tasks.base", "discrimen.models.options"],
    ),
    "network": (
        "The frozen file",
        [
            "discrimen.network.frozen_file",
            "discrimen.network.preparation",
            "discrimen.network.outputs",
            "discrimen.network.thresholds",
        ],
    ),
    "inference": ("Predictors", ["discrimen.inference.base", "discrimen.inference.load"]),
    "evaluation": (
        "Reports",
        ["discrimen.evaluation", "discrimen.evaluation.waveforms.evaluate", "discrimen.comparison"],
    ),
    "grid-search": (
        "Grid search and bounds of positions",
        ["discrimen.grid_search.search", "discrimen.grid_search.pair", "discrimen.grid_search.bound"],
    ),
    "plots": ("Plots", ["discrimen.plots"]),
    "testing": ("Tests of plug-ins", ["discrimen.testing"]),
    "errors": ("Errors", ["discrimen.errors"]),
}
"""Beyond the names of ``discrimen`` itself: what reports, plug-ins and closer work need."""

_MEMBERS = ":members:\n:exclude-members: model_config\n"


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    made = {name: rst.title(heading) + "\n" + _modules(modules) for name, (heading, modules) in ROOMS.items()}
    functions, classes = _named(inspect.isroutine), _named(inspect.isclass)
    made["discrimen"] = rst.title("discrimen") + "\n" + _summary(functions) + _summary(classes)
    made["discrimen"] += ".. currentmodule:: discrimen\n\n"
    made["discrimen"] += "".join(rst.directive("autofunction", name) for name in functions)
    made["discrimen"] += "".join(
        rst.directive("autoclass", name, options=_MEMBERS) for name in classes if not _has_page(name)
    )
    contents = rst.toctree(["discrimen", *ROOMS], ":maxdepth: 1")
    made["index"] = rst.title("Python") + "\n" + rst.paragraphs(discrimen.api.__doc__ or "") + "\n\n" + contents
    return made


def _named(is_kind: Any) -> list[str]:
    return [name for name in discrimen.__all__ if is_kind(getattr(discrimen, name))]


def _has_page(name: str) -> bool:
    """Say whether a class is described where it lives."""
    home = getattr(discrimen, name).__module__
    return any(home.startswith(module) for _, modules in ROOMS.values() for module in modules)


def _summary(names: list[str]) -> str:
    rows = []
    for name in names:
        said = (inspect.getdoc(getattr(discrimen, name)) or "").split("\n\n")[0]
        home = getattr(discrimen, name).__module__ if inspect.isclass(getattr(discrimen, name)) else "discrimen"
        rows.append(f"   * - :py:obj:`~{home}.{name}`\n     - {' '.join(said.split())}")
    return ".. list-table::\n   :widths: 30 70\n\n" + "\n".join(rows) + "\n\n"


def _modules(modules: list[str]) -> str:
    text = ""
    for name in modules:
        importlib.import_module(name)
        heading = rst.title(name, "-") if len(modules) > 1 else ""
        text += heading + "\n" + rst.directive("automodule", name, options=_MEMBERS + _imported(name))
    return text


def _imported(name: str) -> str:
    options = ":imported-members:\n" if hasattr(importlib.import_module(name), "__all__") else ""
    return options + (":show-inheritance:\n" if name == "discrimen.errors" else "")
