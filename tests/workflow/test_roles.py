"""The role of a folder is taken from its name where that is plain, and asked for elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import SettingsError
from discrimen.workflow.roles import by_role, role_of


@pytest.mark.parametrize("name", ["CF252", "cf-252", "252Cf", "run_Cf252_1", "AmBe", "ambe_2cm"])
def test_a_source_of_both_is_mixed(name: str) -> None:
    assert role_of(Path(name)) == "mixed"


@pytest.mark.parametrize("name", ["CO60", "60Co", "Cs_137", "Na22-long", "y88"])
def test_a_gamma_source_is_one(name: str) -> None:
    assert role_of(Path(name)) == "gamma"


@pytest.mark.parametrize("name", ["run_1", "background", "Cf252_Co60", "CO2", "cf25", "umbrella"])
def test_a_name_that_leaves_doubts_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: its name tells .*say --mixed {name}"):
        role_of(Path(name))


def test_folders_are_sorted_by_role() -> None:
    assert by_role([Path("CO60"), Path("CF252")]) == {"mixed": [Path("CF252")], "gamma": [Path("CO60")]}
