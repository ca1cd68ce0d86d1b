"""Where the positions of each file of hits go in a folder, and which of them are there already."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from discrimen.errors import FormatError, OutputError
from discrimen.output.files import refuse_all_inputs
from discrimen.scoring.positions_file import read_position_attributes


def plan_positions(files: Sequence[Path], folder: Path) -> list[Path]:
    """Name one file of positions for each file of hits: ``NAME.EXT.positions.h5`` in a folder.

    Raises
    ------
    OutputError
        If the folder is a file, several inputs would write the same file, or an output is an input.
    """
    if folder.is_file():
        raise OutputError(f"{folder}: a file that is no file of positions; give a folder, or a name ending in .h5")
    planned = [folder / f"{path.name}.positions.h5" for path in files]
    twice = [path for path, count in Counter(planned).items() if count > 1]
    if twice:
        raise OutputError(f"{twice[0]}: several inputs have the same name; locate them into folders of their own")
    refuse_all_inputs(planned, files)
    return planned


def is_located(output: Path, hits: Path, *, model_sha256: str) -> bool:
    """Tell whether the positions of a file of hits are there already, by the same model.

    Raises
    ------
    OutputError
        If a file is there that was made otherwise, or is older than the hits: it is not overwritten in silence.
    """
    if not output.exists():
        return False
    try:
        found = read_position_attributes(output)
    except FormatError as error:
        raise OutputError(f"{output}: there is a file already that holds no positions: {error}") from error
    same = {"another model": found.get("model_sha256") == model_sha256}
    same["another file"] = found.get("files") == json.dumps([hits.name])
    same["what the hits were before"] = output.stat().st_mtime >= hits.stat().st_mtime
    differing = [what for what, is_same in same.items() if not is_same]
    if not differing:
        return True
    raise OutputError(
        f"{output}: there are positions already, but of {' and '.join(differing)}; "
        "remove them, choose another output, or give --overwrite"
    )
