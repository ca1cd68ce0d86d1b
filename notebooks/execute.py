"""Execute notebooks in place, and keep of their outputs what a reader needs and what does not change from run to run.

Usage: ``python notebooks/execute.py notebooks/*.ipynb``
"""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

_TIMEOUT_S = 300
_CHANGES = re.compile(r"(pulses a second|computed by)(: |</td><td [^>]*>)[^\n<]*")
"""Facts that differ from machine to machine."""


def executed(path: Path) -> Any:
    """Return a notebook with the outputs of a fresh kernel.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=_TIMEOUT_S, kernel_name="python3").execute()
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
        cell.metadata = {}
        cell.outputs = [_steady(output, number + 1) for output in cell.outputs if not _is_gone(output)]
    return notebook


def _is_gone(output: Any) -> bool:
    """Return whether a bar of progress stood here, which goes when the work is done."""
    return output.output_type == "display_data" and output.data.get("text/html") == ""


def _steady(output: Any, number: int) -> Any:
    if output.output_type == "execute_result":
        output.execution_count = number
    for kind in ("text/plain", "text/html"):
        if kind in output.get("data", {}):
            output.data[kind] = _CHANGES.sub(r"\1\2...", output.data[kind])
    if "image/png" in output.get("data", {}):
        output.data["image/png"] = _small(output.data["image/png"])
    return output


def _small(png: str) -> str:
    """Return a picture with 64 colours, which plots can do with."""
    made = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.quantize(64).save(made, format="png", optimize=True)
    return base64.b64encode(made.getvalue()).decode("ascii")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(executed(Path(name)), name)
        print(name)
