"""A Slurm of one node in a folder of its own, without systemd: munged, slurmctld and slurmd on ports of their own.

Nothing outside the folder is touched: configuration, key, socket, state, spool and logs lie in it, and another Slurm or
munge of the machine is neither asked nor stopped. It runs as whoever starts it, root or not. For people::

    python tests/cluster/slurm_node.py start FOLDER    # prints the line that makes sbatch use it
    python tests/cluster/slurm_node.py stop FOLDER
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
DEBIAN_PACKAGES = "slurmctld slurmd slurm-client munge"
PARTITION = "debug"
DAEMONS = ("slurmd", "slurmctld", "munged")
"""In the order in which they are stopped."""

_CONFIGURATION = """\
ClusterName=discrimen
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
KillWait=5
MinJobAge=300
MaxArraySize=1001
InactiveLimit=0
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmError(Exception):
    """The node does not come up; the message ends with what its logs say."""


def missing_programs() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def install_line() -> str:
    """Say how to install what is needed."""
    return f"{', '.join(missing_programs())} not installed: apt-get install --no-install-recommends {DEBIAN_PACKAGES}"


@dataclass(frozen=True)
class SlurmNode:
    """A running node; its programs find it by the environment.

    Parameters
    ----------
    folder : Path
        Everything that belongs to it.
    """

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use this Slurm and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
        return {**kept, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _path()}

    def ask(self, *command: str, check: bool = True) -> str:
        """Run one of Slurm's programs and return what it prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise SlurmError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def wait_until_idle(self, *, seconds: float = 30.0) -> None:
        """Wait until the node takes jobs.

        Raises
        ------
        SlurmError
            If it does not in time.
        """
        end = time.monotonic() + seconds
        while (state := self.ask("sinfo", "-h", "-o", "%T", check=False)) != "idle":
            if time.monotonic() > end or not self._alive("slurmctld"):
                raise SlurmError(f"the node is '{state}' after {seconds:g} s\n{self._logged()}")
            time.sleep(0.2)

    def cancel_all(self) -> None:
        """End every job, and wait until the node is free."""
        self.ask("scancel", "--partition", PARTITION, check=False)
        self.wait_until_idle()

    def stop(self) -> None:
        """End the jobs and stop the daemons by their pid files, the node first, and their munge at last."""
        if self._alive("slurmctld"):
            self.ask("scancel", "--partition", PARTITION, check=False)
            end = time.monotonic() + 10
            while self.ask("squeue", "-h", check=False) and time.monotonic() < end:
                time.sleep(0.1)
        for name in DAEMONS:
            with suppress(OSError, ValueError):
                _end(int((self.folder / f"{name}.pid").read_text()), name)

    def _alive(self, name: str) -> bool:
        try:
            return _is(int((self.folder / f"{name}.pid").read_text()), name)
        except (OSError, ValueError):
            return False

    def _logged(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {line}" for log in logs for line in log.read_text().splitlines()[-5:])


def start(folder: Path) -> SlurmNode:
    """Start a node whose files lie in a folder, and wait until it takes jobs.

    Raises
    ------
    SlurmError
        If a program is missing, the folder is in use, or the node does not come up.
    """
    if missing_programs():
        raise SlurmError(install_line())
    folder = folder.absolute()
    if (folder / "slurm.conf").exists():
        raise SlurmError(f"{folder}: a node was started here already; stop it or choose another folder")
    _write(folder)
    node = SlurmNode(folder)
    try:
        _daemon(node, "munged", *_munge_options(folder))
        _daemon(node, "slurmctld", "-i")
        _daemon(node, "slurmd", "-N", _host())
        node.wait_until_idle()
    except BaseException:
        node.stop()
        raise
    return node


@contextmanager
def running() -> Iterator[SlurmNode]:
    """Start a node in a temporary folder; it ends with the block and nothing of it is left."""
    # Under /tmp: the path of a socket has at most 107 characters. Munge wants folders that others may enter.
    folder = Path(tempfile.mkdtemp(prefix="discrimen-slurm-", dir="/tmp"))
    try:
        node = start(folder)
        try:
            yield node
        finally:
            node.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path) -> None:
    for name in ("", "state", "spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller_port, node_port = _free_ports(2)
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            host=_host(),
            user=getpass.getuser(),
            partition=PARTITION,
            controller_port=controller_port,
            node_port=node_port,
        )
    )


def _munge_options(folder: Path) -> list[str]:
    names = {"socket": "munge.socket", "key-file": "munge.key", "seed-file": "munge.seed", "pid-file": "munged.pid"}
    return [f"--{option}={folder / name}" for option, name in (names | {"log-file": "munged.log"}).items()]


def _daemon(node: SlurmNode, *command: str) -> None:
    done = subprocess.run(command, env=node.environment, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise SlurmError(f"{command[0]} does not start: {done.stderr.strip()}\n{node._logged()}")


def _end(process: int, name: str) -> None:
    """End a process if it is still the one of that name."""
    if not _is(process, name):
        return
    os.kill(process, signal.SIGTERM)
    for _ in range(100):
        time.sleep(0.1)
        if not _is(process, name):
            return
    os.kill(process, signal.SIGKILL)


def _is(process: int, name: str) -> bool:
    with suppress(OSError):
        return name in Path(f"/proc/{process}/cmdline").read_text()
    return False


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _host() -> str:
    """Return this machine's short name: slurmctld runs under no other."""
    return socket.gethostname().partition(".")[0]


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def main(arguments: list[str]) -> int:
    """Start or stop a node from the shell."""
    if len(arguments) != 2 or arguments[0] not in ("start", "stop"):
        print("slurm_node.py start FOLDER | stop FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[1]).absolute()
    if arguments[0] == "stop":
        SlurmNode(folder).stop()
        (folder / "slurm.conf").unlink(missing_ok=True)
        return 0
    try:
        node = start(folder)
    except SlurmError as error:
        print(f"slurm_node.py: {error}", file=sys.stderr)
        return 1
    print(f"export SLURM_CONF={node.folder / 'slurm.conf'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
