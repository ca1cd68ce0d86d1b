"""What the network of a project takes of a 7-series with this package's adder, and with the one that alkaid brings.

Usage: python benchmarks/fpga_adder.py PROJECT
PROJECT is a folder of `discrimen fpga build`.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from discrimen.fpga.synthesis import Cells, map_network
from discrimen.fpga.verilog import ADDER


def alkaids_adder() -> Path:
    """Return alkaid's own module."""
    found = find_spec("alkaid")
    if found is None or found.origin is None:
        raise SystemExit("alkaid is not installed: pip install 'discrimen[fpga]'")
    return Path(found.origin).parent / "codegen/rtl/verilog/source" / ADDER


def measure(project: Path) -> dict[str, Cells]:
    """Map the network of a project with either adder."""
    network = project / "rtl/network/src"
    ours = sorted(network.glob("*.v")) + sorted((network / "static").glob("*.v"))
    theirs = [alkaids_adder() if path.name == ADDER else path for path in ours]
    with tempfile.TemporaryDirectory() as scratch:
        return {
            "this package": map_network(ours, Path(scratch) / "ours"),
            "alkaid": map_network(theirs, Path(scratch) / "theirs"),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    for name, cells in measure(parser.parse_args().project).items():
        print(f"{name}: " + ", ".join(f"{count} {kind}" for kind, count in asdict(cells).items()))


if __name__ == "__main__":
    main()
