"""Results as plain data: what JSON can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

_NUMBERS_ONLY = re.compile(r"\[[^\[\]{}\"]*\]")


def plain(value: Any) -> Any:
    """Return dataclasses, mappings, arrays and what they hold as dicts and lists; NaN and infinity become None."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return str(value) if isinstance(value, Path) else value


def json_text(values: Any) -> str:
    """Return values as JSON, indented, with each row of numbers on one line; NaN and infinity become null."""
    text = json.dumps(plain(values), indent=1, allow_nan=False)
    return _NUMBERS_ONLY.sub(lambda match: re.sub(r"\s+", " ", match.group()), text) + "\n"
