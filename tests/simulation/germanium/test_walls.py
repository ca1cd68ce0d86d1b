from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.simulation.germanium.crystal import Crystal, read_crystal
from discrimen.simulation.germanium.walls import wall_distances_mm

ANGLES = np.pi / 3 * np.arange(6)


def prism(**changes: object) -> Crystal:
    """A hexagon that does not lean, corners 40 mm from the axis, its cylinder beyond them."""
    corners = tuple(map(tuple, 40 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)))
    return read_crystal("agata").model_copy(
        update={
            "length_mm": 90.0,
            "radius_mm": 45.0,
            "bore_radius_mm": 5.0,
            "bore_start_mm": 13.0,
            "bore_rounding_mm": 0.0,
            "ring_heights_mm": (15.0,) * 6,
            "front_corners_mm": corners,
            "back_corners_mm": corners,
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("place", "distance", "wall"),
    [
        ((20.0, 0.0, 52.0), 7.0, "ring at 45"),
        ((20.0, 0.0, 2.0), 2.0, "front"),
        ((20.0, 0.0, 89.0), 1.0, "back"),
        ((8.0, 0.0, 52.5), 3.0, "bore"),
        ((37.0, 0.0, 52.5), 3.0 * np.cos(np.pi / 6), "both sides at a corner"),
        ((20 * np.cos(0.4), 20 * np.sin(0.4), 52.5), 20 * np.sin(np.pi / 6 - 0.4), "sector at 30 degrees"),
        ((4.0, 0.0, 7.5), 4 * np.sin(np.pi / 6), "sectors meet before the bore"),
        ((44.0, 0.0, 52.5), -4.0 * np.cos(np.pi / 6), "outside"),
        ((1.0, 0.0, 52.5), -4.0, "in the bore"),
    ],
)
def test_the_nearest_wall_is_found(place: tuple[float, ...], distance: float, wall: str) -> None:
    assert wall_distances_mm(prism(), np.array([place]))[0] == pytest.approx(distance, abs=1e-6), wall


def test_a_side_that_leans_is_nearer_than_within_its_plane() -> None:
    back = tuple((1.5 * x, 1.5 * y) for x, y in prism().front_corners_mm)
    leaning = prism(back_corners_mm=back, radius_mm=200.0)
    apothem, angle = 40 * np.cos(np.pi / 6), np.pi / 6 - 0.3
    place = np.array([[42 * np.cos(angle), 42 * np.sin(angle), 37.5]])
    in_plane = apothem * (1 + 0.5 * 37.5 / 90) - 42 * np.cos(0.3)
    expected = in_plane / np.sqrt(1 + (0.5 * apothem / 90) ** 2)
    assert wall_distances_mm(leaning, place)[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_nearness_changes_the_segment_there_and_nowhere_else() -> None:
    """A step that is shorter than the distance stays in the segment; the compiled geometry says which it is."""
    kernels = pytest.importorskip("discrimen.simulation.germanium.shape_kernels")
    rng = np.random.default_rng(2)
    crystal = read_crystal("greta-a")
    shape = kernels.shape_of(crystal)
    points = rng.uniform([-40, -40, 0], [40, 40, 90], (2000, 3))
    distance = wall_distances_mm(crystal, points)
    depths, segments = kernels.depths_and_segments(points, shape)
    assert np.array_equal(distance > 0, depths > 0)
    points, distance, segments = points[distance > 0], distance[distance > 0], segments[distance > 0]
    ways = rng.normal(size=points.shape)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    depths, near = kernels.depths_and_segments(points + 0.98 * distance[:, np.newaxis] * ways, shape)
    assert np.array_equal(near, segments)
    assert (depths > 0).all()
    # In some direction a wall is met soon behind it.
    left = np.zeros(len(points), bool)
    for _ in range(40):
        ways = rng.normal(size=points.shape)
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        depths, near = kernels.depths_and_segments(points + 1.3 * distance[:, np.newaxis] * ways, shape)
        left |= (near != segments) | (depths <= 0)
    assert left.mean() > 0.97


def test_unknown_coordinates_have_no_distance_and_other_shapes_are_refused() -> None:
    found = wall_distances_mm(prism(), np.array([[1.0, np.nan, 3.0], [20.0, 0.0, 52.5]]))
    assert np.isnan(found[0])
    assert np.isfinite(found[1])
    with pytest.raises(DataError, match=r"shape \(hit, 3\), got \(3,\)"):
        wall_distances_mm(prism(), np.zeros(3))
