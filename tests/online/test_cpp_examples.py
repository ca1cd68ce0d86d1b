"""A sender and a receiver in C++ at the two ends of a stream."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from tests.online.programs import ended, program

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

EXAMPLES = Path(__file__).parents[2] / "cpp" / "examples"
COMPILER = os.environ.get("CXX", "c++")
HEADER = "#include <zmq.h>\nint main() { return zmq_ctx_term(zmq_ctx_new()); }\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    if shutil.which(COMPILER) is None:
        pytest.skip(f"NO COMPILER: {COMPILER}")
    (folder / "there.cpp").write_text(HEADER)
    if subprocess.run([COMPILER, "there.cpp", "-lzmq"], cwd=folder, capture_output=True).returncode:
        pytest.skip("NO LIBZMQ: apt install libzmq3-dev")
    for name in ("send", "receive"):
        source = EXAMPLES / "stream" / f"{name}.cpp"
        flags = ("-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror")
        subprocess.run([COMPILER, *flags, source, "-o", folder / name, "-lzmq"], check=True)
    return folder


def free_port() -> int:
    """Return a port that is free, as is the one behind it, most likely."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_pulses_go_from_cpp_through_the_stream_to_cpp(programs: Path) -> None:
    come, go = free_port(), free_port()
    addresses = [f"tcp://127.0.0.1:{port}" for port in (come, go, go + 1)]
    receive = subprocess.Popen([programs / "receive", *addresses[1:]], stdout=subprocess.PIPE, text=True)
    model = EXAMPLES / "sample" / "bc501a_10ns.discrimen"
    stream = program("stream", model, "--input", addresses[0], "-o", addresses[1])
    send = subprocess.Popen([programs / "send", addresses[0], "30"], stdout=subprocess.PIPE, text=True)
    assert send.communicate(timeout=60)[0] == "30000 pulses sent\n"
    assert receive.communicate(timeout=60)[0].endswith(" neutrons, 0 messages lost\n")
    status, out, err = ended(stream)
    assert status == 0, err
    assert out.startswith("30000 pulses: ")
