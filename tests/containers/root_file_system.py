"""Sections of an Apptainer definition, run without Apptainer in a Debian that mmdebstrap makes and bwrap enters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("mmdebstrap", "bwrap")
_HEADS = re.compile(r"^%(\w+)[^\n]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Definition:
    """An Apptainer definition: its header, and the text of each section."""

    header: dict[str, str]
    sections: dict[str, str]

    @property
    def files(self) -> list[tuple[str, str]]:
        """What is copied into the image, and where to."""
        pairs = [line.split() for line in self.sections["files"].splitlines() if line.strip()]
        return [(source, target) for source, target in pairs]


def read_definition(path: Path) -> Definition:
    """Take a definition apart."""
    head, *rest = _HEADS.split(path.read_text())
    header = dict(re.findall(r"^(\w+):\s*(\S+)$", head, re.MULTILINE))
    return Definition(header, dict(zip(rest[::2], rest[1::2], strict=True)))


def make_root(root: Path, *, suite: str) -> None:
    """Make a small Debian, as the slim image of the suite holds it."""
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", suite, root], check=True, timeout=300)


def copy_files(definition: Definition, source: Path, root: Path) -> None:
    """Do what %files asks for."""
    for name, target in definition.files:
        inside = root / target.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, inside)
        else:
            shutil.copy2(source / name, inside)


def build(root: Path, script: str) -> None:
    """Run %post: as root, with the network, and with what pip is told on this machine."""
    told = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    options = ["--bind", str(root), "/", "--cap-add", "ALL", "--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"]
    if certificates := told.get("PIP_CERT"):
        told["PIP_CERT"] = "/run/certificates.crt"
        options += ["--ro-bind", certificates, told["PIP_CERT"]]
    _enter(options, ["sh", "-e", "-c", script], variables=told, check=True)


def enter(root: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a user would in an image: nothing may be written but /tmp, nobody is root, no network."""
    options = ["--ro-bind", str(root), "/", "--tmpfs", "/tmp", "--unshare-all", "--uid", "1234", "--gid", "1234"]
    return _enter(options, ["sh", "-e", "-c", script, "sh", *arguments])


def _enter(
    options: list[str], command: list[str], *, variables: dict[str, str] | None = None, check: bool = False
) -> subprocess.CompletedProcess[str]:
    known = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        **(variables or {}),
    }
    told = [word for name, value in known.items() for word in ("--setenv", name, value)]
    entered = ["bwrap", "--die-with-parent", *options, "--dev", "/dev", "--proc", "/proc", "--chdir", "/", "--clearenv"]
    done = subprocess.run([*entered, *told, *command], capture_output=True, text=True, timeout=900, check=False)
    if check and done.returncode:
        raise AssertionError(f"status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done
