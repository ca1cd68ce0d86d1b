from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from tests.audit.data_sets import change_neutrons, clean_pulses, data_set

from discrimen.audit import Audit, audit_dataset, write_audit
from discrimen.pulses import Label

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that elements nest, and collects pictures, references and identifiers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            assert values["alt"]
            self.pictures.append(values["src"] or "")
        self.references += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def faulty() -> Audit:
    pulses = change_neutrons(clean_pulses(201, n_pulses=800), lambda samples: samples - 20)
    label = pulses.column("label")
    dataset = data_set(pulses[label == Label.GAMMA], pulses[label == Label.NEUTRON])
    dataset.files[0]["name"] = "<b>gammas & co</b>.lh5"
    return audit_dataset(dataset)


@pytest.fixture(scope="module")
def written(faulty: Audit, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_audit(faulty, tmp_path_factory.mktemp("audit") / "new")


def test_the_page_needs_nothing_beside_it(written: tuple[Path, Path]) -> None:
    page = Page(written[1].read_text(encoding="utf-8"))
    assert len(page.pictures) == 5
    assert page.references == page.pictures
    for picture in page.pictures:
        assert base64.b64decode(picture.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG\r\n\x1a\n")
    assert len(set(page.ids)) == len(page.ids)


def test_the_page_tells_every_finding(written: tuple[Path, Path], faulty: Audit) -> None:
    text = written[1].read_text(encoding="utf-8")
    assert {finding.check for finding in faulty.findings} <= set(Page(text).ids)
    assert "&lt;b&gt;gammas &amp; co&lt;/b&gt;.lh5" in text
    assert "<b>" not in text
    assert [name in text for name in ("what to do", "how many", "where")] == [True] * 3


def test_json_holds_findings_tests_and_charts(written: tuple[Path, Path], faulty: Audit) -> None:
    values = json.loads(written[0].read_text(encoding="utf-8"))
    assert [finding["check"] for finding in values["findings"]] == [finding.check for finding in faulty.findings]
    assert values["n_errors"] == len(faulty.errors) > 0
    assert sum(map(sum, values["plotted"]["part_counts"])) == 800
    assert all(0 <= test["auc"] <= 1 for test in values["give_away_tests"])


def test_a_set_of_constant_records_has_a_page_too(tmp_path: Path) -> None:
    pulses = clean_pulses(203, n_pulses=60)
    audit = audit_dataset(data_set(pulses.replace(samples=np.full_like(pulses.samples, 100))))
    assert "constant" in [finding.check for finding in audit.findings]
    assert len(Page(write_audit(audit, tmp_path)[1].read_text(encoding="utf-8")).pictures) == 3


def test_a_set_of_one_class_has_a_page_too(tmp_path: Path) -> None:
    pulses = clean_pulses(202, n_pulses=60)
    _, page = write_audit(audit_dataset(data_set(pulses[pulses.column("label") == Label.GAMMA])), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert len(Page(text).pictures) == 4
    assert re.search("Error: there are only gammas", text)
