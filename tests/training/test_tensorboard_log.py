from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.training import TrainingConfig, train

pytestmark = pytest.mark.drawn

SCALARS = {"loss/training", "loss/validation", "accuracy/training", "accuracy/validation", "epoch/duration_s"}
IMAGES = {"roc", "scores", "best/roc", "best/scores"}


@pytest.fixture(scope="module")
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logged") / "model"
    train(toy_pulses(50), PREPARATION, TrainingConfig(epochs=11), folder=folder)
    return folder / "tensorboard"


def test_scalars_and_images_are_logged(log_folder: Path) -> None:
    events = EventAccumulator(str(log_folder))
    events.Reload()
    assert set(events.Tags()["scalars"]) == SCALARS
    assert set(events.Tags()["images"]) == IMAGES
    assert [event.step for event in events.Scalars("loss/validation")] == list(range(1, 12))
    assert [event.step for event in events.Images("roc")] == [1, 10]
    assert events.Images("best/roc")[0].encoded_image_string.startswith(b"\x89PNG")


def test_the_curve_of_the_training_is_a_png(log_folder: Path) -> None:
    assert (log_folder.parent / "training.png").read_bytes().startswith(b"\x89PNG")


def test_a_tensorboard_server_shows_them(log_folder: Path) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(log_folder), "--host", "127.0.0.1", "--port", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}/data/plugin"
        scalars = wait_for_json(f"{base}/scalars/tags", SCALARS)
        images = wait_for_json(f"{base}/images/tags", IMAGES)
        run = next(iter(scalars))
        points = wait_for_json(f"{base}/scalars/scalars?run={run}&tag=loss/validation", set())
    finally:
        server.terminate()
        server.wait(timeout=30)
    assert set(scalars[run]) == SCALARS
    assert set(images[run]) == IMAGES
    assert [step for _, step, _ in points] == list(range(1, 12))


def free_port() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def wait_for_json(url: str, tags: set[str]) -> Any:
    """Ask until the answer holds the tags; the server reads its files in the background."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                values = json.load(answer)
        except (URLError, ConnectionError):
            values = None
        if values and (not tags or tags <= set(next(iter(values.values())))):
            return values
        time.sleep(0.5)
    raise AssertionError(f"{url} did not answer with {tags}, but {values}")
