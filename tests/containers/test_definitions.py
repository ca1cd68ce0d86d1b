"""The container recipes: well formed, alike and, with the marker `container`, carried out without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.containers.root_file_system import PROGRAMS, build, copy_files, enter, make_root, read_definition

SOURCE = Path(__file__).resolve().parents[2]
CONTAINERS = SOURCE / "containers"
DEFINITIONS = ("discrimen-cpu.def", "discrimen-gpu.def")
SECTIONS = {"files", "post", "environment", "runscript", "test", "labels", "help"}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_has_every_section_and_copies_what_is_there(name: str) -> None:
    definition = read_definition(CONTAINERS / name)
    assert definition.header["Bootstrap"] == "docker"
    assert set(definition.sections) == SECTIONS
    assert all((SOURCE / source).exists() for source, _ in definition.files)
    for section in ("post", "environment", "runscript", "test"):
        checked = subprocess.run(["sh", "-n", "-c", definition.sections[section]], capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")


def test_all_images_begin_with_one_dated_debian_and_have_the_same_extras() -> None:
    dockerfile = (CONTAINERS / "Dockerfile").read_text()
    bases = {read_definition(CONTAINERS / name).header["From"] for name in DEFINITIONS}
    bases |= set(re.findall(r"^FROM (\S+)$", dockerfile, re.MULTILINE))
    assert len(bases) == 1
    assert re.fullmatch(r"debian:bookworm-\d{8}-slim", bases.pop())
    extras = [read_definition(CONTAINERS / name).sections["post"].split()[4] for name in DEFINITIONS]
    assert re.findall(r"EXTRAS=(\S+)", dockerfile) == [extras[1], extras[0]]


def test_extras_of_the_images_are_those_of_the_package() -> None:
    known = set(re.findall(r"^(\w+) = \[", (SOURCE / "pyproject.toml").read_text(), re.MULTILINE))
    for name in DEFINITIONS:
        assert set(read_definition(CONTAINERS / name).sections["post"].split()[4].split(",")) <= known


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Root file system of the CPU image."""
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        pytest.skip(f"NO {', '.join(absent)}: apt-get install --no-install-recommends mmdebstrap bubblewrap")
    root = tmp_path_factory.mktemp("image") / "root"
    definition = read_definition(CONTAINERS / "discrimen-cpu.def")
    make_root(root, suite="bookworm")
    copy_files(definition, SOURCE, root)
    build(root, definition.sections["post"])
    yield root
    shutil.rmtree(root)  # nearly a gigabyte


@pytest.mark.container
@pytest.mark.timeout(1200)
def test_the_cpu_image_passes_its_own_test(image: Path) -> None:
    done = enter(image, read_definition(CONTAINERS / "discrimen-cpu.def").sections["test"])
    assert done.returncode == 0, done.stderr
    assert re.search(r"^discrimen \d+\.\d+", done.stdout)
    assert "check: 2000 pulses simulated and scored" in done.stdout


@pytest.mark.container
@pytest.mark.timeout(1200)
def test_the_run_script_is_the_command(image: Path) -> None:
    sections = read_definition(CONTAINERS / "discrimen-cpu.def").sections
    script = sections["environment"] + sections["runscript"]
    assert enter(image, script, "--version").stdout.startswith("discrimen ")
    refused = enter(image, script, "classify", "no such model", "no such run", "-o", "scores")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


@pytest.mark.container
@pytest.mark.timeout(1200)
def test_what_was_needed_only_for_building_is_gone(image: Path) -> None:
    for name in ("opt/source", "opt/install.sh", "usr/bin/g++", "opt/discrimen/bin/pip"):
        assert not (image / name).exists(), name
    assert list((image / "var/lib/apt/lists").iterdir()) == []
    assert enter(image, "touch /opt/check.py").returncode != 0


@pytest.mark.container
@pytest.mark.timeout(1200)
def test_dask_and_the_formats_of_the_extras_are_there(image: Path) -> None:
    done = enter(image, "/opt/discrimen/bin/python -c 'import dask_jobqueue, uproot, pyarrow, hdf5plugin, scipy'")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.container
def test_the_extras_of_the_gpu_image_can_be_had(tmp_path: Path) -> None:
    # All that can be said of it without a GPU: versions that fit each other are there.
    extras = read_definition(CONTAINERS / "discrimen-gpu.def").sections["post"].split()[4]
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [tmp_path / "venv/bin/pip", "install", "--quiet", "--dry-run", "--report", tmp_path / "report.json"]
    wanted = ["--constraint", SOURCE / "constraints.txt", f"{SOURCE}[{extras}]"]
    done = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "report.json").read_text())["install"]
    versions = {each["metadata"]["name"]: each["metadata"]["version"] for each in found}
    assert versions["jax-cuda12-plugin"] == versions["jaxlib"] == versions["jax"]
    assert {"keras", "nvidia-cudnn-cu12", "dask-jobqueue"} <= set(versions)
