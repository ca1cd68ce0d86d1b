"""The Verilog of an encoder on chip, and its comparison with the emulators: code words instead of a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.fpga.float_network import network_input
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.front_end_timing import timing_of
from discrimen.fpga.simulator import build_simulation, run_simulation
from discrimen.fpga.verilog import NETWORK, STAGE_DELAYS, Design, front_end_parameters, rtl_text, write_network
from discrimen.output.files import write_files

ENCODER_TOP = "discrimen_encoder_top"
_BENCH, _CODES = "encoder_bench.cpp", "codes.bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderDesign(Design):
    """Verilog of an encoder: `logit_bits` and `logit_fraction` are those of a code word, the margin means nothing.

    Parameters
    ----------
    n_words : int
        Words of the code.
    """

    n_words: int


def write_encoder_design(
    logic: Any, front_end: FrontEnd, folder: Path, *, n_words: int, stage_delay: float = STAGE_DELAYS[0]
) -> EncoderDesign:
    """Write the Verilog of an encoder behind its front end.

    Parameters
    ----------
    logic : alkaid.types.CombLogic
        Of :func:`~discrimen.fpga.emulator.combinational`.
    front_end : FrontEnd
        What feeds it.
    folder : Path
        Made if need be.
    n_words : int
        Words of the code.
    stage_delay : float
        Longest row of adders between two registers.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    network, timing = write_network(logic, folder, stage_delay=stage_delay), timing_of(front_end, 1)
    values = {
        **front_end_parameters(front_end),
        "module": NETWORK,
        "n_words": n_words,
        "word_bits": network.bits,
        "word_fraction": network.fraction,
        "network_latency": network.latency,
        "reset_clocks": timing.reset_clocks,
    }
    top = f"{ENCODER_TOP}.v"
    texts = {top: Template(rtl_text(top)).substitute(values), "front_end.v": rtl_text("front_end.v")}
    own = write_files(folder, texts)
    return EncoderDesign(
        folder=folder,
        sources=(*own, *network.sources),
        network_sources=network.sources,
        front_end=front_end,
        timing=timing,
        logit_bits=network.bits,
        logit_fraction=network.fraction,
        network_latency=network.latency,
        margin=0,
        n_words=n_words,
    )


def expected_codes(logic: Any, design: EncoderDesign, streams: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Compute what the chip must give, by the emulators of front end and encoder.

    Returns
    -------
    ndarray of int64, shape (code, 2 + word)
        Stream, clock (edges since the one that takes sample 0), words in steps of their last bit.
    """
    rows = [np.zeros((0, 2 + design.n_words), np.int64)]
    for number, stream in enumerate(streams.values()):
        found = design.front_end.windows(stream)
        if not len(found.trigger):
            continue
        words = logic.predict(network_input(found.values).astype(np.float64), n_threads=1).reshape(-1, design.n_words)
        steps = np.rint(words * 2**design.logit_fraction).astype(np.int64)
        last = found.trigger - design.front_end.before + design.front_end.length - 1
        rows.append(np.column_stack([np.full(len(last), number), last + design.latency, steps]))
    return np.concatenate(rows)


def simulated_codes(
    sources: Sequence[Path], design: EncoderDesign, given: Path, *, folder: Path, include: Sequence[Path] = ()
) -> NDArray[np.int64]:
    """Run Verilog with the encoder top's ports on streams, see :func:`~discrimen.fpga.verification.write_streams`.

    Returns
    -------
    ndarray of int64, shape (code, 2 + word)
        As of :func:`expected_codes`.

    Raises
    ------
    ToolError
        If it cannot be built or run.
    """
    (bench,) = write_files(folder, {_BENCH: rtl_text(_BENCH)})
    program = build_simulation(
        sources,
        bench,
        top=ENCODER_TOP,
        folder=folder / "build",
        constants={"WORDS": design.n_words, "WORD_BITS": design.logit_bits},
        include=include,
    )
    run_simulation(program, given, folder / _CODES)
    return np.fromfile(folder / _CODES, np.int64).reshape(-1, 2 + design.n_words)
