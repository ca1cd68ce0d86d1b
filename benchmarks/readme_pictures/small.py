"""Pictures that load fast."""

from __future__ import annotations

from pathlib import Path

MOST_BYTES = 150_000
_N_COLOURS = 128


def shrink(path: Path) -> int:
    """Give a PNG a palette, and return its size in bytes.

    Raises
    ------
    ValueError
        If it is still too large for a README.
    """
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB").quantize(_N_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"{path}: {size} bytes, expected at most {MOST_BYTES}: show less of the page, or fewer points")
    return size
