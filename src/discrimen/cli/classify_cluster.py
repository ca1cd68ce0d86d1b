"""``discrimen classify`` on a cluster: the same scores, counts and lines as by one process."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.cli import common
from discrimen.cli.cluster_options import OnCluster
from discrimen.cli.failed_files import FailedFiles
from discrimen.cluster.classify import ClassifyFarm, RunToScore, ScoredRun, ScoringSetup
from discrimen.cluster.summary import by_worker, where_lines
from discrimen.errors import DataError
from discrimen.scoring.discriminator import Discriminators
from discrimen.scoring.outputs import is_complete
from discrimen.scoring.parts import Part, cut_run


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterWork:
    """Run files scored on a cluster.

    Parameters
    ----------
    setup : ScoringSetup
        What is wanted of all of them.
    on_cluster : OnCluster
        Where to work.
    output : Path
        As given; logs of a batch system go beside it.
    quiet : bool
        Whether standard output is for something else.
    """

    setup: ScoringSetup
    on_cluster: OnCluster
    output: Path
    quiet: bool

    def classify(
        self,
        files: Sequence[Path],
        outputs: Sequence[Path],
        *,
        discriminators: Discriminators,
        overwrite: bool,
        failures: FailedFiles,
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Score run files; those whose scores are complete are left as they are.

        Parameters
        ----------
        files, outputs : sequence of Path
            Run files and their files of scores.
        discriminators : Discriminators
            The model, as this side has it.
        overwrite : bool
            Whether to replace scores of another model or input.
        failures : FailedFiles
            Where bad files are noted.

        Returns
        -------
        tuple
            What each file with scores gave, as of one process and in the order of the files; what ran where.
        """
        results: dict[Path, dict[str, Any]] = {}
        to_do: list[tuple[RunToScore, list[Part]]] = []
        for path, output in zip(files, outputs, strict=True):
            with failures.noting(path):
                reader = self.setup.inputs.open_whole(path)
                run = RunToScore.of(reader, output, discriminators, self.setup.wish)
                if not overwrite and is_complete(output, run.identity):
                    shutil.rmtree(run.folder, ignore_errors=True)
                    results[run.path] = {"input": str(path), "output": str(output), "skipped": True}
                    self._say(f"{path}: scores are complete in {output}, skipped")
                else:
                    to_do.append((run, cut_run(reader, self.on_cluster.part_bytes)))
        told = self._work(to_do, results, failures) if to_do else {"n_jobs": 0, "n_again": 0, "workers": []}
        return [results[path.absolute()] for path in files if path.absolute() in results], told

    def _work(
        self,
        to_do: Sequence[tuple[RunToScore, Sequence[Part]]],
        results: dict[Path, dict[str, Any]],
        failures: FailedFiles,
    ) -> dict[str, Any]:
        with self.on_cluster.farm(self.output) as (farm, n_workers):
            work = ClassifyFarm(farm, self.setup)
            begin_s = time.monotonic()
            for run, parts in to_do:
                work.add(run, parts)
            for scored in _with_progress(work, n_workers, len(to_do)):
                with failures.noting(scored.path):
                    results[scored.path] = self._told(scored)
            seconds = time.monotonic() - begin_s
        for line in where_lines(work.receipts, seconds=seconds, n_again=farm.n_again):
            self._say(line)
        workers = by_worker(work.receipts)
        return {"n_jobs": work.n_jobs, "n_again": farm.n_again, "seconds": seconds, "workers": workers}

    def _told(self, scored: ScoredRun) -> dict[str, Any]:
        """Say what one file gave.

        Raises
        ------
        DataError
            If it failed.
        """
        if scored.fault:
            raise DataError(scored.fault)
        for line in scored.warnings:
            common.log(line)
        for line in scored.summary:
            self._say(line)
        return {"input": str(scored.path), "skipped": False, "picture": None, **scored.result}

    def _say(self, line: str) -> None:
        if not self.quiet:
            print(line, flush=True)


def one_thread_each(discriminators: Discriminators) -> int | None:
    """Return how many threads the model of a worker uses: its jobs share the machine with others; Keras chooses."""
    backends = {each.predictor.backend for each in discriminators.parts.values()}
    return None if any(name.startswith("keras") for name in backends) else 1


def _with_progress(work: ClassifyFarm, n_workers: Callable[[], int], n_files: int) -> Iterator[ScoredRun]:
    """Yield run files as they end, and show how far all is."""
    with common.progress("classifying", total=n_files) as tick:
        next_s = 0.0

        def on_wait() -> None:
            nonlocal next_s
            if time.monotonic() > next_s:
                next_s = time.monotonic() + 1
                tick(0, note=f"files, {len(work.receipts)} jobs done, {work.n_open} to do, {n_workers()} workers")

        for scored in work.results(on_wait):
            tick(1)
            yield scored
