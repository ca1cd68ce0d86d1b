"""A benchmark as files: JSON and pictures, each complete or absent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from discrimen.errors import SettingsError
from discrimen.output.files import complete_or_absent
from laboratory.pictures import figures
from laboratory.result import Benchmark

JSON_NAME = "bench.json"


def write_benchmark(benchmark: Benchmark, folder: Path | str, *, dots_per_inch: int = 130) -> tuple[Path, ...]:
    """Write ``bench.json`` and the pictures of every model into a folder.

    Parameters
    ----------
    benchmark : Benchmark
        The result of a run.
    folder : Path
        Made if need be; files of the same names are replaced.
    dots_per_inch : int
        Of the pictures.

    Returns
    -------
    tuple of Path
        The files, the JSON first.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib is not installed.
    """
    json_path = Path(folder) / JSON_NAME
    with complete_or_absent(json_path) as part:
        part.write_text(json.dumps(benchmark.as_dict(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    written = [json_path]
    for name, figure in figures(benchmark).items():
        path = Path(folder) / f"{name}.png"
        with complete_or_absent(path) as part:
            figure.savefig(part, format="png", dpi=dots_per_inch)
        written.append(path)
    return tuple(written)


def require_different_names(models: Sequence[Path]) -> None:
    """Refuse models whose pictures would have the same names.

    Raises
    ------
    SettingsError
        If two files have the same name without folder and suffix.
    """
    stems = [path.stem for path in models]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise SettingsError(f"expected models of different names, got {', '.join(twice)} more than once; rename one")
