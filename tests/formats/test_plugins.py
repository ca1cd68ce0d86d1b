"""Formats of other packages: the example of docs/extending.md works, and a broken one costs nothing else."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError
from discrimen.formats import plugins
from discrimen.formats.contract import broken_promises
from discrimen.formats.plugins import plugin_formats
from discrimen.formats.table import find_format, known_formats, open_reader

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.*?OURDAQ01.*?)```", PAGE, re.DOTALL)
PROJECT = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SAMPLES = np.random.default_rng(4).integers(0, 2**14, (200, 32)).astype("<u2")


def install(folder: Path, code: str, entry_points: str, *, name: str = "ourdaq") -> None:
    """Put a package where Python finds it, as pip leaves it."""
    (folder / f"{name}.py").write_text(code)
    information = folder / f"{name}-0.1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (information / "entry_points.txt").write_text(f"[discrimen.formats]\n{entry_points}\n")


def write_run(path: Path) -> Path:
    events = b"".join(struct.pack("<I", 1000 * number) + row.tobytes() for number, row in enumerate(SAMPLES))
    path.write_bytes(struct.pack("<8sId", b"OURDAQ01", SAMPLES.shape[1], 4.0) + events)
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages; what was loaded from it is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    plugin_formats.cache_clear()
    yield folder
    plugin_formats.cache_clear()
    for module in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]


@pytest.fixture
def example(site: Path) -> Path:
    assert EXAMPLE is not None
    assert PROJECT is not None
    ((name, value),) = tomllib.loads(PROJECT[1])["project"]["entry-points"]["discrimen.formats"].items()
    install(site, EXAMPLE[1], f"{name} = {value}")
    return site


def discrimen(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    environment = {"PYTHONPATH": str(site), "PATH": ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_example_of_the_page_is_read_by_the_command_line(example: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run.our")
    done = discrimen(example, "-m", "discrimen", "inspect", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ourdaq: our DAQ, 32 samples" in done.stdout
    assert "200 of 32 samples at 4 ns" in done.stdout


def test_the_example_keeps_all_promises(example: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run.our")
    done = discrimen(example, "-m", "discrimen.formats.contract", path, "--mutations", 40)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{path}: all promises kept\n")


def test_a_reader_that_breaks_a_promise_is_told(example: Path, tmp_path: Path) -> None:
    code = (example / "ourdaq.py").read_text()
    (example / "ourdaq.py").write_text(
        code.replace("first += count", "first += 0").replace("startswith(MAGIC)", "strip()")
    )
    broken = broken_promises(write_run(tmp_path / "run.our"))
    assert any("numbers in the column 'entry' come twice" in line for line in broken)
    assert any("files of random bytes" in line for line in broken)


def test_it_is_found_by_content_name_and_suffix(example: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run.our")
    np.testing.assert_array_equal(next(open_reader(path).chunks()).samples, SAMPLES)
    assert find_format(path.rename(tmp_path / "run.unknown")).name == "ourdaq"
    assert find_format(path, "ourdaq").name == "ourdaq"
    assert known_formats()[-1].name == "ourdaq"


def test_nothing_is_loaded_for_a_format_of_the_package(site: Path, tmp_path: Path) -> None:
    install(site, "raise SystemError('loaded')", "ourdaq = ourdaq:FORMAT")
    np.save(tmp_path / "run.npy", SAMPLES)
    script = f"""if True:
        import sys
        from discrimen.formats.table import find_writable, open_reader
        open_reader({str(tmp_path / "run.npy")!r}), find_writable("run.lh5")
        print("ourdaq" in sys.modules, "importlib.metadata" in sys.modules)
    """
    done = discrimen(site, "-c", script)
    assert done.stdout.startswith("False ")
    assert done.stderr == ""


BROKEN: dict[str, tuple[Callable[[str], str], str, str]] = {
    "cannot be imported": (lambda code: "import no_such_module\n" + code, "FORMAT", "no_such_module"),
    "is not there": (lambda code: code, "FORMATS", "AttributeError"),
    "is no format": (lambda code: code, "MAGIC", "expected a discrimen.formats.base.Format, got bytes"),
    "has a name that is taken": (
        lambda code: code.replace('name="ourdaq"', 'name="lh5"'),
        "FORMAT",
        "there is a format named 'lh5' already, which stays",
    ),
    "has a suffix that is no tuple": (
        lambda code: code.replace('(".our",)', '".our"'),
        "FORMAT",
        "suffixes: expected a tuple of endings",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_one_line_and_costs_nothing_else(
    kind: str, example: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change, attribute, reason = BROKEN[kind]
    code = change((example / "ourdaq.py").read_text())
    install(example, code, f"broken = broken:{attribute}", name="broken")
    assert find_format(write_run(tmp_path / "run.our")).name == "ourdaq"
    (line,) = caplog.messages
    assert f"the plug-in broken = broken:{attribute} of broken 0.1 is left out: " in line
    assert reason in line
    assert "\n" not in line
    assert find_format(tmp_path / "run.our").name == "ourdaq"
    assert len(caplog.messages) == 1


def test_packages_that_cannot_be_listed_cost_no_format_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: str) -> None:
        raise ValueError("some package")

    monkeypatch.setattr(plugins, "entry_points", broken)
    plugin_formats.cache_clear()
    np.save(tmp_path / "run.npy", SAMPLES)
    assert find_format((tmp_path / "run.npy").rename(tmp_path / "run.unknown")).name == "npy"
    assert caplog.messages == [
        "WARNING: no format of any plug-in is used, the installed packages cannot be listed: some package"
    ]
    plugin_formats.cache_clear()


def test_a_package_without_metadata_is_read_all_the_same(example: Path, tmp_path: Path) -> None:
    (example / "ourdaq-0.1.dist-info" / "METADATA").unlink()
    assert find_format(write_run(tmp_path / "run.our")).name == "ourdaq"


def test_the_line_reaches_the_user_of_the_command_line(site: Path, tmp_path: Path) -> None:
    install(site, "raise KeyError('of\\ntwo')", "ourdaq = ourdaq:FORMAT")
    done = discrimen(site, "-m", "discrimen", "inspect", write_run(tmp_path / "run.our"))
    first, second = done.stderr.splitlines()
    assert first.startswith(
        "WARNING: the format of the plug-in ourdaq = ourdaq:FORMAT of ourdaq 0.1 is left out: KeyError"
    )
    assert "of no known format" in second


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("head = stream.read(HEAD.size)", "head = stream.read(HEAD.size); 1 / 0"),
        ("self.report.n_read += count", "1 / 0"),
        ("self.info = RunInfo(", "self.inform = dict("),
        ("entry=np.arange(first, first + count),", ""),
    ],
)
def test_a_reader_that_fails_is_an_error_that_names_it(old: str, new: str, example: Path, tmp_path: Path) -> None:
    code = (example / "ourdaq.py").read_text()
    assert old in code
    (example / "ourdaq.py").write_text(code.replace(old, new))
    path = write_run(tmp_path / "run.our")
    with pytest.raises(
        FormatError, match=r"run.our: the plug-in ourdaq = ourdaq:FORMAT of ourdaq 0.1 failed"
    ) as failed:
        list(open_reader(path).chunks())
    assert "\n" not in str(failed.value)


def test_a_recogniser_that_fails_does_not_hide_other_formats(
    example: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    code = (example / "ourdaq.py").read_text()
    (example / "ourdaq.py").write_text(code.replace("return head.startswith(MAGIC)", "return 1 / 0"))
    np.save(tmp_path / "run.npy", SAMPLES)
    assert find_format((tmp_path / "run.npy").rename(tmp_path / "run.unknown")).name == "npy"
    assert "cannot tell whether" in caplog.text
