"""A gateway that is killed between any two steps of a call's life goes on with the same call."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import websocket

ROOT = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of a random name in it is used
KILLS = 100
PATIENCE = 20.0


@pytest.mark.parametrize("seed", [1])
def test_killed_between_any_two_steps_of_its_life_it_is_the_same_call_with_the_same_timers(seed):
    # Nothing that was written is lost by killing a process, so no disk has to be waited for.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        line = [sys.executable, "-m", "tests.process.killed_calls", f"{directory}/lives", "--seed", str(seed)]
        result = subprocess.run(
            [*line, "--kills", str(KILLS)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
        )
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    assert found["faults"] == {}
    assert found["kills"] >= KILLS
    # Some were killed right between the sending and the noting of it.
    assert found["repeated"] > 0
    assert found["points"] > KILLS


class Client:
    """A native client that follows every call."""

    def __init__(self, port: int) -> None:
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}/stream", timeout=PATIENCE, subprotocols=["andond.v1.json"]
        )
        self.pushed: list[dict] = []
        self._numbers = itertools.count(1)
        self.ask("connect", {"client": "tablet7"})
        self.ask("subscribe", {"channel": "andon/*"})

    def ask(self, word: str, body: dict) -> dict:
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, word: body}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                return message.get(word) or message["error"]
            self.pushed.append(message)

    def act(self, type_: str, key: str, **arguments: object) -> dict:
        who = {name: arguments.pop(name) for name in ("by", "station") if name in arguments}
        return self.ask("act", {"type": f"andon.{type_}", "key": key, "arguments": arguments, **who})

    def told(self, type_: str) -> dict:
        """The event of ``type_``, as soon as it comes."""
        while True:
            for message in self.pushed:
                event = message.get("event", {})
                if event.get("type") == f"andon.call.{type_}":
                    return event
            self.pushed.append(json.loads(self.socket.recv()))


@pytest.fixture
def client():
    opened: list[Client] = []

    def connect(port: int) -> Client:
        opened.append(Client(port))
        return opened[-1]

    yield connect
    for one in opened:
        one.socket.close()


def test_a_call_over_the_native_protocol_is_on_disk_before_its_answer_and_survives_a_kill(
    start_daemon, client, tmp_path
):
    (tmp_path / "data").mkdir()
    config = f"[storage]\npath = '{tmp_path / 'data'}'\n"
    daemon = start_daemon(config=config)
    board, tablet = client(daemon.port), client(daemon.port)
    place = "acme/line3/st4"
    raised = tablet.act("raise", "t7-1", equipment=place, type="stop", text="jam", by="kim", station="st4")
    assert (raised["kept"], raised["result"]["state"], raised["result"]["raised_by"]) == (True, "raised", "kim")
    id_ = raised["result"]["id"]
    event = board.told("raised")
    assert (event["data"]["call"], event["channel"], event["data"]["station"]) == (id_, f"andon/{place}", "st4")
    assert "criticaloffset" in event
    conflict = tablet.act("raise", "t7-2", equipment=place, type="stop", by="max")
    assert (conflict["code"], conflict["details"]["call"]["id"]) == (107, id_)
    assert tablet.act("acknowledge", "t7-3", call=id_)["result"]["acknowledged"]["by"] == "tablet7"
    assert board.told("acknowledged")["data"]["by"] == "tablet7"
    for type_, arguments, code in [
        ("acknowledge", {}, 107),
        ("acknowledge", {"call": "c9"}, 102),
        ("cancel", {"call": id_, "by": "max"}, 103),
        ("dance", {}, 104),
    ]:
        assert tablet.act(type_, f"t7-{type_}-{code}", **arguments)["code"] == code
    daemon.stop(signal.SIGKILL)
    daemon = start_daemon(config=config)
    tablet = client(daemon.port)
    # What was answered is known: the same acts change nothing.
    again = tablet.act("raise", "t7-1", equipment=place, type="stop", text="jam", by="kim", station="st4")
    assert again == raised
    arrived = tablet.act("arrive", "t7-9", call=id_)
    assert (arrived["result"]["state"], arrived["result"]["acknowledged"]["by"]) == ("in_progress", "tablet7")
    assert tablet.told("arrived")["data"]["step"] == arrived["result"]["step"]
