"""Build the documentation site: pages, references made of the sources, search; a warning or a broken link ends it.

    PYTHONPATH=docs python -m site_maker.build [-o build/site]        # or: make docs

The pages of ``docs/`` and the notebooks are copied to a folder beside the output, the references are written there, and
Sphinx reads them all. The site opens from the disk: nothing on its pages comes from another machine.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from pathlib import Path

from site_maker import c_headers, check_links, command_line, python_names, rst

HERE = Path(__file__).resolve().parent
DOCS, ROOT = HERE.parent, HERE.parents[1]
_ENGINE = (
    "docs/native-engine.md says how to link the library and has examples; docs/cpp-header.md is about models as one "
    "header."
)
HEADERS = {
    "c": ("C interface", "discrimen.h", "c"),
    "cpp": ("C++ interface", "model.hpp", "cpp"),
    "measure": ("Measuring the engine", "measure.hpp", "cpp"),
}


def gather(sources: Path) -> None:
    """Copy the pages that are written by hand, and write those that are made of the sources."""
    for path in sorted(DOCS.rglob("*")):
        inner = path.relative_to(DOCS)
        if path.is_file() and inner.parts[0] != HERE.name and "__pycache__" not in inner.parts:
            _copy(path, sources / inner)
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        _write(sources / name.lower(), _named_links(re.sub(r"([\[(])docs/", r"\1", text)))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _copy(path, sources / "notebooks" / path.name)
    for folder, pages in references().items():
        for name, text in pages.items():
            _write(sources / "reference" / folder / f"{name}.rst", text)


def references() -> dict[str, dict[str, str]]:
    """Return the pages that are made of the sources, by folder and name."""
    headers = {
        name: c_headers.page(heading, ROOT / "cpp/include/discrimen" / file, domain)
        for name, (heading, file, domain) in HEADERS.items()
    }
    headers["index"] = rst.title("C and C++") + f"\n{rst.inline(_ENGINE)}\n\n" + rst.toctree(list(HEADERS))
    return {"command-line": command_line.pages(), "python": python_names.pages(), "engine": headers}


def _copy(source: Path, target: Path) -> None:
    if source.suffix == ".md":
        text = source.read_text(encoding="utf-8").replace("](../notebooks/", "](notebooks/")
        _write(target, _named_links(text))
    elif not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _named_links(text: str) -> str:
    """Let links that show the name of a file show the heading that they lead to."""
    return re.sub(r"\[([\w/.-]+\.md)\]\(((?:\.\./)*\1(?:#[\w-]+)?)\)", r"[](\2)", text)


def _write(path: Path, text: str) -> None:
    """Write a page unless it is there already, so that Sphinx reads only what has changed."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(output: Path, *, sources: Path | None = None) -> int:
    """Build the site; 0 if there was no warning and every link leads somewhere."""
    from sphinx.cmd.build import build_main

    sources = sources or output.parent / f"{output.name}-sources"
    gather(sources)
    status = build_main(
        [
            "-b",
            "html",
            "-E",
            "-q",
            "-W",
            "--keep-going",
            "-c",
            str(HERE),
            "-d",
            f"{sources}.doctrees",
            str(sources),
            str(output),
        ]
    )
    problems = [] if status else check_links.problems(output)
    for problem in problems:
        print(problem, file=sys.stderr)
    return status or bool(problems)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "site")
    output = parser.parse_args().output.resolve()
    start = time.perf_counter()
    status = build(output)
    if status == 0:
        print(f"{output / 'index.html'}: {time.perf_counter() - start:.1f} s")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
