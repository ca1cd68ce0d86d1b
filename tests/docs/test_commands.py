"""Every command that a page shows is one that the command line of today takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from discrimen.demo.next_steps import next_steps
from site_maker.check_commands import commands, problem

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "site_maker" not in path.parts)
FIRST = [ROOT / "README.md", *(DOCS / f"{name}.md" for name in ("demo", "first-hour", "run", "your-data"))]
"""What a newcomer types: each command as a whole. Other pages also name commands with some of their options alone."""


@pytest.mark.parametrize("page", FIRST, ids=lambda page: page.name)
def test_commands_for_newcomers_are_taken_as_they_stand(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = commands(text)
    assert len(shown) >= len(re.findall(r"^ *discrimen [a-z]", text, re.MULTILINE)) > 0
    assert {command: why for command in shown if (why := problem(command))} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_of_a_page_exist(page: Path) -> None:
    told = {command: problem(command) or "" for command in commands(page.read_text(encoding="utf-8"))}
    assert {command: why for command, why in told.items() if re.match(r"no such|no command", why, re.I)} == {}


def test_what_the_demo_proposes_is_taken_as_it_stands() -> None:
    proposed = [each for step in next_steps(Path("my demo")) for each in commands(f"```sh\n{step.command}\n```")]
    assert len(proposed) > len(next_steps(Path("my demo")))
    assert {command: why for command in proposed if (why := problem(command))} == {}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("discrimen train set.lh5 --arch mlp -o model", "No such option: --arch"),
        ("discrimen classify m.discrimen run.BIN -o scores --to xml", "--to xml"),
        ("discrimen train set.lh5 --epochs many -o model", "--epochs many"),
        ("discrimen stream m.discrimen", "without -o"),
        ("discrimen stream -o scores.h5", "without model"),
        ("discrimen bench one.discrimen two.discrimen", "more than it takes: two.discrimen"),
        ("discrimen fpga tran set.lh5", "no command tran"),
    ],
)
def test_a_command_that_is_not_taken_is_seen(command: str, why: str) -> None:
    assert (problem(command) or "").startswith(why)


PAGE = """Say `discrimen train -h`.

```python
discrimen.read()
```

    discrimen demo   # indented

```sh
first && discrimen audit a.lh5 \\
    -o audit   # look
# discrimen no
discrimen freeze m -o m.discrimen | tail
```
"""


def test_commands_are_found_in_blocks_and_in_running_text() -> None:
    found = {" ".join(command.split()) for command in commands(PAGE)}
    assert found == {
        "discrimen audit a.lh5 -o audit",
        "discrimen freeze m -o m.discrimen",
        "discrimen demo",
        "discrimen train -h",
    }
