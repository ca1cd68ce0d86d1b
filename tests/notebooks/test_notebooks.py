"""The notebooks run from the first cell to the last, hold what they show, and may be interrupted."""

from __future__ import annotations

import ast
import json
import re
import runpy
import time
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

import discrimen
from discrimen import plots

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
ENDS_WITH = {
    "first_network": r"(\d+\.\d)% of the pulses have the right name",
    "network_and_charge_comparison": "Robustness",
    "many_channels": r"channel\s+0\s+\d{4}\s+0\.9",
}
N_PICTURES = {"first_network": 2, "network_and_charge_comparison": 4, "many_channels": 1}


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def text_of(outputs: list[Any]) -> str:
    parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(part if isinstance(part, str) else "".join(part) for part in parts)


def test_there_are_three() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(ENDS_WITH)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_kept_is_whole_small_and_nobodys(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    assert len(content) < 250_000
    assert not re.search(r"/work|/home|/root|/tmp|<script", content)
    code = cells(path)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert all(output["output_type"] != "error" for cell in code for output in cell["outputs"])
    assert re.search(ENDS_WITH[path.stem], text_of(code[-1]["outputs"]))
    assert content.count('"image/png"') == N_PICTURES[path.stem]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_name_that_is_called_is_there(path: Path) -> None:
    tree = ast.parse("\n".join("".join(cell["source"]) for cell in cells(path)))
    named = {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    called = {name for home, name in named if home == "discrimen"}
    assert len(called) >= 5
    assert called <= set(discrimen.__all__)
    assert {name for home, name in named if home == "plots"} <= set(plots.__all__)


@pytest.mark.notebooks
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")
def test_a_fresh_kernel_runs_it(path: Path) -> None:
    executed = runpy.run_path(str(FOLDER / "execute.py"))["executed"](path)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    assert all(output.output_type != "stream" or output.name == "stdout" for output in outputs)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == N_PICTURES[path.stem]
    found = re.search(ENDS_WITH[path.stem], text_of(code[-1].outputs))
    assert found is not None
    if found.groups():
        assert float(found[1]) > 95


TRAIN = """
import discrimen
discrimen.simulate("data.lh5", 3_000, seed=1)
model = discrimen.train(discrimen.read("data.lh5"), "model", architecture="mlp", epochs=100_000, patience=None)
print("epochs kept:", model.description.provenance["stopped_by"])
"""
AFTER = 'print(len(discrimen.load("model").predictor.predict(discrimen.read("data.lh5").pulses.samples)))'


def run_cell(client: Any, code: str, *, until: re.Pattern[str] | None = None, act: Any = None) -> list[dict[str, Any]]:
    """Execute a cell, and do something as soon as its messages show a pattern."""
    asked, messages, end_s = client.execute(code), [], time.monotonic() + 120
    while time.monotonic() < end_s:
        try:
            message = client.get_iopub_msg(timeout=1)
        except Empty:
            continue
        if message["parent_header"].get("msg_id") != asked:
            continue
        messages.append({"type": message["msg_type"], **message["content"]})
        if until is not None and until.search(json.dumps(message["content"])):
            act()
            until = None
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return messages
    raise AssertionError(f"the cell did not end: {messages[-3:]}")


@pytest.mark.notebooks
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("after_an_epoch", [True, False])
def test_an_interrupted_training_leaves_a_line_and_a_model(after_an_epoch: bool, tmp_path: Path) -> None:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        seen = re.compile(r"training .* [1-9]\d* of 100000" if after_an_epoch else r"training .* 0 of 100000")
        told = run_cell(client, TRAIN, until=seen, act=manager.interrupt_kernel)
        streams = {each["name"]: each["text"] for each in told if each["type"] == "stream"}
        errors = [each for each in told if each["type"] == "error"]
        if after_an_epoch:
            assert re.fullmatch(
                r"model: interrupted after \d+ epochs; the model there is that of epoch \d+, the best of them; "
                r"discrimen\.resume\(dataset, '.*model'\) goes on\n",
                streams["stderr"],
            )
            assert streams["stdout"] == "epochs kept: interrupt\n"
            assert errors == []
            assert text_of(run_cell(client, AFTER)).strip().endswith("3000")
        else:
            (error,) = errors
            assert error["traceback"] == ["model: interrupted before the first epoch ended; there is no model yet"]
            assert not (tmp_path / "model" / "model.keras").exists()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
