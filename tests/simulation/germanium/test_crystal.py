"""Crystals as data: what is built in, what a file may say, and what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from discrimen.errors import SettingsError
from discrimen.simulation.germanium.crystal import BUILT_IN, CHANNELS, is_crystal, read_crystal
from discrimen.simulation.germanium.signals import Field, build_field

SPOTS_MM = np.array([[-27.4, -3.3, 28.5], [-9.6, 0.4, 29.7], [-17.3, -4.8, 31.5], [-16.7, 6.6, 31.5]])


def described(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "crystal.yaml"
    path.write_text(yaml.safe_dump({**read_crystal("greta-a").model_dump(mode="json"), **changes}))
    return path


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_crystals_are_read_by_name(name: str) -> None:
    assert read_crystal(name).name == name
    assert is_crystal(name)


def test_a_file_describes_the_same_crystal(tmp_path: Path) -> None:
    path = described(tmp_path)
    assert is_crystal(path)
    assert read_crystal(path).digest() == read_crystal("greta-a").digest()
    assert read_crystal(described(tmp_path, bias_v=4000)).digest() != read_crystal("greta-a").digest()


def test_other_things_are_no_crystals(tmp_path: Path) -> None:
    (tmp_path / "detector.yaml").write_text("polarity: negative\n")
    assert not any(map(is_crystal, ("BC501A", tmp_path / "detector.yaml", tmp_path / "absent.yaml", tmp_path)))


def test_segments_are_numbered_as_in_the_measurements(greta: Field) -> None:
    _, segments = greta.depths_and_segments(SPOTS_MM)
    assert set(segments) == {15}
    assert CHANNELS[15] == "D3"
    assert CHANNELS[0] == "A1"
    assert CHANNELS[-2:] == ("F6", "core")
    around = greta.depths_and_segments(np.array([[-18.0, 2.0, 3.0], [-18.0, 2.0, 85.0], [18.0, 0.0, 30.0]]))[1]
    assert list(around) == [3, 33, 12]


def test_depth_is_the_distance_from_the_nearest_surface(greta: Field) -> None:
    points = np.array([[0.0, 0.0, 6.0], [10.0, 0.0, 50.0], [0.0, 0.0, 50.0], [0.0, 0.0, 11.0], [20.0, 0.0, 89.5]])
    assert greta.depths_and_segments(points)[0] == pytest.approx([6.0, 4.0, -6.0, 1.0, 0.5])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ring_heights_mm": [8, 14, 16, 17, 21, 13]}, "add up to 89, the crystal is 90 mm"),
        ({"bore_start_mm": 95}, "the bore starts at 95 mm"),
        ({"bore_rounding_mm": 7}, "bore_rounding_mm 7 is more than"),
        ({"bore_radius_mm": 29}, "core and segments touch"),
        ({"impurity_slope_1e10_per_cm4": -0.2}, "impurities change their sign"),
        ({"bias_v": 0}, "nothing drifts"),
        ({"impurity_type": "x"}, "impurity_type"),
        ({"mood": 1}, "mood"),
    ],
)
def test_impossible_crystals_are_refused_with_the_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_crystal(described(tmp_path, **changes))


def test_open_contacts_are_refused(tmp_path: Path) -> None:
    corners = [list(corner) for corner in read_crystal("greta-a").front_corners_mm]
    corners[1], corners[2] = corners[2], corners[1]
    with pytest.raises(SettingsError, match="front_corners_mm are no convex hexagon"):
        read_crystal(described(tmp_path, front_corners_mm=corners))


def test_a_crystal_that_is_not_depleted_is_refused_with_the_place() -> None:
    crystal = read_crystal("greta-a").model_copy(update={"bias_v": 1500.0})
    with pytest.raises(SettingsError, match=r"not depleted at 1500 V: around \(.* mm the potential is"):
        build_field(crystal, spacing_mm=4.0)
    wrong_type = read_crystal("greta-a").model_copy(update={"impurity_type": "p"})
    with pytest.raises(SettingsError, match="not depleted"):
        build_field(wrong_type, spacing_mm=4.0)
