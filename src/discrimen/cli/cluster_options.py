"""The options of every command whose work may go to a cluster, defined once."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.cluster.connection import ClusterKind, ClusterWish, connected
from discrimen.cluster.farm import Farm
from discrimen.cluster.fetch import forget_fetched, read_on_workers
from discrimen.cluster.summary import where_lines
from discrimen.errors import SettingsError
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions

_MB = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCluster:
    """A cluster that a command is to use.

    Parameters
    ----------
    wish : ClusterWish
        Which scheduler and workers.
    part_bytes : int
        Files of twice this size and more are worked on in parts.
    """

    wish: ClusterWish
    part_bytes: int

    @contextmanager
    def farm(self, output: Path) -> Iterator[tuple[Farm, Callable[[], int]]]:
        """Connect; yield where jobs go, and what tells the number of workers."""
        with connected(self.wish, log_folder=_log_folder(output)) as connection:
            client = connection.client
            # Without bokeh the page only says that it is not installed.
            if client.dashboard_link and find_spec("bokeh"):
                common.log(f"dashboard: {client.dashboard_link}")
            yield Farm(connection), lambda: len(client.scheduler_info(n_workers=-1)["workers"])


def _options(
    *,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|FILE", help="Work on a Dask scheduler that runs: docs/dask.md", show_default=False
        ),
    ] = None,
    cluster: Annotated[
        ClusterKind | None,
        typer.Option(help="Start workers: here, or as jobs of a batch system by dask-jobqueue.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="With --cluster: how many workers; by default one a core, or one job.", min=1, show_default=False
        ),
    ] = None,
    cluster_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="With slurm or htcondor: queue=long, memory=2GB, walltime=02:00:00; repeatable, wins over the YAML.",
        ),
    ] = None,
    part_mb: Annotated[
        int | None,
        typer.Option(
            help="On a cluster: work on files of twice this size in parts of it, in 1,000,000 bytes; by default 1000.",
            min=1,
            show_default=False,
        ),
    ] = None,
) -> OnCluster | None:
    if scheduler is None and cluster is None:
        given = {"--workers": workers, "--cluster-option": cluster_option, "--part-mb": part_mb}
        idle = [name for name, value in given.items() if value]
        if idle:
            raise typer.BadParameter(f"{', '.join(idle)} does nothing without --scheduler or --cluster: leave it out")
        return None
    try:
        options = _pairs(cluster_option or [])
        wish = ClusterWish(scheduler=scheduler, kind=cluster, n_workers=workers, options=options)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    return OnCluster(wish=wish, part_bytes=(part_mb or 1000) * _MB)


def with_cluster_options(command: Callable[..., None], *, in_parts: bool = True) -> Callable[..., None]:
    """Give a command the options of a cluster; it gets them as one argument, `on_cluster`, which may be None.

    Parameters
    ----------
    command : callable
        The command.
    in_parts : bool
        Whether it works on files in parts.
    """

    @functools.wraps(command)
    def with_cluster(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in added}
        command(**arguments, on_cluster=_options(**given))

    own = inspect.signature(command, eval_str=True)
    shared = inspect.signature(_options, eval_str=True).parameters
    added = {name: each for name, each in shared.items() if in_parts or name != "part_mb"}
    kept = [each for name, each in own.parameters.items() if name != "on_cluster"]
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*kept, *added.values())]
    with_cluster.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_cluster.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_cluster


def with_inputs_of_cluster(command: Callable[..., None], *, files: str) -> Callable[..., None]:
    """Give a command the options of its inputs and of a cluster whose workers read them.

    Parameters
    ----------
    command : callable
        Gets `inputs`, which open what the workers have read.
    files : str
        Name of the argument that holds the files; their chunks lie beside its `output` until the command is done.
    """

    @functools.wraps(command)
    def reading(*, inputs: InputOptions, on_cluster: OnCluster | None, **arguments: Any) -> None:
        if on_cluster is None:
            command(inputs=inputs, **arguments)
            return
        fetcher = _Fetcher(on_cluster, inputs, arguments[files], Path(arguments["output"] or "discrimen"))
        command(inputs=replace(inputs, read_elsewhere=fetcher), **arguments)
        forget_fetched(fetcher.folder)

    own = inspect.signature(command, eval_str=True)
    added = inspect.Parameter("on_cluster", inspect.Parameter.KEYWORD_ONLY, annotation=OnCluster | None)
    reading.__signature__ = own.replace(parameters=[*own.parameters.values(), added])  # type: ignore[attr-defined]
    return with_cluster_options(with_input_options(reading))


@dataclass(slots=True)
class _Fetcher:
    """Lets a cluster read all files of a command when the first of them is opened."""

    on_cluster: OnCluster
    inputs: InputOptions
    files: Sequence[Path]
    output: Path
    _readers: dict[Path, Reader] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the chunks lie."""
        return self.output.absolute().with_name(f"{self.output.name}.read")

    def __call__(self, path: Path) -> Reader | None:
        if path not in self.files:
            return None
        if not self._readers:
            begin_s = time.monotonic()
            with self.on_cluster.farm(self.output) as (farm, n_workers), common.progress("reading", total=None) as tick:
                self._readers, receipts = read_on_workers(
                    farm,
                    self.files,
                    self.inputs,
                    folder=self.folder,
                    part_bytes=self.on_cluster.part_bytes,
                    on_wait=lambda: tick(0, note=f"{len(farm)} jobs to do, {n_workers()} workers"),
                )
            for line in where_lines(receipts, seconds=time.monotonic() - begin_s, n_again=farm.n_again):
                common.log(line)
        return self._readers[path]


def _pairs(texts: Sequence[str]) -> dict[str, Any]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise SettingsError(f"--cluster-option: expected NAME=VALUE, such as queue=long, got '{text}'")
        # A time such as 00:10:00 is no number of seconds.
        pairs[name.replace("-", "_")] = value if ":" in value else yaml.safe_load(value)
    return pairs


def _log_folder(output: Path) -> Path:
    """Return where jobs of a batch system write what they say."""
    return output / "cluster-logs" if output.is_dir() or not output.suffix else output.parent / "cluster-logs"
