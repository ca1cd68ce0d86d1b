"""The Verilog of a chip: the network by alkaid, and the front end and top that this package brings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from discrimen.errors import SettingsError, require_module
from discrimen.fpga.chip_model import CLASSES
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.front_end_timing import FrontEndTiming, timing_of
from discrimen.output.files import write_files

TOP, NETWORK, AXI_TOP = "discrimen_top", "network_wrapper", "discrimen_axi_stream"
ADDER = "shift_adder.v"
"""Takes the place of alkaid's, which Yosys makes two rows of carries of where it subtracts what was shifted."""
VETO = "discrimen_veto.v"
"""An example beside the sources, of which it is none."""
STAGE_DELAYS = (2.5, 2.25, 2.0)
"""Delays between registers in alkaid's unit, of which the first that reaches the asked clock is taken; from 2.5 on up
the clock falls by more than a register costs."""

_LATENCY_AROUND = 2
_AXI_SAMPLE_BITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Verilog of a chip and what is known of it.

    Parameters
    ----------
    folder : Path
        Where its files lie.
    sources : tuple of Path
        All of them, top first.
    network_sources : tuple of Path
        Those of the network alone.
    front_end : FrontEnd
        What it makes windows of.
    timing : FrontEndTiming
        Its clocks, and how many samples come with each.
    logit_bits, logit_fraction : int
        Width of a logit, and how many of its bits stand behind the binary point.
    network_latency : int
        Clocks from the network's input to its output.
    margin : int
        A neutron has logit_neutron - logit_gamma of at least this, in steps of 2**-logit_fraction.
    """

    folder: Path
    sources: tuple[Path, ...]
    network_sources: tuple[Path, ...]
    front_end: FrontEnd
    timing: FrontEndTiming
    logit_bits: int
    logit_fraction: int
    network_latency: int
    margin: int

    @property
    def latency(self) -> int:
        """Clocks from the edge that takes the last sample of a window to the decision."""
        return self.network_latency + _LATENCY_AROUND + self.timing.delay

    @property
    def samples_per_clock(self) -> int:
        """Samples that come with each clock."""
        return self.timing.samples_per_clock

    @property
    def reset_clocks(self) -> int:
        """How long reset must be held."""
        return self.timing.reset_clocks


class NetworkVerilog(NamedTuple):
    """Verilog of a network.

    Parameters
    ----------
    sources : tuple of Path
        Its files.
    bits, fraction : int
        Width of each of its outputs, and how many of the bits stand behind the binary point.
    latency : int
        Clocks from its input to its output.
    """

    sources: tuple[Path, ...]
    bits: int
    fraction: int
    latency: int


def write_network(logic: Any, folder: Path, *, stage_delay: float = STAGE_DELAYS[0]) -> NetworkVerilog:
    """Write the Verilog of a network alone into ``network`` of a folder; see :func:`write_design`."""
    pipeline = require_module("alkaid.trace.pipeline", extra="fpga")
    codegen = require_module("alkaid.codegen", extra="fpga")
    machine = pipeline.to_pipeline(logic, latency_cutoff=stage_delay, verbose=False, reg_inp=False)
    made = codegen.RTLModel(machine, folder / "network", prj_name="network", print_latency=False, ternary_fuse=False)
    made.write()
    write_files(folder / "network/src/static", {ADDER: rtl_text(ADDER)})
    port = machine.out_signals[0]
    sign, integer, fraction = (max(int(each[i]) for each in port.precisions) for i in range(3))
    found = (folder / "network/src").glob("*.v"), (folder / "network/src/static").glob("*.v")
    sources = tuple(path for part in found for path in sorted(part))
    return NetworkVerilog(sources, sign + integer + fraction, fraction, int(port.schedule.bias))


def write_design(
    logic: Any,
    front_end: FrontEnd,
    folder: Path,
    *,
    threshold: float,
    axi: bool,
    samples_per_clock: int = 1,
    stage_delay: float = STAGE_DELAYS[0],
) -> Design:
    """Write the Verilog of a chip.

    Parameters
    ----------
    logic : alkaid.types.CombLogic
        Of :func:`~discrimen.fpga.emulator.combinational`.
    front_end : FrontEnd
        What feeds it.
    folder : Path
        Made if need be.
    threshold : float
        Least logit_neutron - logit_gamma of a neutron.
    axi : bool
        Also write the top with AXI4-Stream ports.
    samples_per_clock : int
        1, 2 or 4.
    stage_delay : float
        Longest row of adders between two registers.

    Raises
    ------
    SettingsError
        If no difference of logits reaches the threshold, or so many samples a clock are not known.
    OutputError
        If the folder cannot be written.
    """
    timing = timing_of(front_end, samples_per_clock)
    network = write_network(logic, folder, stage_delay=stage_delay)
    logit_bits, fraction = network.bits, network.fraction
    margin = math.ceil(threshold * 2**fraction)
    if not abs(margin) < 2**logit_bits:
        raise SettingsError(
            f"the threshold {threshold:g} lies beyond every difference of logits, at most "
            f"{2.0 ** (logit_bits - fraction):g}: choose another neutron efficiency"
        )
    values = {
        **front_end_parameters(front_end, samples_per_clock),
        "gamma_place": CLASSES.index("gamma"),
        "neutron_place": CLASSES.index("neutron"),
        "module": NETWORK,
        "logit_bits": logit_bits,
        "logit_fraction": fraction,
        "network_latency": network.latency,
        "margin": margin,
        "latency": network.latency + _LATENCY_AROUND + timing.delay,
        "reset_clocks": timing.reset_clocks,
    }
    names = [f"{TOP}.v", *([f"{AXI_TOP}.v"] if axi else [])]
    texts = {name: Template(rtl_text(name)).substitute(values) for name in names}
    front = f"{_front_end_module(samples_per_clock)}.v"
    write_files(folder, {VETO: Template(rtl_text(VETO)).substitute(values)})
    own = write_files(folder, {**texts, front: rtl_text(front)})
    return Design(
        folder=folder,
        sources=(*own, *network.sources),
        network_sources=network.sources,
        front_end=front_end,
        timing=timing,
        logit_bits=logit_bits,
        logit_fraction=fraction,
        network_latency=network.latency,
        margin=margin,
    )


def rtl_text(name: str) -> str:
    """Return a file of the package's Verilog and C++."""
    return (files("discrimen.fpga") / "rtl" / name).read_text(encoding="utf-8")


