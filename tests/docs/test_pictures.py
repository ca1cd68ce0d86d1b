"""How the pictures of the README are made: commands once, pages framed, files small, a missing browser told."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest

from readme_pictures import __main__ as program
from readme_pictures import screen
from readme_pictures.carry_out import carry_out
from readme_pictures.small import shrink

Image = pytest.importorskip("PIL.Image")


def noise(n_pixels: int) -> object:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (n_pixels, n_pixels, 3), dtype=np.uint8))


def test_a_command_is_given_once_and_its_words_are_kept(tmp_path: Path) -> None:
    for _ in range(2):
        assert carry_out(tmp_path, "echo x >> log; echo told") == "told\n"
    assert (tmp_path / "log").read_text() == "x\n"


def test_a_command_that_fails_is_told_and_given_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            carry_out(tmp_path, "echo x >> log; exit 1")
    assert (tmp_path / "log").read_text() == "x\nx\n"
    assert carry_out(tmp_path, "echo found; exit 1", may_fail=True) == "found\n"
    with pytest.raises(subprocess.CalledProcessError):
        carry_out(tmp_path, "exit 2", may_fail=True)


def test_a_page_gets_a_frame(tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(png, "PNG")
    with Image.open(io.BytesIO(screen.framed(png.getvalue()))) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (30, 40, 3)
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] < 200).all()
    assert (pixels[10:20, 10:30] == 255).all()


def test_a_picture_that_is_too_large_for_a_readme_is_refused(tmp_path: Path) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    noise(100).save(small)  # type: ignore[attr-defined]
    noise(500).save(large)  # type: ignore[attr-defined]
    before = small.stat().st_size
    assert shrink(small) < before
    with pytest.raises(ValueError, match="expected at most 150000"):
        shrink(large)


def test_without_chromium_its_pictures_are_left_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screen.shutil, "which", lambda _: None)
    monkeypatch.setattr(
        program, "make", lambda name, work, target: screen.picture_page("file:///page.html", target, height=100)
    )
    monkeypatch.setattr("sys.argv", ["readme_pictures", "audit", "run", "-o", str(tmp_path)])
    assert program.main() == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": NOT MADE: ")[0] for line in told] == [str(tmp_path / "audit.png"), str(tmp_path / "run.png")]
    assert all("apt-get install chromium" in line for line in told)
    assert list(tmp_path.iterdir()) == []
