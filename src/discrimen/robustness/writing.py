"""The curves as files: JSON and one picture, each complete or absent."""

from __future__ import annotations

import json
from pathlib import Path

from discrimen.output.files import complete_or_absent
from discrimen.robustness.picture import draw_robustness
from discrimen.robustness.report import Robustness


def write_robustness(result: Robustness, folder: Path | str, *, dots_per_inch: int = 130) -> tuple[Path, ...]:
    """Write ``robustness.json`` and ``robustness.png`` into a folder.

    Parameters
    ----------
    result : Robustness
        What was found.
    folder : Path
        Made if need be; files of the same names are replaced.
    dots_per_inch : int
        Of the picture.

    Returns
    -------
    tuple of Path
        The files, the JSON first.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    json_path, picture_path = Path(folder) / "robustness.json", Path(folder) / "robustness.png"
    with complete_or_absent(json_path) as part:
        part.write_text(json.dumps(result.as_dict(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    figure = draw_robustness(result)
    with complete_or_absent(picture_path) as part:
        figure.savefig(part, format="png", dpi=dots_per_inch)
    return json_path, picture_path
