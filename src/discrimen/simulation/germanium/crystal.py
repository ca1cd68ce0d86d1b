"""A segmented germanium crystal as data: a tapered hexagon cut by a cylinder, with a bore from the back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from discrimen.errors import SettingsError
from discrimen.pulses.detector import faults_of, read_yaml
from discrimen.pulses.hits import SEGMENT_NAMES

N_SECTORS, N_RINGS = 6, 6
N_SEGMENTS = N_SECTORS * N_RINGS
CORE = N_SEGMENTS
"""Number of the core contact, after the segments."""

CHANNELS = (*SEGMENT_NAMES, "core")
"""Names of the channels in their order: letter of the sector, number of the ring from the front on; the core last."""

BUILT_IN = ("greta-a", "agata")
"""Crystals that come with the package; the files say where their numbers come from."""

_FIELD_ONLY = (
    *("name", "bias_v", "lattice_angle_deg"),
    *("impurity_type", "impurity_front_1e10_per_cm3", "impurity_slope_1e10_per_cm4"),
)

_FOLDER = Path(__file__).parent / "crystals"

_Positive = Annotated[float, Field(gt=0)]
_Corners = Annotated[tuple[tuple[float, float], ...], Field(min_length=N_SECTORS, max_length=N_SECTORS)]
_Rings = Annotated[tuple[_Positive, ...], Field(min_length=N_RINGS, max_length=N_RINGS)]


class Crystal(BaseModel):
    """A crystal with 6 x 6 segments on its outside and a core contact in its bore; lengths in mm.

    The front lies at z = 0, the bore opens at the back, which is passivated. The front and the sides belong to the
    segments, without gaps. A sector holds the half sides around one corner.

    Parameters
    ----------
    name : str
        Of the crystal.
    length_mm, radius_mm : float
        Along z, and of the cylinder that cuts the corners.
    bore_radius_mm, bore_start_mm, bore_rounding_mm : float
        Of the bore, how far behind the front it ends, and the radius of the rounding of that end.
    ring_heights_mm : tuple of 6 float
        From the front to the back; they add up to the length.
    front_corners_mm, back_corners_mm : tuple of 6 (x, y)
        Of the hexagon at the front and the back, in one sense of rotation.
    first_sector : int
        Number (0 to 5) of the sector around the first corner; segment = sector + 6 ring.
    bias_v : float
        Voltage of the core; the segments are at zero.
    impurity_type : 'n' or 'p'
        Of the germanium.
    impurity_front_1e10_per_cm3, impurity_slope_1e10_per_cm4 : float
        Net impurities at the front, and how they grow per cm towards the back.
    lattice_angle_deg : float
        Angle from the x axis to a <100> axis; another is along z.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    length_mm: _Positive
    radius_mm: _Positive
    bore_radius_mm: _Positive
    bore_start_mm: _Positive
    bore_rounding_mm: Annotated[float, Field(ge=0)] = 0.0
    ring_heights_mm: _Rings
    front_corners_mm: _Corners
    back_corners_mm: _Corners
    first_sector: Annotated[int, Field(ge=0, lt=N_SECTORS)] = 0
    bias_v: float
    impurity_type: Literal["n", "p"]
    impurity_front_1e10_per_cm3: Annotated[float, Field(ge=0)]
    impurity_slope_1e10_per_cm4: float = 0.0
    lattice_angle_deg: float = 0.0

    @model_validator(mode="after")
    def _possible(self) -> Crystal:
        total = sum(self.ring_heights_mm)
        if abs(total - self.length_mm) > 1e-6:
            raise ValueError(f"ring_heights_mm add up to {total:g}, the crystal is {self.length_mm:g} mm long")
        if self.bore_start_mm + self.bore_rounding_mm >= self.length_mm:
            raise ValueError(f"the bore starts at {self.bore_start_mm:g} mm, the crystal ends at {self.length_mm:g} mm")
        if self.bore_rounding_mm > self.bore_radius_mm:
            raise ValueError(
                f"bore_rounding_mm {self.bore_rounding_mm:g} is more than bore_radius_mm {self.bore_radius_mm:g}"
            )
        self._require_closed()
        back_1e10 = self.impurity_front_1e10_per_cm3 + self.impurity_slope_1e10_per_cm4 * self.length_mm / 10
        if back_1e10 < 0:
            raise ValueError(f"impurities change their sign: {back_1e10:.3g} e10 per cm3 at the back; give two types")
        if self.bias_v == 0:
            raise ValueError("bias_v is 0: nothing drifts")
        return self

    def _require_closed(self) -> None:
        """Require hexagons that are convex, around the axis and outside the bore, so that no contact is open."""
        for where, corners in (("front", self.front_corners_mm), ("back", self.back_corners_mm)):
            points = np.asarray(corners)
            sides = np.roll(points, -1, axis=0) - points
            turn = _cross(sides, np.roll(sides, -1, axis=0))
            if not (np.all(turn > 0) or np.all(turn < 0)):
                raise ValueError(
                    f"{where}_corners_mm are no convex hexagon in one sense of rotation: a contact is open"
                )
            apothem = np.abs(_cross(points, sides)) / np.hypot(*sides.T)
            inside = np.all(_cross(points, sides) * np.sign(turn[0]) > 0)
            reach = min(float(apothem.min()), self.radius_mm)
            if not inside or reach <= self.bore_radius_mm:
                side = int(np.argmin(apothem))
                raise ValueError(
                    f"side {side} at the {where} is {reach:.3g} mm from the axis, the bore has {self.bore_radius_mm:g} "
                    "mm: core and segments touch"
                )

    @property
    def ring_edges_mm(self) -> NDArray[np.float64]:
        """Where rings begin and end, shape (7,)."""
        return np.concatenate([[0.0], np.cumsum(self.ring_heights_mm)])

    def has_geometry_of(self, other: Crystal) -> bool:
        """Whether another crystal has the same surface and segments, whatever its bias, impurities and lattice."""
        mine, its = (each.model_dump(exclude=set(_FIELD_ONLY)) for each in (self, other))
        return bool(mine == its)

    def digest(self) -> str:
        """Return the SHA-256 of all that describes the crystal."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()


def read_crystal(source: str | Path) -> Crystal:
    """Return a built-in crystal by its name, or that of a YAML file.

    Raises
    ------
    SettingsError
        If there is none, or it cannot be.
    """
    path = _FOLDER / f"{source}.yaml" if str(source) in BUILT_IN else Path(source)
    try:
        return Crystal.model_validate(read_yaml(path))
    except ValidationError as error:
        raise SettingsError(f"{path}: {faults_of(error)}") from error


def is_crystal(source: str | Path) -> bool:
    """Return whether this names a built-in crystal, or a YAML file that describes one; never raises."""
    if str(source) in BUILT_IN:
        return True
    path = Path(source)
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        return False
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    return isinstance(content, dict) and "front_corners_mm" in content


def _cross(a: NDArray[np.float64], b: NDArray[np.float64] | Sequence[float]) -> NDArray[np.float64]:
    b = np.asarray(b)
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
