"""Pictures of a page: drawn once for the page and the file beside it, and once for print."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.output.provenance import command_line
from discrimen.output.style import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NARROW_PIXELS = 960


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture inside a page, and for print.

    Parameters
    ----------
    name : str
        Anchor in the page, and name of the files beside it without suffix.
    caption : str
        What it shows.
    png, pdf : bytes
        The picture.
    """

    name: str
    caption: str
    png: bytes
    pdf: bytes

    @property
    def source(self) -> str:
        """The picture inside the page: a data URI."""
        return data_uri(self.png)

    @property
    def narrow(self) -> bool:
        """Whether it is one panel wide, so that a telephone need not show it as large as others."""
        return int.from_bytes(self.png[16:20], "big") <= _NARROW_PIXELS

    @property
    def files(self) -> tuple[str, str]:
        """Names of its files."""
        return f"{self.name}.png", f"{self.name}.pdf"


def data_uri(png: bytes) -> str:
    """Return a PNG as an address that a page can hold."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def picture(figure: Figure, *, name: str, caption: str, dots_per_inch: int = 120) -> Picture:
    """Draw a figure for a page and for print.

    Parameters
    ----------
    figure : Figure
        What to show; its layout stays as it is from now on.
    name, caption
        See :class:`Picture`.
    dots_per_inch : int
        Of the PNG.
    """
    png, pdf = png_of(figure, dots_per_inch=dots_per_inch), io.BytesIO()
    with house_style():
        # The second drawing need not find the layout again.
        figure.set_layout_engine("none")
        # No date: the same figure gives the same bytes.
        figure.savefig(pdf, format="pdf", dpi=dots_per_inch, metadata={"CreationDate": None, "Subject": command_line()})
    return Picture(name=name, caption=caption, png=png, pdf=pdf.getvalue())


def picture_files(pictures: Iterable[Picture]) -> dict[str, bytes]:
    """Return the content of each picture's files by name, for :func:`discrimen.output.files.write_files`."""
    return {name: content for each in pictures for name, content in zip(each.files, (each.png, each.pdf), strict=True)}


def png_of_pixels(pixels: NDArray[np.uint8]) -> bytes:
    """Return red, green, blue, shape (height, width, 3), as the content of a PNG."""
    image = require_module("matplotlib.image", extra="analysis")
    png = io.BytesIO()
    image.imsave(png, pixels, format="png", metadata={"Comment": command_line()})
    return png.getvalue()


def png_of(figure: Figure, *, dots_per_inch: int = 120) -> bytes:
    """Draw a figure as the content of a PNG, with the command line as its comment."""
    png = io.BytesIO()
    with house_style():
        save_png(figure, png, dots_per_inch=dots_per_inch)
    return png.getvalue()


def save_png(figure: Figure, target: Path | IO[bytes], *, dots_per_inch: int = 120) -> None:
    """Draw a figure, in the style that holds, into a PNG with the command line as its comment."""
    figure.savefig(target, format="png", dpi=dots_per_inch, metadata={"Comment": command_line()})
