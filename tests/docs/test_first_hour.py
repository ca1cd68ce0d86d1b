"""The student's first hour, typed from its first to its last line, with few pulses."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from site_maker.check_commands import commands

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "first-hour.md").read_text(encoding="utf-8")
FEW = (("40000", "1500"), ("--epochs 20", "--epochs 2"), ("epochs=20", "epochs=2"))


def with_few_pulses(text: str) -> str:
    for many, few in FEW:
        text = text.replace(many, few)
    return text


@pytest.mark.slow
def test_the_first_hour_can_be_typed_from_first_to_last(tmp_path: Path) -> None:
    blocks = "\n".join(re.findall(r"^```sh\n.*?^```", PAGE, re.MULTILINE | re.DOTALL))
    typed = commands(with_few_pulses(blocks))
    assert len(typed) == 10
    for command in typed:
        program = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    (python,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    program = [sys.executable, "-c", with_few_pulses(python)]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"\d+ neutrons, \d+ gammas", done.stdout)
    for name in re.findall(r"`([\w/-]+\.\w+)`", PAGE.split("## 1.")[1]):
        assert (tmp_path / name).exists(), name
