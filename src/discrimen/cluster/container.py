"""How a job enters a container by itself."""

from __future__ import annotations

import shlex
from pathlib import Path

from discrimen.cluster.batch import Batch
from discrimen.errors import SettingsError


def enter_lines(batch: Batch) -> list[str]:
    """Return the lines of a job that put Apptainer (or Singularity) before its command, or nothing without an image.

    The folders of the model, the run files, the scores and the batch are visible inside under their own names.

    Raises
    ------
    SettingsError
        If a folder has a name that Apptainer takes apart.
    """
    if batch.container is None:
        return ["enter=()"]
    folders = bound_folders(batch)
    for folder in folders:
        if any(letter in str(folder) for letter in ",:"):
            raise SettingsError(f"{folder}: a comma or colon in a folder's name cannot be bound into a container")
    binds = shlex.join(word for folder in folders for word in ("--bind", str(folder)))
    nv = " --nv" if batch.resources.gpus else ""
    return [
        "enter=$(command -v apptainer || command -v singularity) || {",
        '  echo "discrimen: neither apptainer nor singularity is there on $(hostname)" >&2; exit 1; }',
        f'enter=("$enter" exec{nv} {binds} {shlex.quote(batch.container)})',
    ]


def bound_folders(batch: Batch) -> list[Path]:
    """Return the folders that a job touches, without those that lie in another one of them."""
    touched = {batch.folder, batch.start_folder, batch.model.parent, *(path.parent for path in batch.files)}
    touched |= {path.parent for path in batch.outputs}
    return sorted(folder for folder in touched if not any(other in folder.parents for other in touched))
