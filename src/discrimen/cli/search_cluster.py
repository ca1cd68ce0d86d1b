"""``discrimen search`` on a cluster: as many trials at a time as there are workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from discrimen.cli import common
from discrimen.cli.cluster_options import OnCluster
from discrimen.cluster.search import OnWait, TrialsOnFarm
from discrimen.cluster.summary import by_worker, where_lines
from discrimen.cluster.trial import SearchSetup
from discrimen.search import SearchResult


def search_on_cluster(
    search: Callable[..., SearchResult], setup: SearchSetup, on_cluster: OnCluster, *, output: Path, on_wait: OnWait
) -> tuple[SearchResult, dict[str, Any]]:
    """Run a search whose trials go to a cluster.

    Parameters
    ----------
    search : callable
        :func:`~discrimen.search.run_search` with all its arguments but `run_trials`.
    setup : SearchSetup
        What the trials have in common.
    on_cluster : OnCluster
        Where they go.
    output : Path
        Folder of the search; logs of a batch system go there.
    on_wait : callable
        Called now and then with how many trials are open, and how many workers there are.

    Returns
    -------
    tuple
        The search as it ended, and what ran where.
    """
    begin_s = time.monotonic()
    with on_cluster.farm(output) as (farm, n_workers):
        trials = TrialsOnFarm(farm, setup, n_workers=n_workers, on_wait=on_wait)
        result = search(run_trials=trials)
    seconds = time.monotonic() - begin_s
    for line in where_lines(trials.receipts, seconds=seconds, n_again=farm.n_again):
        common.log(line)
    told = {"n_jobs": len(trials.receipts), "n_again": farm.n_again, "seconds": seconds}
    return result, told | {"workers": by_worker(trials.receipts)}
