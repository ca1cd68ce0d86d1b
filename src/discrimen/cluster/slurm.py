"""A batch for Slurm: one array of jobs, and the script that submits what is missing."""

from __future__ import annotations

from pathlib import Path

from discrimen.cluster.batch import Batch, job_text, submit_text, write_batch
from discrimen.cluster.container import enter_lines
from discrimen.cluster.resources import Resources, time_text
from discrimen.errors import SettingsError


def write_slurm(batch: Batch) -> Path:
    """Write the folder of a batch for Slurm and return the script that submits it.

    Raises
    ------
    OutputError, SettingsError
        If the folder cannot be written, or a directive or name cannot be.
    """
    head = [*(f"#SBATCH {line}" for line in _directives(batch.resources)), *enter_lines(batch)]
    most = batch.resources.most_at_once
    submit = submit_text(batch, scheduler="slurm", more={"at_once": "" if most is None else f"%{most}"})
    return write_batch(batch, job=job_text(batch, head=head), submit=submit)


def _directives(asked: Resources) -> list[str]:
    for line in asked.directives:
        if not line.startswith("-"):
            raise SettingsError(f"directive '{line}': expected an option of sbatch, as --account=NAME")
    return [
        "--job-name=discrimen",
        f"--time={time_text(asked.time_s)}",
        f"--mem={asked.memory_mib}M",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={asked.cpus}",
        *([f"--partition={asked.partition}"] if asked.partition else []),
        *([f"--gres=gpu:{asked.gpus}"] if asked.gpus else []),
        *asked.directives,
    ]