def mutated(design: Design, *, name: str, old: str, new: str, folder: Path) -> tuple[Path, ...]:
    """Write the sources with a fault in one of them, for the test of a test bench.

    Raises
    ------
    ValueError
        If the text to replace is not there exactly once.
    """
    changed: list[Path] = []
    for path in design.sources:
        if path.name != name:
            changed.append(path)
            continue
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"expected {old!r} once in {name}, found it {text.count(old)} times")
        changed.extend(write_files(folder, {name: text.replace(old, new)}))
    return tuple(changed)


def without(sources: Sequence[Path], name: str) -> tuple[Path, ...]:
    """Return the sources but one."""
    return tuple(path for path in sources if path.name != name)


def _front_end_module(samples_per_clock: int) -> str:
    return "front_end" if samples_per_clock == 1 else "front_end_wide"


def front_end_parameters(front_end: FrontEnd, samples_per_clock: int = 1) -> dict[str, Any]:
    """Return what the tops are told of the front end."""
    parameter = "" if samples_per_clock == 1 else "\n      .SAMPLES(SAMPLES),"
    lanes = [f"s_axis_tdata[{_AXI_SAMPLE_BITS * lane}+:ADC_BITS]" for lane in range(samples_per_clock)]
    return {
        **front_end.as_dict(),
        "samples": samples_per_clock,
        "front_end": f"{_front_end_module(samples_per_clock)} #({parameter}",
        "axi_bits": _AXI_SAMPLE_BITS * samples_per_clock,
        "axi_sample": ", ".join(reversed(lanes)),
        "negative": int(front_end.polarity == "negative"),
    }
