from __future__ import annotations

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from actors import Opening
from andond.api.portal import DeskBusy
from andond.api.portal_analytics import HistoryAway
from andond.floor_doors import DeniedSession
from andond.identities import Identities, Terms
from andond.portal_doors import TOP_LIMIT, ConsoleDesk, PortalDoors
from domain import Event, Grounds, Priority, Refused, rfc3339
from domain.access import (
    NO_RIGHTS,
    OPEN_RIGHTS,
    ROLES,
    AccessPolicy,
    Anonymous,
    Identity,
    Proof,
    Rights,
    TokenFault,
    TokenRefused,
)
from domain.chain import HOUR, ChainView, Now, Surroundings, begin_of, folded
from transport import ClientAddress, Close, Door, Request, Response, Send
from transport.dialects.portal import DOORS, ConsoleQuestion

AT = 1_800_000_000.0
PEOPLE = {
    "good": Identity("u1", "anna", frozenset({"ADMIN"}), Proof.TOKEN),
    "fitter": Identity("u2", "fitter", frozenset({"operator"}), Proof.TOKEN),
}
(PUBLIC,) = ROLES["user"].grants


class Verifier:
    """Knows two good tokens, and one that may count in a moment."""

    def verify(self, token: str, at: float) -> Identity:
        assert at > 0
        if token in PEOPLE:
            return PEOPLE[token]
        if token == "soon":  # noqa: S105 - a word of this test
            raise TokenRefused(TokenFault.UNKNOWN_KEY, retry_after=1.0)
        raise TokenRefused(TokenFault.SIGNATURE)


def doors_for(verifier: Verifier | None) -> PortalDoors:
    """The doors of a gateway that shows what is public to who has no token."""
    policy = AccessPolicy(anonymous=Anonymous(PUBLIC.sees))
    return PortalDoors(identities=Identities(lambda: Terms(policy, verifier=verifier)))


def closed_doors() -> PortalDoors:
    """The doors of a gateway that shows nothing to who has no token."""
    return PortalDoors(identities=Identities(lambda: Terms(AccessPolicy(), verifier=Verifier())))


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
def test_where_nobody_is_asked_who_they_are_a_token_proves_nothing(path):
    doors = PortalDoors()
    for door in (doors(request(path, authorization="Bearer good")), doors(request(path))):
        assert opening(door).rights is OPEN_RIGHTS
        session = opening(door).session(link(), request(path))
        assert not isinstance(session, DeniedSession)
    assert doors.crowds[path].statistics(AT)["authenticatedSessions"] == 0


@pytest.mark.parametrize("path", DOORS)
def test_without_anybody_who_checks_tokens_a_token_proves_nothing(path):
    door = doors_for(None)(request(path, authorization="Bearer good"))
    assert opening(door).rights is NO_RIGHTS
    session = opening(door).session(link(), request(path))
    assert isinstance(session, DeniedSession) == (not DOORS[path].waits_for_word)


@pytest.mark.parametrize("path", DOORS)
def test_a_token_that_is_taken_says_who_is_there_and_nobody_waits_for_a_word(path):
    door = closed_doors()(request(path, authorization="Bearer good"))
    assert not opening(door).must_introduce
    assert opening(door).rights.identity is PEOPLE["good"]
    assert door.name == DOORS[path].word


@pytest.mark.parametrize("path", DOORS)
def test_a_token_that_is_not_taken_closes_only_where_one_must_be_good(path):
    doors = doors_for(Verifier())
    door = opening(doors(request(path, authorization="Bearer bad")))
    session = door.session(link(), request(path))
    closes = [step for step in session.opened(AT) if isinstance(step, Close)]
    assert [step.code for step in closes] == ([1008] if path == "/ws/transactions" else [])
    assert isinstance(session, DeniedSession) == bool(closes)
    # Who is nobody has no more than who shows nothing.
    assert door.rights == (NO_RIGHTS if closes else opening(doors(request(path))).rights)


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bad"}, {"authorization": "Bearer fitter"}])
def test_who_sees_nothing_of_the_portal_is_let_in_only_where_a_token_comes_in_a_message(path, headers):
    door = opening(closed_doors()(request(path, **headers)))
    session = door.session(link(), request(path))
    assert isinstance(session, DeniedSession) == (path != "/ws/v11")
    assert not any(map(door.rights.sees_any, ("chain", "portal", "panels")))
    if path != "/ws/v11":
        assert [step.code for step in session.opened(AT)] == [1008]


