"""The sentence of the demo's page about the leakage."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from discrimen.demo.contents import leakage_words


def a_range(name: str, **leakages: float) -> Any:
    methods = {
        method: SimpleNamespace(leakage_at=lambda _, leakage=leakage: SimpleNamespace(leakage=leakage))
        for method, leakage in leakages.items()
    }
    return SimpleNamespace(name=name, computed=lambda: methods)


def words_of(*ranges: Any) -> list[str]:
    report: Any = SimpleNamespace(main_efficiency=0.95, bins=ranges)
    return leakage_words(report)


LOW = a_range("30-50 keVee", network=0.3, charge_best=0.45)


def test_the_range_that_is_low_but_not_the_lowest_is_told() -> None:
    told = words_of(LOW, a_range("50-100 keVee", network=0.06, charge_best=0.156))
    assert told == [
        "At 50-100 keVee the network takes 6.0% of the gammas for neutrons, charge comparison with its best gates "
        "15.6%, when 95% of the neutrons are kept."
    ]


def test_another_range_is_told_where_that_one_is_not_computed() -> None:
    (told,) = words_of(a_range("50-100 keVee", network=0.06), LOW)
    assert told.startswith("At 30-50 keVee the network takes 30.0%")


def test_nothing_is_told_where_nothing_is_computed() -> None:
    assert words_of(a_range("50-100 keVee")) == []
