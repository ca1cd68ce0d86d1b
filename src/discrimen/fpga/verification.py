"""Every step of the flow against the one before, on streams, down to the clock of each decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.fpga.float_network import network_input
from discrimen.fpga.simulator import build_simulation, run_simulation
from discrimen.fpga.verilog import AXI_TOP, TOP, Design, rtl_text
from discrimen.output.files import write_files

_COLUMNS = 5
_DECISIONS = "decisions.bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How often two forms of the chip differ on one stimulus.

    Parameters
    ----------
    step : str
        What is compared with what.
    stimulus : str
        On which windows or stream.
    n_windows : int
        Decisions that are expected.
    n_mismatches : int
        Decisions that are missing, differ in any bit or clock, or were not expected.
    """

    step: str
    stimulus: str
    n_windows: int
    n_mismatches: int


def expected_decisions(logic: Any, design: Design, streams: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Compute what the chip must decide, by the emulators of front end and network.

    Returns
    -------
    ndarray of int64, shape (decision, 5)
        Stream, clock (edges since the one that takes sample 0), is_neutron, logit_gamma and logit_neutron in steps of
        their last bit. The register at the output of the AXI4-Stream top is not counted.
    """
    front_end, rows = design.front_end, []
    for number, stream in enumerate(streams.values()):
        found = front_end.windows(stream)
        if not len(found.trigger):
            continue
        steps = logit_steps(logic, design, found.values)
        last = found.trigger - front_end.before + front_end.length - 1
        is_neutron = steps[:, 1] - steps[:, 0] >= design.margin
        rows.append(
            np.column_stack(
                [np.full(len(last), number), last // design.samples_per_clock + design.latency, is_neutron, steps]
            )
        )
    return np.concatenate(rows).astype(np.int64) if rows else np.zeros((0, _COLUMNS), np.int64)


def logit_steps(logic: Any, design: Design, values: NDArray[Any]) -> NDArray[np.int64]:
    """Compute the logits of windows by the emulator, in steps of their last bit, shape (window, 2)."""
    logits = logic.predict(network_input(values).astype(np.float64), n_threads=1).reshape(-1, 2)
    steps: NDArray[np.int64] = np.rint(logits * 2**design.logit_fraction).astype(np.int64)
    return steps


def simulated_decisions(
    sources: Sequence[Path],
    design: Design,
    given: Path,
    *,
    folder: Path,
    top: str = TOP,
    include: Sequence[Path] = (),
) -> NDArray[np.int64]:
    """Run Verilog with the ports of either top on streams, see :func:`write_streams`.

    Returns
    -------
    ndarray of int64, shape (decision, 5)
        As of :func:`expected_decisions`.

    Raises
    ------
    ToolError
        If it cannot be built or run.
    """
    (bench,) = write_files(folder, {"stream_bench.cpp": rtl_text("stream_bench.cpp")})
    constants = {
        "LOGIT_BITS": design.logit_bits,
        "ADC_BITS": design.front_end.adc_bits,
        "SAMPLES": design.samples_per_clock,
        "AXI": int(top == AXI_TOP),
    }
    program = build_simulation(sources, bench, top=top, folder=folder / "build", constants=constants, include=include)
    run_simulation(program, given, folder / _DECISIONS)
    return read_decisions(folder)


def read_decisions(folder: Path) -> NDArray[np.int64]:
    """Return what the last simulation in a folder decided, see :func:`simulated_decisions`."""
    return np.fromfile(folder / _DECISIONS, np.int64).reshape(-1, _COLUMNS)


def write_streams(path: Path, design: Design, streams: Mapping[str, NDArray[Any]]) -> None:
    """Write streams as the test bench reads them.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    parts = [np.array([len(streams), design.reset_clocks, design.latency + 2])]
    for stream in streams.values():
        parts += [np.array([len(stream)]), stream]
    write_files(path.parent, {path.name: np.concatenate(parts).astype("<i4").tobytes()})


def compare(
    step: str, expected: NDArray[np.int64], got: NDArray[np.int64], names: Sequence[str]
) -> tuple[Comparison, ...]:
    """Count for each stream the decisions that are missing, different or not expected.

    Parameters
    ----------
    step : str
        What is compared with what.
    expected, got : ndarray of int64, shape (decision, 5)
        As of :func:`expected_decisions`.
    names : sequence of str
        Of the streams.
    """
    found = []
    for number, name in enumerate(names):
        wanted = {tuple(row) for row in expected[expected[:, 0] == number].tolist()}
        came = {tuple(row) for row in got[got[:, 0] == number].tolist()}
        clocks = {row[1] for row in wanted}
        n_mismatches = len(wanted - came) + sum(row[1] not in clocks for row in came)
        found.append(Comparison(step=step, stimulus=name, n_windows=len(wanted), n_mismatches=n_mismatches))
    return tuple(found)
