"""The head of the page: names, how far they can be trusted, and further runs to judge by."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workflow.fake_commands import FakeCommands, compass_run
from tests.workflow.test_whole_run import folder, run

from discrimen.errors import DataError, SettingsError
from discrimen.simulation.truth import truth_path
from discrimen.workflow.whole_run import add_runs

__all__ = ["folder"]


def test_the_page_begins_with_names_and_how_far_they_can_be_trusted(folder: Path, commands: FakeCommands) -> None:
    compass_run(folder.parent / "LATER", 3)
    add_runs(folder / "run.yaml", [folder.parent / "LATER"])
    run(folder)
    page = " ".join((folder / "index.html").read_text().split())
    order = ["LATER_run_3_DataR_run_3</td>", "These figures are not the truth: the labels are the two bands", "170-340"]
    order += ["up to 2.0% of the true gammas", "Charge comparison leaks 1.00% (0.50% to 2.00%)", "What comes next</h2>"]
    places = [page.index(words) for words in [*order, "How it was made</h2>"]]
    assert places == sorted(places)
    assert '95.00% <span class="interval">(94.00% to 96.00%)' in page
    assert '0.00% <span class="interval">(0.00% to 1.23%)' in page
    assert "wrong for up to 0.9% of the gammas and up to 0.8% of the neutrons. 27% of the pulses have no label" in page


@pytest.mark.parametrize(
    ("kind", "verbs", "told"),
    [
        ("bands", ["label", "evaluate"], "Judge it on the test runs, by their bands"),
        ("truth", ["label", "evaluate"], "Judge it on the test runs, by their truth"),
        ("labels", ["evaluate"], "Judge it on the test runs, by their own labels"),
    ],
)
def test_further_runs_judge_by_the_best_that_they_have(
    folder: Path, commands: FakeCommands, kind: str, verbs: list[str], told: str
) -> None:
    run(folder)
    commands.ran.clear()
    path = compass_run(folder.parent / "TEST", 3)
    if kind == "truth":
        truth_path(path).write_bytes(b"truth")
    if kind == "labels":
        commands.channels = {"TEST": [{"labels": {"gamma": 3, "neutron": 4}}]}
    add_runs(folder / "run.yaml", [folder.parent / "TEST"], role="test")
    done = run(folder)
    assert commands.verbs == ["inspect", *verbs]
    assert ("--method" in commands.ran[1]) == (kind != "labels")
    page = (folder / "index.html").read_text()
    assert f"<h3>{told}</h3>" in page
    assert page.index("test/report.html") < page.index("report/report.html", page.index("test/report.html") + 20)
    assert done.progress.failed == []


def test_a_run_that_was_learnt_from_is_no_test(folder: Path) -> None:
    add_runs(folder / "run.yaml", [folder.parent / "CO60"], role="test")
    with pytest.raises(
        DataError, match=r"DataR_run_2.BIN: the network learns from this run and cannot be tested by it"
    ):
        run(folder)


def test_what_the_runs_do_not_say_is_asked_for_at_once_and_given_to_every_command(
    folder: Path, commands: FakeCommands
) -> None:
    commands.settings, commands.channels = (
        {},
        {"CO60": [{"sample_period_ns": None}], "CF252": [{"sample_period_ns": None}]},
    )
    with pytest.raises(SettingsError, match=r"CF252.*rerun: sample_period_ns: NS, polarity: .*, pretrigger_ns: NS; or"):
        run(folder)
    assert commands.verbs == ["inspect", "inspect"]
    commands.settings, commands.channels = {"polarity": "negative", "pretrigger_ns": 150.0}, {}
    text = (folder / "run.yaml").read_text()
    (folder / "run.yaml").write_text(text.replace("sample_period_ns: null", "sample_period_ns: 2.0"))
    commands.ran.clear()
    run(folder)
    reading = [given for given in commands.ran if given[0] in ("inspect", "gates", "convert", "label")]
    assert len(reading) == 9
    assert all(given[given.index("--sample-period-ns") + 1] == "2" for given in reading)


def test_records_of_two_lengths_are_no_two_detectors(folder: Path, commands: FakeCommands) -> None:
    commands.channels = {"CF252": [{"n_samples": 100}, {"n_samples": 200}]}
    with pytest.raises(DataError, match=r"holds records of 100 and 200 samples.*cut them with --record-samples 100"):
        run(folder)
