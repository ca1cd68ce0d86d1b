"""The documentation site is built without a warning, and holds what the commands and the docstrings say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from discrimen.cli.main import SUBCOMMANDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("furo", reason="the site needs the extra docs: pip install 'discrimen[docs]'")
    folder = tmp_path_factory.mktemp("built") / "site"
    built = subprocess.run(
        [sys.executable, "-m", "site_maker.build", "-o", str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "docs"), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    assert built.stderr == ""
    return folder


@pytest.mark.slow
def test_every_command_has_a_page_with_its_options(site: Path) -> None:
    for name in SUBCOMMANDS:
        assert (site / "reference" / "command-line" / f"{name}.html").is_file()
    page = (site / "reference" / "command-line" / "train.html").read_text(encoding="utf-8")
    assert 'id="cmdoption-discrimen-train-architecture"' in page


@pytest.mark.slow
def test_search_knows_functions_of_python_and_of_c(site: Path) -> None:
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    names = {place[-1] for places in index["objects"].values() for place in places}
    assert {"label_by_band", "discrimen_classify"} <= names
    assert "glossary" in index["docnames"]


@pytest.mark.slow
def test_notebooks_are_shown_with_what_their_cells_gave(site: Path) -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        page = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        n_pictures = path.read_text(encoding="utf-8").count('"image/png"')
        assert n_pictures > 0
        assert page.count("<img") >= n_pictures
        assert "Traceback" not in page
