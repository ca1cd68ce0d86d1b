"""Where the scores of each input go, and which of them are there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from discrimen.errors import DiscrimenError, OutputError
from discrimen.output.files import refuse_all_inputs
from discrimen.scoring.scores import SCORE_SUFFIXES, read_attributes

_NO_FOLDERS = (
    ".txt",
    ".tsv",
    ".json",
    ".npy",
    ".npz",
    ".hdf5",
    ".lh5",
    ".dat",
    ".bin",
    ".xlsx",
    ".feather",
    ".html",
)
"""Nobody calls a folder so."""


def plan_outputs(files: Sequence[Path], output: Path, *, suffix: str | None = None) -> list[Path]:
    """Name one file of scores for each input.

    Parameters
    ----------
    files : sequence of Path
        The inputs.
    output : Path
        A file of scores (its suffix is one of the formats) for one input, else a folder: each input
        ``NAME.EXT`` then gives ``NAME.EXT.scores<suffix>`` in it.
    suffix : str, optional
        Kind of the files in a folder; ".h5" by default.

    Raises
    ------
    OutputError
        If several inputs would write the same file, or an output is an input.
    """
    if output.suffix.lower() in SCORE_SUFFIXES and not output.is_dir():
        if len(files) > 1:
            raise OutputError(f"{output}: one file cannot hold the scores of {len(files)} inputs; give a folder")
        planned = [output]
    elif output.is_file():
        raise OutputError(
            f"{output}: a file that is no file of scores; give a folder or a name ending in {', '.join(SCORE_SUFFIXES)}"
        )
    elif output.suffix.lower() in _NO_FOLDERS and not output.is_dir():
        raise OutputError(
            f"{output}: scores are written as {', '.join(SCORE_SUFFIXES)}; give such a name, or one without "
            f"'{output.suffix}' for a folder"
        )
    else:
        planned = [output / f"{path.name}.scores{suffix or '.h5'}" for path in files]
    twice = [path for path, count in Counter(planned).items() if count > 1]
    if twice:
        raise OutputError(f"{twice[0]}: several inputs have the same name; classify them into folders of their own")
    refuse_all_inputs(planned, files)
    return planned


def is_complete(output: Path, identity: Mapping[str, str]) -> bool:
    """Tell whether an output is there already and was made from the same input by the same model.

    Raises
    ------
    OutputError
        If a file is there that was made otherwise: it is not overwritten in silence.
    """
    if not output.exists():
        return False
    try:
        found = read_attributes(output)
    except DiscrimenError as error:
        raise OutputError(f"{output}: there is a file already that holds no scores: {error}") from error
    differing = [name for name, value in identity.items() if found.get(name) != value]
    if not differing:
        return True
    raise OutputError(
        f"{output}: there are scores already, but of another {' and '.join(differing)}; "
        "remove them, choose another output, or give --overwrite"
    )
