"""Names of namespaces."""

from __future__ import annotations

import pytest

from discrimen.errors import SettingsError
from discrimen.network.export.cpp import check_namespace, namespace_of


@pytest.mark.parametrize("name", ["my_model", "lab::one", "A::b2::c"])
def test_names_of_the_language_are_taken(name: str) -> None:
    assert check_namespace(name) == name


@pytest.mark.parametrize(
    "name", ["", "1st", "a b", "a::", "::a", "a:::b", "_a", "a__b", "std", "lab::class", "discrimen", "\u00e4", "a;"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="C\\+\\+ namespace"):
        check_namespace(name)


@pytest.mark.parametrize(
    ("stem", "namespace"),
    [
        ("neda", "neda_model"),
        ("neda-v1.2", "neda_v1_2_model"),
        ("model", "model"),
        ("time", "time_model"),
        ("my_model", "my_model"),
        ("2024__run", "a_2024_run_model"),
        ("\u00e4", "a_model"),
        ("discrimen", "discrimen_model"),
    ],
)
def test_default_follows_the_name_of_the_header(stem: str, namespace: str) -> None:
    assert check_namespace(namespace_of(stem)) == namespace
