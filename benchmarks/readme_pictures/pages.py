"""Pictures of pages: of a run, of an audit, of a stream."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from readme_pictures.carry_out import started
from readme_pictures.screen import picture_page

STREAM = "discrimen stream demo-output/demo.discrimen --follow run_7.BIN -o scores.h5 --monitor tcp://127.0.0.1:5580"
MONITOR = "discrimen monitor tcp://127.0.0.1:5580"
_WATCHED_S = 30.0


def picture_run(page: Path, target: Path) -> None:
    """Show the beginning of the page of a run: how many pulses have which name, and where they lie."""
    picture_page(page.as_uri(), target, height=900, width=760)


def picture_audit(page: Path, target: Path) -> None:
    """Show the first findings of an audit."""
    picture_page(page.as_uri(), target, height=560)


def picture_monitor(folder: Path, target: Path) -> None:
    """Stream a run that grows, and show the page that watches it."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        here = Path(name)
        (here / "demo-output").symlink_to((folder / "demo-output").resolve())
        running = [started(here, "discrimen replay ../source.BIN -o run_7.BIN --grow --rate-hz 8000")]
        try:
            while running[0].poll() is None and not (here / "run_7.BIN").exists():
                time.sleep(0.1)
            running += [started(here, STREAM), started(here, MONITOR)]
            told = running[-1].stdout
            assert told is not None
            address = next(word for line in told for word in line.split() if word.startswith("http://"))
            picture_page(address, target, height=800, wait_s=_WATCHED_S)
        finally:
            for each in reversed(running):
                each.terminate()
                each.wait(timeout=30)
