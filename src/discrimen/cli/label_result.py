"""What `discrimen label` keeps beside labels that were estimated: how, from which files, how pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from discrimen.formats.base import Reader
from discrimen.labelling.contamination import labels_path
from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import sha256_of_file, software_versions, utc_now


def with_provenance(result: Mapping[str, Any], readers: Sequence[Reader]) -> dict[str, Any]:
    """Add inputs with their hashes and settings, software and time."""
    inputs = [
        {
            "path": str(reader.info.path),
            "sha256": sha256_of_file(reader.info.path),
            "settings": reader.info.settings.model_dump(mode="json", exclude_none=True),
        }
        for reader in readers
    ]
    return {**result, "inputs": inputs, "software": software_versions("numpy", "scipy"), "created_utc": utc_now()}


def write_beside(output: Path, whole: Mapping[str, Any]) -> None:
    """Write the estimates as JSON beside the output, with its hash: they hold for these labels only."""
    text = json.dumps({**whole, "output_sha256": sha256_of_file(output)}, indent=2, allow_nan=False)
    with complete_or_absent(labels_path(output)) as part:
        part.write_text(text + "\n", encoding="utf-8")
