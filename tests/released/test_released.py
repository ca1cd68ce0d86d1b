"""Whatever a released version has frozen is read by this one, and gives what it gave then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.released.make_released import meaning, what_none_holds

from discrimen.inference.base import Predictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import read_frozen

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*/*.discrimen"))
ENGINES = {"reference": (ReferencePredictor, 1e-6), "native": (NativePredictor, 2e-5)}
"""How far each may be off, as a share of the largest value of an output."""


def expected_of(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path.with_suffix(".npz")) as kept:
        return dict(kept)


def is_close(given: NDArray[Any], expected: NDArray[Any], tolerance: float) -> bool:
    return np.allclose(given, expected, rtol=0, atol=tolerance * float(np.nanmax(np.abs(expected))), equal_nan=True)


def off(predictor: Predictor, kept: dict[str, NDArray[Any]], tolerance: float) -> list[int]:
    """Return which outputs are not what they were."""
    given = predictor.run(kept["samples"], present=kept.get("present"))
    return [number for number, each in enumerate(given) if not is_close(each, kept[f"output_{number}"], tolerance)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_kept_file_gives_what_it_gave(path: Path, engine: str) -> None:
    kind, tolerance = ENGINES[engine]
    kept = expected_of(path)
    assert np.isfinite(kept["output_0"]).mean() > 0.5
    predictor = kind(path)
    assert off(predictor, kept, tolerance) == []
    if "outside" in kept:
        judged = predictor.encode if path.stem == "compression" else predictor.judge
        assert np.array_equal(judged(kept["samples"]).outside, kept["outside"])
    if "height_adc" in kept:
        assert is_close(predictor.judge(kept["samples"]).height_adc, kept["height_adc"], tolerance)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_kept_file_means_what_it_meant(path: Path) -> None:
    model, kept = read_frozen(path), expected_of(path)
    assert meaning(model).tolist() == kept["meaning"].tolist()
    described = model.description
    assert (described.domain is not None) == ("outside" in kept)
    assert described.follows_height == ("height_adc" in kept)


def test_another_value_is_seen() -> None:
    path = FOLDER / "0.1.0" / "trained.discrimen"
    kept = expected_of(path)
    kept["output_0"][3, 1] += 1e-4
    for kind, tolerance in ENGINES.values():
        assert off(kind(path), kept, tolerance) == [0]


def test_the_kept_files_hold_all_that_a_file_can_hold() -> None:
    models = {path.stem: read_frozen(path) for path in (FOLDER / "0.1.0").glob("*.discrimen")}
    without = {name: model for name, model in models.items() if name != "transformer"}
    assert "Attention" in what_none_holds(without.values())
    assert "Attention" not in what_none_holds(models.values())
