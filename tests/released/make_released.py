"""Keep the frozen files of a release: ``python -m tests.released.make_released``, once, just before the tag.

Writes ``tests/released/VERSION/`` with a small frozen file of every kind, and beside each what it must give: raw pulses
and the outputs of the reference in float64. Refuses if a layer, an activation or a kind of output is in none of them. A
folder that is there is never written again: it is what users have.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.released.kinds import KINDS, file_name, write_kind

from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.activations import ACTIVATIONS
from discrimen.network.domain import outside
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.network.layers import LAYERS
from discrimen.network.outputs import OUTPUT_KINDS
from discrimen.network.prepare import heights_of

FOLDER = Path(__file__).parent
N_PULSES = 8


def main(folder: Path) -> None:
    """Write all kinds into a new folder."""
    folder.mkdir(parents=True)
    for kind in KINDS:
        path = folder / f"{file_name(kind)}.discrimen"
        write_kind(kind, path)
        given = what_it_gives(read_frozen(path))
        np.savez_compressed(path.with_suffix(".npz"), **given)
    if lacking := what_none_holds(read_frozen(path) for path in folder.glob("*.discrimen")):
        sys.exit(f"no kept file holds {', '.join(sorted(lacking))}: add a network with it to tests/released/kinds.py")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {len(KINDS)} models, {size / 1e3:.0f} kB")


def what_it_gives(model: FrozenModel) -> dict[str, NDArray[Any]]:
    """Return pulses, which are the golden ones a little changed, with all that is computed of them."""
    golden, described = model.golden, model.description
    samples, given = _changed(golden.samples[:N_PULSES]), {}
    present = None if golden.present is None else golden.present[:N_PULSES]
    if present is not None:
        given["present"] = present
    if described.domain is not None:
        samples[0] = samples[0, :, ::-1]  # a pulse that nobody has seen
        given["outside"] = outside(samples, described.preparation, described.domain)
    if described.follows_height:
        given["height_adc"] = heights_of(samples, described.preparation)
    values = run_exactly(model, samples, present=present)
    given |= {f"output_{number}": value for number, value in enumerate(values)}
    return {"samples": samples, "meaning": meaning(model), **given}


def meaning(model: FrozenModel) -> NDArray[np.str_]:
    """Return what the outputs and thresholds of a model are, in words."""
    words = []
    for output in model.description.outputs:
        words.append(f"{output.name}: {output.kind} {output.shape} in {output.unit}, {', '.join(output.names)}")
        words += [f"{output.name}: threshold {name}" for name in output.thresholds]
    return np.array(words)


def what_none_holds(models: Iterable[FrozenModel]) -> set[str]:
    """Return the layers, activations and kinds of output that a frozen file knows and none of these models has."""
    known = {layer.__name__ for layer in LAYERS.values()} | set(ACTIVATIONS) | set(OUTPUT_KINDS)
    for model in models:
        known -= {output.kind for output in model.description.outputs}
        for node in model.network.nodes:
            known -= {type(node.layer).__name__, getattr(node.layer, "activation", "")}
    return known


def _changed(samples: NDArray[Any]) -> NDArray[Any]:
    rng = np.random.default_rng(3)
    if samples.dtype.kind == "f":
        return (samples + rng.normal(0, 0.05, samples.shape)).astype(samples.dtype)
    return (samples + rng.integers(-3, 4, samples.shape)).astype(samples.dtype)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / version("discrimen"))
