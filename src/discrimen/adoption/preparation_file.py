"""A preparation from a file: that of another model's description, or written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from discrimen.errors import SettingsError
from discrimen.network.preparation import Preparation


def read_preparation(path: Path | str) -> Preparation:
    """Read how pulses become the input of a network.

    Parameters
    ----------
    path : Path
        YAML or JSON: the description of a model (``model.json``), or its part `preparation` alone.

    Raises
    ------
    SettingsError
        If it cannot be read, or a name in it is unknown or missing.
    """
    path = Path(path)
    path = path / "model.json" if path.is_dir() else path
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot read a preparation: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: expected the preparation of a model, got a {type(values).__name__}")
    try:
        return Preparation.from_dict(values.get("preparation", values))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
