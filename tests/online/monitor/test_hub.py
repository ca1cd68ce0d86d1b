"""A view is encoded once for all who look at it; who is slow misses views, who does not look gets none."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tests.online.monitor.made import fed_watch

from discrimen.errors import DataError
from discrimen.online.monitor import hub as hub_module
from discrimen.online.monitor.hub import Hub, Viewer
from discrimen.online.monitor.state import State
from discrimen.online.monitor.view import unpack


@dataclass
class FakeLine:
    free: bool = True
    sent: list[bytes] = field(default_factory=list)

    def is_free(self) -> bool:
        return self.free

    def send(self, content: bytes) -> None:
        self.sent.append(content)


def looked_at(n_viewers: int) -> tuple[Hub, list[Viewer], list[FakeLine]]:
    watch, now_s = fed_watch(3)
    hub = Hub(watch, "ipc:///side", lambda: now_s)
    lines = [FakeLine() for _ in range(n_viewers)]
    viewers = [Viewer(line) for line in lines]
    hub.viewers.update(viewers)
    return hub, viewers, lines


def test_a_view_is_encoded_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    encode = hub_module.encode_view
    monkeypatch.setattr(
        hub_module,
        "encode_view",
        lambda watch, places, **given: encoded.append(places) or encode(watch, places, **given),
    )
    hub, viewers, lines = looked_at(5)
    hub.asked(viewers[0], '{"channels": [[0, 2], [0, 1], [0, 2]]}')
    hub.asked(viewers[1], b'{"channels": [[0, 1], [0, 2]]}')
    hub.tick()
    assert sorted(encoded, key=str) == [((0, 1), (0, 2)), None]
    assert lines[0].sent[0] is lines[1].sent[0]
    assert lines[2].sent[0] is lines[4].sent[0]
    assert unpack(lines[0].sent[0])[0]["selected"] == [[0, 1], [0, 2]]


def test_slow_pages_skip_views_and_hidden_ones_get_none() -> None:
    hub, viewers, lines = looked_at(3)
    lines[0].free = False
    hub.asked(viewers[1], '{"paused": true}')
    hub.tick()
    hub.tick()
    assert [len(line.sent) for line in lines] == [0, 0, 2]
    assert viewers[0].n_skipped == 2
    lines[0].free = True
    hub.asked(viewers[1], '{"paused": false, "channels": null}')
    hub.tick()
    assert [len(line.sent) for line in lines] == [1, 1, 3]


def test_reset_forgets_the_counts() -> None:
    hub, viewers, _ = looked_at(1)
    assert hub.watch.counts(None)[0] == 1200
    hub.asked(viewers[0], '{"reset": true}')
    assert hub.watch.counts(None)[0] == 0


@pytest.mark.parametrize(
    "wish",
    [
        *("", "[]", "7", "{", "[" * 100_000, b"\xff\xfe"),
        *(
            f'{{"channels": {given}}}'
            for given in ("5", "[[0]]", "[[0, -1]]", "[[0, 1.5]]", "[[true, 1]]", '[["a", 1]]')
        ),
        '{"channels": [' + "[0,1]," * 600 + "[0,1]]}",
    ],
)
def test_what_no_page_asks_for_is_refused(wish: str | bytes) -> None:
    hub, viewers, _ = looked_at(1)
    with pytest.raises(DataError):
        hub.asked(viewers[0], wish)


def test_the_terminal_is_told_when_it_is_otherwise_with_the_stream() -> None:
    watch, now_s = fed_watch(3)
    told: list[State] = []
    times = [now_s, now_s, now_s + 20, now_s + 30]
    hub = Hub(watch, "ipc:///side", lambda: times[0], told.append)
    for _ in range(4):
        hub.tick()
        times.pop(0) if len(times) > 1 else None
    assert [each.title for each in told] == ["running", "no stream"]
