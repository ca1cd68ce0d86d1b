"""What `discrimen label` keeps beside labels that were estimated: how, from which files, how pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from discrimen.formats.base import Reader
from discrimen.labelling.contamination import labels_path
from discrimen.output.files import write_files
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now


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
    return {
        **result,
        "inputs": inputs,
        "software": software_versions("numpy", "scipy"),
        "created_utc": utc_now(),
        "command_line": command_line(),
    }


def write_beside(output: Path, whole: Mapping[str, Any]) -> None:
    """Write the estimates as JSON beside the output, with its hash: they hold for these labels only."""
    beside = labels_path(output)
    write_files(beside.parent, {beside.name: json_text({**whole, "output_sha256": sha256_of_file(output)})})
