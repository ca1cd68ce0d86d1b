"""``discrimen simulate --detector`` of a germanium crystal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from discrimen.runs.hits_file import read_hits
from discrimen.simulation.germanium import signals
from discrimen.simulation.germanium.basis import read_basis
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.grid import Grid, build_grid

pytest.importorskip("numba")

Run = Callable[..., tuple[int, str, str]]
RunJson = Callable[..., dict[str, Any]]


@pytest.fixture
def run_json(run: Run) -> RunJson:
    def command(*arguments: object) -> dict[str, Any]:
        status, out, err = run(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)

    return command


@pytest.fixture(autouse=True)
def _coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    def coarse(crystal: object, **_: float) -> Grid:
        return build_grid(crystal, spacing_mm=4.0)  # type: ignore[arg-type]

    monkeypatch.setattr(signals, "build_grid", coarse)


def test_hits_of_all_energies_go_into_a_file(run_json: RunJson, tmp_path: Path) -> None:
    result = run_json("simulate", "--detector", "greta-a", "-o", tmp_path / "hits.h5", "-n", "30", "--cloud-parts", "2")
    assert result["n_hits"] == 30
    hits = read_hits(tmp_path / "hits.h5")
    assert result["n_several_interactions"] == np.count_nonzero(hits.column("n_interactions") > 1) > 3
    assert len(np.unique(hits.column("energy_kev"))) == 30


def test_single_interactions_of_a_crystal_of_a_file(run_json: RunJson, tmp_path: Path) -> None:
    crystal = tmp_path / "crystal.yaml"
    crystal.write_text(yaml.safe_dump({**read_crystal("agata").model_dump(mode="json"), "name": "mine"}))
    given = ("--energy-kev", "100", "--noise-kev", "0", "--seed", "5")
    run_json("simulate", "--detector", crystal, "-o", tmp_path / "hits.h5", "-n", "10", *given)
    hits = read_hits(tmp_path / "hits.h5")
    assert np.all(hits.column("energy_kev") == 100)
    assert not hits.samples[:, :, 0].any()


def test_two_interactions_in_one_segment_of_a_part_of_the_hits(run_json: RunJson, tmp_path: Path) -> None:
    pairs = ("--share-of-pairs", "0.5", "--second-share", "0.2", "--second-distance-mm", "5:10")
    given = ("--energy-kev", "300", "-n", "60", *pairs)
    result = run_json("simulate", "--detector", "greta-a", "-o", tmp_path / "hits.h5", *given)
    hits = read_hits(tmp_path / "hits.h5")
    assert 15 < result["n_several_interactions"] == np.count_nonzero(hits.column("n_interactions") == 2) < 45
    assert np.allclose(hits.column("energy_2_kev")[hits.column("n_interactions") == 2], 60)


def test_response_of_a_basis_can_be_chosen(run_json: RunJson, tmp_path: Path) -> None:
    wish = ("simulate", "--detector", "greta-a", "--basis-mm", "12")
    slow = run_json(*wish, "-o", tmp_path / "slow.h5", "--time-constant-ns", "80")
    fast = run_json(*wish, "-o", tmp_path / "fast.h5")
    assert slow["source"] != fast["source"]
    slow_core, fast_core = (read_basis(tmp_path / f"{name}.h5").traces[:, 36] for name in ("slow", "fast"))
    assert np.all(slow_core.sum(axis=1) < fast_core.sum(axis=1))


def test_basis_is_written_and_found_again(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    wish = ("simulate", "--detector", "greta-a", "--basis-mm", "10", "-o", tmp_path / "basis.h5")
    first = run_json(*wish)
    assert first["n_positions"] > 200
    assert first["made_anew"]
    status, out, _ = run(*wish)
    assert (status, "are there already" in out) == (0, True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--detector", "greta-a", "--spectrum", "Cs-137"), "--spectrum does nothing for a germanium crystal"),
        (("--detector", "greta-a", "--format", "lh5"), "--format does nothing"),
        (("--detector", "agata", "--basis-mm", "2", "--seed", "3"), "--seed does nothing for a basis"),
        (("--detector", "greta-a", "--second-share", "0.5"), "--second-share does nothing without --energy-kev"),
        (("--detector", "greta-a", "--energy-kev", "9", "--second-share", "x"), "--second-share: expected a share"),
        (("--share-of-pairs", "0.5"), "--share-of-pairs does nothing without --detector"),
        (("--energy-kev", "100"), "--energy-kev does nothing without --detector"),
        (("--detector", "EJ-309", "--basis-mm", "2"), "--basis-mm does nothing without --detector"),
    ],
)
def test_options_that_do_nothing_are_refused(run: Run, tmp_path: Path, given: tuple[str, ...], message: str) -> None:
    status, _, err = run("simulate", "-o", tmp_path / "hits.h5", *given)
    assert status == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "hits.h5").exists()
