from __future__ import annotations

from types import SimpleNamespace

import pytest

from actors import Opening
from andond.api.portal import DeskBusy
from andond.api.portal_analytics import HistoryAway
from andond.floor_doors import DeniedSession
from andond.portal_doors import TOP_LIMIT, ConsoleDesk, PortalDoors
from domain import Event, Priority, Refused, rfc3339
from domain.chain import HOUR, ChainView, Now, Surroundings, begin_of, folded
from transport import ClientAddress, Close, Door, Request, Send
from transport.dialects.portal import DOORS, ConsoleQuestion, Guest

AT = 1_800_000_000.0
GUESTS = {"good": Guest("anna", frozenset({"ADMIN"}))}


def request(path: str, **headers: str) -> Request:
    return Request("GET", path, {}, headers, b"", ClientAddress("127.0.0.1"), secure=False, target=path)


def link(name: str = "c1", queued: int = 0) -> SimpleNamespace:
    stream = SimpleNamespace(ledger=lambda: (SimpleNamespace(queued=queued), SimpleNamespace(queued=1)))
    return SimpleNamespace(id=name, recollection=None, stream=stream)


def opening(door: Door | None) -> Opening:
    assert door is not None
    assert isinstance(door.context, Opening)
    return door.context


class Data:
    """A chain view without the desk that owns it."""

    def __init__(self) -> None:
        self.view = ChainView(60.0, 30.0)
        self.busy = False
        self.away = False

    async def read(self, reading):
        if self.busy:
            raise DeskBusy
        return reading(Now(self.view, AT), Surroundings())

    async def history(self, span, begin, end, limit):
        if self.away:
            raise HistoryAway
        assert (span, end - begin <= 24 * HOUR + 1, limit) == (HOUR, True, 24)
        return folded(self.view.tally.copy(), span), False

    def take(self, type_: str, **data: object) -> None:
        self.view.take(Event("1", "/chain", type_, data, AT, Priority.NORMAL), AT)


def test_a_path_that_is_none_of_the_portal_s_is_left_to_others():
    assert PortalDoors()(request("/stream")) is None


@pytest.mark.parametrize("path", DOORS)
def test_without_anybody_who_checks_tokens_a_token_proves_nothing(path):
    doors = PortalDoors()
    assert doors(request(path, authorization="Bearer good")) is doors(request(path))


@pytest.mark.parametrize("path", DOORS)
def test_a_token_that_is_taken_says_who_is_there_and_nobody_waits_for_a_word(path):
    door = PortalDoors(tokens=GUESTS.get)(request(path, authorization="Bearer good"))
    assert not opening(door).must_introduce
    assert door.name == DOORS[path].word


@pytest.mark.parametrize("path", DOORS)
def test_a_token_that_is_not_taken_closes_only_where_one_must_be_good(path):
    doors = PortalDoors(tokens=GUESTS.get)
    session = opening(doors(request(path, authorization="Bearer bad"))).session(link(), request(path))
    closes = [step for step in session.opened(AT) if isinstance(step, Close)]
    assert [step.code for step in closes] == ([1008] if path == "/ws/transactions" else [])
    assert isinstance(session, DeniedSession) == bool(closes)


def test_who_is_behind_a_door_is_counted_until_it_leaves():
    doors = PortalDoors(tokens=GUESTS.get)
    path = "/ws/transactions"
    guest, known = opening(doors(request(path))), opening(doors(request(path, authorization="Bearer good")))
    guest.session(link("a", 3), request(path))
    known.session(link("b", 4), request(path))
    counted = doors.crowds[path].statistics(AT)
    assert counted == {
        "totalSessions": 2,
        "authenticatedSessions": 1,
        "uniqueUsers": 1,
        "activeChannels": 0,
        "queuedMessages": 9,
    }
    guest.ended(link("a"))
    known.ended(link("b"))
    assert len(doors.crowds[path]) == 0


def test_who_says_nothing_at_v11_is_late_in_the_predecessor_s_words():
    context = opening(PortalDoors()(request("/ws/v11")))
    assert context.must_introduce
    assert context.late == (1008, "Authentication timeout")
    session = PortalDoors(tokens=GUESTS.get)(request("/ws/v11", authorization="Bearer good"))
    assert opening(session).session(link(), request("/ws/v11")).opened(AT) == []


def test_each_connection_has_an_id_of_its_own():
    context = opening(PortalDoors()(request("/ws/channels")))
    greetings = []
    for _ in range(2):
        step = context.session(link(), request("/ws/channels")).opened(AT)[0]
        assert isinstance(step, Send)
        greetings.append(step.frame.data)
    assert greetings[0] != greetings[1]


async def test_the_console_is_answered_from_the_present_view():
    data = Data()
    data.take("chain.block", blockHeight=7, blockTime=1000, transactions=5)
    data.take("chain.transaction", txHash="0x1", status="SUCCESS")
    for number in range(TOP_LIMIT + 2):
        data.take("validator.status", validator=f"v{number}", status="ACTIVE", votingPower=number)
    data.take("validator.status", validator="powerless", status="JAILED")
    desk = ConsoleDesk(data, lambda: AT)
    overview = await desk(ConsoleQuestion("initial_data"))
    assert overview["chainHeight"] == 7
    analytics = await desk(ConsoleQuestion("analytics"))
    top = analytics["topValidators"]
    assert [row["validatorId"] for row in top[:2]] == ["v11", "v10"]
    assert (len(top), top[0]["active"], top[0]["stakeAmount"]) == (TOP_LIMIT, True, None)
    hour = rfc3339(begin_of(AT, HOUR))
    assert (analytics["transactionsByHour"], analytics["chainGrowth"]) == ({hour: 5}, {hour: 7})
    # Nobody watched for a time that has a length.
    assert analytics["tpsByHour"] == {}
    data.view.tally.cover(AT, AT + 2)
    assert set((await desk(ConsoleQuestion("analytics")))["tpsByHour"]) == {hour}
    assert len((await desk(ConsoleQuestion("validators", 3)))["validators"]) == 3
    assert (await desk(ConsoleQuestion("transactions")))["transactions"][0]["txHash"] == "0x1"
    assert overview["provenance"]["source"] == "/chain"


async def test_a_history_that_cannot_be_read_is_null_with_a_reason():
    data = Data()
    data.away = True
    analytics = await ConsoleDesk(data)(ConsoleQuestion("analytics"))
    for name in ("transactionsByHour", "tpsByHour", "chainGrowth"):
        assert (analytics[name], analytics["reasons"][name]) == (None, "the history cannot be read now")


async def test_a_desk_that_is_behind_refuses_the_console():
    data = Data()
    data.busy = True
    with pytest.raises(Refused, match="did not answer in time"):
        await ConsoleDesk(data)(ConsoleQuestion("analytics"))


async def test_another_question_is_a_fault_of_ours():
    with pytest.raises(TypeError, match="no question of the console"):
        await ConsoleDesk(Data())("what time is it")