@pytest.mark.parametrize("path", DOORS)
def test_a_token_whose_key_is_being_fetched_may_come_again(path):
    answer = doors_for(Verifier())(request(path, authorization="Bearer soon"))
    assert isinstance(answer, Response)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("may_query", [True, False])
def test_a_token_stands_in_the_address_only_where_that_is_allowed(path, may_query):
    terms = Terms(AccessPolicy(anonymous=Anonymous(PUBLIC.sees)), query_tokens=may_query, verifier=Verifier())
    asked = replace(request(path), query={"token": ["good"]})
    door = opening(PortalDoors(identities=Identities(lambda: terms))(asked))
    assert door.rights.identity.is_proved is may_query


def test_who_is_behind_a_door_is_counted_until_it_leaves():
    doors = doors_for(Verifier())
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
    for doors in (PortalDoors(), doors_for(Verifier()), closed_doors()):
        context = opening(doors(request("/ws/v11")))
        assert context.must_introduce
        assert context.late == (1008, "Authentication timeout")
    session = doors_for(Verifier())(request("/ws/v11", authorization="Bearer good"))
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
    desk = ConsoleDesk(data, lambda: AT)(OPEN_RIGHTS)
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


def of(*roles: str) -> Rights:
    return AccessPolicy().rights(Identity("u", "u", frozenset(roles), Proof.TOKEN))


@pytest.mark.parametrize(
    ("rights", "told"),
    [
        (NO_RIGHTS, set()),
        (of("operator"), set()),
        (of("user"), {"transactions"}),
        (of("developer"), {"transactions"}),
        (of("validator"), {"transactions", "validators"}),
        (of("admin"), {"transactions", "validators"}),
    ],
)
async def test_the_console_tells_nobody_more_than_the_channels_of_the_same(rights, told):
    data = Data()
    data.take("validator.status", validator="v1", status="ACTIVE", votingPower=5)
    desk = ConsoleDesk(data, lambda: AT)(rights)
    for word in ("transactions", "validators"):
        if word in told:
            assert word in await desk(ConsoleQuestion(word))
            continue
        with pytest.raises(Refused) as refused:
            await desk(ConsoleQuestion(word))
        assert refused.value.grounds is Grounds.NOT_ALLOWED
    analytics = await desk(ConsoleQuestion("analytics"))
    assert ("v1" in str(analytics)) == ("validators" in told)
    assert (analytics["topValidators"] is None) == bool(analytics.get("reasons", {}).get("topValidators"))


async def test_a_history_that_cannot_be_read_is_null_with_a_reason():
    data = Data()
    data.away = True
    analytics = await ConsoleDesk(data)(OPEN_RIGHTS)(ConsoleQuestion("analytics"))
    for name in ("transactionsByHour", "tpsByHour", "chainGrowth"):
        assert (analytics[name], analytics["reasons"][name]) == (None, "the history cannot be read now")


async def test_a_desk_that_is_behind_refuses_the_console():
    data = Data()
    data.busy = True
    with pytest.raises(Refused, match="did not answer in time"):
        await ConsoleDesk(data)(OPEN_RIGHTS)(ConsoleQuestion("analytics"))


async def test_another_question_is_a_fault_of_ours():
    with pytest.raises(TypeError, match="no question of the console"):
        await ConsoleDesk(Data())(OPEN_RIGHTS)("what time is it")
