"""What a worker of a local cluster does first, by the name that Dask looks for in a module that it loads before."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C, which the terminal sends to all processes, to the command: it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
