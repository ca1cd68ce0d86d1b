"""What to try after the demo: one command for each ability."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NextStep:
    """An ability, and a command that shows it.

    Parameters
    ----------
    ability : str
        In a few words.
    command : str
        Line for a shell.
    """

    ability: str
    command: str


_STEPS = (
    ("names for the pulses of your own runs", "discrimen run --mixed CF252 --gamma CO60 -o OUT"),
    (
        "the default network, which leaks less",
        "discrimen label {0}/train.BIN --method truth -o set.lh5 && discrimen train set.lh5 -o model",
    ),
    ("time of a pulse beside other engines", "discrimen bench {0}/demo.discrimen"),
    ("the network in C++, as one header", "discrimen freeze {0}/model -o m.discrimen --cpp model.hpp"),
    ("scores while a run is taken", "discrimen stream {0}/demo.discrimen --follow {0}/test.BIN -o online.h5"),
    ("jobs for a cluster", "discrimen batch slurm {0}/demo.discrimen {0}/t*.BIN -o scores --jobs jobs --time 00:10:00"),
    ("pulses stored as four numbers each", "discrimen encode {0}/autoencoder.discrimen {0}/test.BIN -o codes.h5"),
    ("a network for an FPGA", "discrimen fpga -h"),
    ("hits in a germanium crystal", "discrimen simulate --detector greta-a --energy-kev 300 -n 1000 -o hits.h5"),
)


def next_steps(folder: Path) -> tuple[NextStep, ...]:
    """Return what to try with what the demo left in a folder."""
    quoted = shlex.quote(str(folder))
    return tuple(NextStep(ability, command.format(quoted)) for ability, command in _STEPS)
