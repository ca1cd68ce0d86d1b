"""A batch for HTCondor: a submit description, and the script that queues what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from discrimen.cluster.batch import JOB, Batch, job_text, submit_text, write_batch
from discrimen.errors import SettingsError

ContainerBy = Literal["universe", "attribute"]
"""How a pool is told of a container: by its container universe, or by ``+SingularityImage``, as older pools want it."""

DESCRIPTION = "job.sub"


def write_htcondor(batch: Batch, *, container_by: ContainerBy = "universe") -> Path:
    """Write the folder of a batch for HTCondor and return the script that submits it.

    Raises
    ------
    OutputError, SettingsError
        If the folder cannot be written, or a directive or name cannot be.
    """
    for letter in '"\\$':
        if letter in str(batch.folder):
            raise SettingsError(f"{batch.folder}: HTCondor takes {letter} in a folder's name apart; choose another")
    description = "".join(f"{line}\n" for line in _description(batch, container_by))
    return write_batch(
        batch,
        job=job_text(batch, head=["enter=()"]),
        submit=submit_text(batch, scheduler="htcondor"),
        more={DESCRIPTION: description},
    )


def _description(batch: Batch, container_by: ContainerBy) -> list[str]:
    asked = batch.resources
    for line in asked.directives:
        if "=" not in line:
            raise SettingsError(f"directive '{line}': expected a line of a submit description, as NAME = VALUE")
    logs = "logs/$(stamp)"
    return [
        "# The script submit puts 'stamp = ...' before this and 'queue first from ...' behind it.",
        *_container(batch, container_by),
        f"executable = {batch.folder / JOB}",
        'arguments = "$(stamp) $(first)"',
        f"initialdir = {batch.folder}",
        f"output = {logs}/$(Cluster)_$(Process).out",
        f"error = {logs}/$(Cluster)_$(Process).err",
        f"log = {logs}/events.log",
        "should_transfer_files = IF_NEEDED",
        "when_to_transfer_output = ON_EXIT",
        f"request_cpus = {asked.cpus}",
        f"request_memory = {asked.memory_mib}MB",
        f"request_disk = {asked.disk_mib}MB",
        f"allowed_execute_duration = {asked.time_s}",
        *([f"request_gpus = {asked.gpus}"] if asked.gpus else []),
        *([f"max_materialize = {asked.most_at_once}"] if asked.most_at_once else []),
        *asked.directives,
    ]


def _container(batch: Batch, container_by: ContainerBy) -> list[str]:
    if batch.container is None:
        return ["universe = vanilla"]
    if container_by == "universe":
        return ["universe = container", f"container_image = {batch.container}"]
    return ["universe = vanilla", f'+SingularityImage = "{batch.container}"']
