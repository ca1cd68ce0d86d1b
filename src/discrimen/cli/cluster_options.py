"""The options of every command whose work may go to a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from discrimen.cluster.connection import ClusterKind, ClusterWish
from discrimen.errors import SettingsError

SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|FILE", help="Work on a Dask scheduler that runs: docs/cluster.md", show_default=False
    ),
]
ClusterOption = Annotated[
    ClusterKind | None,
    typer.Option(help="Start workers: here, or as jobs of a batch system by dask-jobqueue.", show_default=False),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(help="With --cluster: how many workers; by default one a core, one job.", min=1, show_default=False),
]
OptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cluster-option",
        metavar="NAME=VALUE",
        help="With slurm or htcondor: queue=long, memory=2GB, walltime=02:00:00; repeatable, wins over the YAML.",
    ),
]


def cluster_wish(
    scheduler: str | None, cluster: ClusterKind | None, workers: int | None, options: Sequence[str] | None
) -> ClusterWish | None:
    """Return which cluster is wished; None for this process alone.

    Raises
    ------
    typer.BadParameter
        If the options contradict each other, or do nothing.
    """
    if scheduler is None and cluster is None:
        if workers is not None or options:
            raise typer.BadParameter("--workers and --cluster-option do nothing without --cluster: leave them out")
        return None
    try:
        return ClusterWish(scheduler=scheduler, kind=cluster, n_workers=workers, options=_pairs(options or []))
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _pairs(texts: Sequence[str]) -> dict[str, Any]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise SettingsError(f"--cluster-option: expected NAME=VALUE, such as queue=long, got '{text}'")
        # A time such as 00:10:00 is no number of seconds.
        pairs[name.replace("-", "_")] = value if ":" in value else yaml.safe_load(value)
    return pairs


def log_folder(output: Path) -> Path:
    """Return where jobs of a batch system write what they say."""
    return output / "cluster-logs" if output.is_dir() or not output.suffix else output.parent / "cluster-logs"
