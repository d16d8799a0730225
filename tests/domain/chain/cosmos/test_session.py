"""The subscriptions of a connection: asked, granted, refused, cancelled, unanswered, silent (V15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.chain.cosmos import (
    QUERIES_LIMIT,
    Cancelled,
    Heard,
    Lane,
    Opened,
    Query,
    Reconnect,
    Refused,
    Release,
    Send,
    Session,
    State,
    Stray,
    queries_of,
)
from domain.chain.cosmos.session import REPLY_WITHIN, TRANSITIONS, Said

NEW, OLD = Release(0, 38), Release(0, 34)
AT = 1000.0
EVENT = {"query": "", "data": {"type": "tendermint/event/NewBlockHeader", "value": {}}, "events": {}}
CANCELLED = {
    "code": -32000,
    "message": "Server error",
    "data": "subscription was cancelled (reason: client is not pulling messages fast enough)",
}
FULL = {"code": -32603, "message": "Internal error", "data": "max_subscriptions_per_client 5 reached"}
UNREADABLE = {"code": -32603, "message": "Internal error", "data": "failed to parse query: offset 10: got EXISTS"}


def granted(number: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "result": {}}


def told(number: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "result": EVENT}


def refused(number: object, error: object = FULL) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "error": error}


def critical(quiet_after: float | None = None) -> Session:
    session = Session(queries_of(Lane.CRITICAL, NEW), quiet_after)
    session.opened(AT)
    return session


def running(quiet_after: float | None = None) -> Session:
    session = critical(quiet_after)
    for number in (1, 2, 3):
        session.received(granted(number), AT + 1)
    return session


def texts(lane: Lane, release: Release) -> list[str]:
    return [query.text for query in queries_of(lane, release)]


def test_what_must_not_wait_has_a_connection_of_its_own():
    assert texts(Lane.CRITICAL, NEW) == [
        "tm.event='NewBlockEvents' AND slash.jailed EXISTS",
        "tm.event='ValidatorSetUpdates'",
        "tm.event='NewBlockHeader'",
    ]
    assert texts(Lane.CRITICAL, OLD)[0] == "tm.event='NewBlock' AND slash.jailed EXISTS"
    for release in (OLD, NEW):
        assert texts(Lane.BULK, release) == [
            "tm.event='NewBlock'",
            "tm.event='NewRoundStep'",
            "tm.event='NewRound'",
            "tm.event='Tx'",
        ]


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("release", [OLD, NEW])
def test_no_connection_asks_for_more_than_a_node_allows(lane, release):
    assert 0 < len(queries_of(lane, release)) <= QUERIES_LIMIT


@pytest.mark.parametrize("count", [0, 6])
def test_a_session_of_too_many_queries_is_our_own_mistake(count):
    with pytest.raises(ValueError, match=f"{count} queries"):
        Session(tuple(Query(str(number), "") for number in range(count)))


def test_all_queries_are_asked_for_at_once_each_with_its_id():
    session = Session(queries_of(Lane.CRITICAL, NEW))
    asked = session.opened(AT)
    assert asked == [
        Send({"jsonrpc": "2.0", "id": number, "method": "subscribe", "params": {"query": text}})
        for number, text in enumerate(texts(Lane.CRITICAL, NEW), 1)
    ]
    assert set(session.states().values()) == {State.ASKED}
    assert not session.is_open


def test_a_connection_is_open_when_every_query_was_taken():
    session = critical()
    jails, updates, headers = queries_of(Lane.CRITICAL, NEW)
    assert session.received(granted(2), AT + 1) == [Opened(updates)]
    assert session.received(granted(1), AT + 1) == [Opened(jails)]
    assert not session.is_open
    assert session.received(granted(3), AT + 1) == [Opened(headers)]
    assert session.is_open
    assert session.received(told(3), AT + 2) == [Heard(headers, EVENT)]


def test_an_event_that_overtakes_the_reply_is_not_lost():
    session = critical()
    headers = queries_of(Lane.CRITICAL, NEW)[2]
    assert session.received(told(3), AT) == [Opened(headers), Heard(headers, EVENT)]
    assert session.received(granted(3), AT) == []
    assert session.states()["NewBlockHeader"] is State.OPEN


def test_a_refused_subscription_is_said_and_the_connection_given_up():
    session = critical()
    headers = queries_of(Lane.CRITICAL, NEW)[2]
    reason = "Internal error: max_subscriptions_per_client 5 reached"
    assert session.received(refused(3), AT) == [
        Refused(headers, reason),
        Reconnect(f"NewBlockHeader was refused: {reason}"),
    ]
    assert (session.is_over, session.is_open) == (True, False)


def test_a_cancelled_subscription_is_said_and_the_connection_given_up():
    session = running()
    jails = queries_of(Lane.CRITICAL, NEW)[0]
    cancelled, reconnect = session.received(refused(1, CANCELLED), AT + 9)
    assert isinstance(cancelled, Cancelled)
    assert cancelled.query == jails
    assert "client is not pulling messages fast enough" in cancelled.reason
    assert isinstance(reconnect, Reconnect)
    assert session.states()["jails"] is State.CANCELLED


def test_a_filter_that_a_node_cannot_read_is_replaced_by_a_plainer_one():
    session = critical()
    was_refused, again = session.received(refused(1, UNREADABLE), AT + 1)
    assert isinstance(was_refused, Refused)
    plainer = {"query": "tm.event='NewBlockEvents'"}
    assert again == Send({"jsonrpc": "2.0", "id": 4, "method": "subscribe", "params": plainer})
    # The old id is nobody's any more.
    assert [type(step) for step in session.received(granted(1), AT + 1)] == [Stray]
    assert [type(step) for step in session.received(refused(1, UNREADABLE), AT + 1)] == [Stray]
    for number in (2, 3, 4):
        session.received(granted(number), AT + 1)
    assert session.is_open
    assert session.states()["jails"] is State.OPEN


def test_a_plain_query_that_a_node_cannot_read_is_not_asked_for_again():
    session = critical()
    session.received(refused(1, UNREADABLE), AT)
    assert [type(step) for step in session.received(refused(4, UNREADABLE), AT)] == [Refused, Reconnect]


@pytest.mark.parametrize("error", ["no", {}, 7, {"code": {}, "data": 1}])
def test_an_error_of_any_shape_ends_its_subscription(error):
    assert [type(step) for step in critical().received(refused(2, error), AT)] == [Refused, Reconnect]
    assert [type(step) for step in running().received(refused(2, error), AT)] == [Cancelled, Reconnect]


@pytest.mark.parametrize("number", [0, 4, -1, None, "1", "1#event", True, 1.5, [], {}])
def test_what_carries_no_id_of_ours_is_a_stray(number):
    for message in (granted(number), told(number), refused(number)):
        session = critical()
        (step,) = session.received(message, AT)
        assert isinstance(step, Stray)
        assert set(session.states().values()) == {State.ASKED}


@pytest.mark.parametrize(
    "value", [None, 7, "text", [], {}, {"id": 1}, {"id": 1, "result": None}, {"id": 1, "result": 7}]
)
def test_what_is_no_message_is_a_stray(value):
    assert [type(step) for step in critical().received(value, AT)] == [Stray]


def test_a_subscribe_that_nobody_answers_is_given_up():
    session = critical()
    for number in (1, 2):
        session.received(granted(number), AT + 9)
    assert session.due() == AT + REPLY_WITHIN
    assert session.tick(AT + REPLY_WITHIN - 0.001) == []
    assert session.tick(AT + REPLY_WITHIN) == [Reconnect("no answer to the subscription NewBlockHeader within 10 s")]
    assert session.due() is None


def test_a_connection_on_which_nothing_is_heard_is_given_up():
    session = running(quiet_after=24.0)
    assert session.due() == AT + 25
    session.received(told(3), AT + 20)
    assert session.tick(AT + 25) == []
    assert session.tick(AT + 44) == [Reconnect("nothing heard for 24 s")]


def test_how_long_a_silence_may_be_can_be_learned():
    session = running()
    assert session.due() is None
    assert session.tick(AT + 10_000) == []
    session.quiet_after = 24.0
    assert session.due() == AT + 25


def test_before_it_is_made_a_connection_is_not_silent():
    session = Session(queries_of(Lane.BULK, NEW), quiet_after=1.0)
    assert (session.due(), session.tick(AT + 10_000)) == (None, [])


def test_after_it_was_given_up_nothing_is_said_any_more():
    session = running(quiet_after=1.0)
    session.received(refused(1, CANCELLED), AT)
    assert session.received(told(2), AT) == []
    assert session.received(refused(2, CANCELLED), AT) == []
    assert session.tick(AT + 10_000) == []


def test_the_table_has_every_state_that_is_not_an_end():
    ends = {State.REFUSED, State.CANCELLED}
    assert set(TRANSITIONS) == {(state, said) for state in State if state not in ends for said in Said}
    assert set(TRANSITIONS.values()) == set(State) - {State.ASKED}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "result", "error", "data", "code", "message", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=12))
def test_nothing_that_a_node_sends_raises(values):
    session = critical(quiet_after=5.0)
    for moment, value in enumerate(values):
        session.received(value, AT + moment)
        session.tick(AT + moment)


class Machine(RuleBasedStateMachine):
    """A node that says anything in any order: ids are never used twice, and the end is the end."""

    def __init__(self) -> None:
        super().__init__()
        self.at = AT
        self.session = Session(queries_of(Lane.CRITICAL, NEW), 30.0)
        self.asked: list[object] = []
        self.ends = 0
        self.note(self.session.opened(self.at))

    def note(self, steps: list[object]) -> None:
        was_over = self.ends > 0
        assert not (was_over and steps)
        self.asked += [step.message["id"] for step in steps if isinstance(step, Send)]
        self.ends += sum(isinstance(step, Reconnect) for step in steps)
        # A reconnect is the last word, and whatever ended by the node's word is said before it.
        assert not any(isinstance(step, Reconnect) for step in steps[:-1])

    @rule(number=st.integers(0, 5), make=st.sampled_from([granted, told, refused]))
    def say(self, number, make):
        self.note(self.session.received(make(number), self.at))

    @rule(number=st.integers(1, 4), error=st.sampled_from([CANCELLED, UNREADABLE]))
    def fail(self, number, error):
        self.note(self.session.received(refused(number, error), self.at))

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds):
        self.at += seconds
        self.note(self.session.tick(self.at))

    @precondition(lambda self: not self.session.is_over)
    @rule()
    def wait_until_due(self):
        due = self.session.due()
        if due is not None:
            self.at = max(self.at, due)
            before = self.ends
            self.note(self.session.tick(self.at))
            assert self.ends == before + 1

    @invariant()
    def ids_are_used_once(self):
        assert self.asked == list(range(1, len(self.asked) + 1))
        assert len(self.asked) <= QUERIES_LIMIT

    @invariant()
    def an_end_comes_once(self):
        assert self.ends == int(self.session.is_over)

    @invariant()
    def no_subscription_is_dead_on_a_living_connection(self):
        if not self.session.is_over:
            assert not {State.REFUSED, State.CANCELLED} & set(self.session.states().values())


TestMachine = Machine.TestCase
