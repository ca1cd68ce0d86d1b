"""A basis: signals of one segment, kept on disk by what made it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError, SettingsError
from discrimen.simulation.germanium import basis as module
from discrimen.simulation.germanium.basis import Basis, BasisWish, build_basis, cached_basis, read_basis
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.signals import Window

pytest.importorskip("numba")

WISH = BasisWish(spacing_mm=6.0, field_spacing_mm=4.0, segment=15)


@pytest.fixture(scope="module")
def basis() -> Basis:
    return build_basis(read_crystal("greta-a"), WISH)


def test_collecting_segment_and_core_rise_to_the_full_energy(basis: Basis) -> None:
    assert len(basis) > 20
    assert set(basis.segment) == {15}
    assert basis.channels[15] == "D3"
    assert np.allclose(basis.traces[:, [15, 36], -1], 1, atol=0.02)
    assert np.all(basis.traces[:, [15, 36], :3] == 0)


def test_other_segments_end_without_charge(basis: Basis) -> None:
    others = np.delete(basis.traces, [15, 36], axis=1)
    assert np.abs(others[:, :, -1]).max() < 2e-3
    assert np.abs(others).max() > 0.05


def test_core_sees_what_all_segments_see(basis: Basis) -> None:
    assert np.abs(basis.traces[:, :36].sum(axis=1) - basis.traces[:, 36]).max() < 2e-3


def test_basis_is_kept_until_something_else_is_wished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crystal, path = read_crystal("greta-a"), tmp_path / "basis.h5"
    first = cached_basis(path, crystal, WISH)
    built = []
    monkeypatch.setattr(module, "build_basis", lambda *a, **k: built.append(a) or first)
    again = cached_basis(path, crystal, WISH)
    assert not built
    assert np.array_equal(again.traces, first.traces)
    assert (again.source, again.channels, again.onset_ns) == (first.source, first.channels, first.onset_ns)
    cached_basis(path, crystal.model_copy(update={"bias_v": 4500}), WISH)
    assert len(built) == 1


def test_a_window_that_ends_before_the_charge_arrives_is_refused() -> None:
    short = replace(WISH, window=Window(n_samples=12))
    with pytest.raises(SettingsError, match="positions have not arrived within the window of 12 samples"):
        build_basis(read_crystal("greta-a"), short)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"spacing_mm": 0.0}, "every 0.5 to 20 mm, got 0 mm"), ({"time_constant_ns": -1.0}, "not be negative, got -1")],
)
def test_impossible_wishes_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        replace(WISH, **changes)


def test_other_files_are_no_basis(tmp_path: Path) -> None:
    path = tmp_path / "basis.h5"
    path.write_bytes(b"no basis at all")
    with pytest.raises(FormatError, match="basis"):
        read_basis(path)
