"""Commands in a folder, each done once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

DISCRIMEN = f"{sys.executable} -m discrimen "


def carry_out(folder: Path, command: str, *, may_fail: bool = False) -> str:
    """Give a command for a shell, unless it was given there before, and return what it printed.

    Parameters
    ----------
    folder : Path
        Where it is given.
    command : str
        One line; ``discrimen`` is that of this environment.
    may_fail : bool
        Whether status 1 is a result too: an audit that finds an error ends with it.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    done = folder / f".{hashlib.sha256(command.encode()).hexdigest()[:16]}.done"
    if done.exists():
        return done.read_text(encoding="utf-8")
    print(f"$ {command}", file=sys.stderr)
    ended = subprocess.run(["bash", "-c", line(command)], cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode > may_fail:
        raise subprocess.CalledProcessError(ended.returncode, command)
    done.write_text(ended.stdout, encoding="utf-8")
    return ended.stdout


def started(folder: Path, command: str) -> subprocess.Popen[str]:
    """Start a command that goes on until it is ended."""
    print(f"$ {command} &", file=sys.stderr)
    return subprocess.Popen(
        ["bash", "-c", f"exec {line(command)}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def line(command: str) -> str:
    """Return a command with the program of this environment."""
    return DISCRIMEN + command.removeprefix("discrimen ") if command.startswith("discrimen ") else command
