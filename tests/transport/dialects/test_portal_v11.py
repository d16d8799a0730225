from __future__ import annotations

import json

import pytest

from domain.access import AccessPolicy, Anonymous, Identity, Proof
from transport.dialects.portal_filters import encoder_of
from transport.dialects.portal_guests import Guest, Setting, guest_of
from transport.dialects.portal_v11 import PING, V11_CHANNELS, V11Session
from transport.session import Admit, Prompt, Send, Step, Subscribe, Unsubscribe, Withhold

AT = 1730000000.0
AT_MS = 1730000000000
ROLES = {
    "consensus": {"ADMIN"},
    "admin": {"ADMIN"},
    "network": {"VALIDATOR", "ADMIN"},
    "validators": {"VALIDATOR", "ADMIN"},
    "debug": {"DEVELOPER", "ADMIN"},
    "metrics": {"DEVELOPER", "ADMIN"},
}
PUBLIC = [name for name in V11_CHANNELS if name not in ROLES]
SHOWN = ("chain/transactions", "chain/blocks", "panels/analytics")
POLICY = AccessPolicy(anonymous=Anonymous(SHOWN))

Object = dict[str, object]


def setting_of(role: str) -> Setting:
    rights = POLICY.rights(Identity("anna", "anna", frozenset({role}), Proof.TOKEN))
    return Setting(guest=guest_of(rights), rights=rights)


def guests() -> Setting:
    return Setting(rights=POLICY.anonymous)


def told(step: Step) -> Object:
    assert isinstance(step, Send)
    data = step.frame.data
    value: Object = json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])
    return value


def say(session: V11Session, **message: object) -> list[Step]:
    return session.received(json.dumps(message), AT)


def show(session: V11Session, token: object) -> Object:
    (answer,) = session.received(json.dumps({"type": "auth", "token": token}), AT)
    return told(answer)


def test_who_has_no_token_is_told_what_one_is_needed_for() -> None:
    (step,) = V11Session(Setting()).opened(AT)
    assert told(step)["type"] == "auth_required"
    assert V11Session(Setting(guest=Guest("anna"))).opened(AT) == []


def test_the_channels_and_their_rights_are_the_predecessor_s() -> None:
    assert PUBLIC == ["transactions", "blocks", "bridge", "analytics"]
    assert {
        "consensus": {"ADMIN"},
        "admin": {"ADMIN"},
        "network": {"VALIDATOR", "ADMIN"},
        "validators": {"VALIDATOR", "ADMIN"},
        "debug": {"DEVELOPER", "ADMIN"},
        "metrics": {"DEVELOPER", "ADMIN"},
    } == ROLES
    for name, needed in ROLES.items():
        for role in ("ADMIN", "VALIDATOR", "DEVELOPER", "USER"):
            answer = told(say(V11Session(setting_of(role)), type="subscribe", channel=name)[0])
            assert (answer.get("status") == "success") is (role in needed), (name, role)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_channel_needs_no_token(name: str) -> None:
    answer, *rest = say(V11Session(guests()), type="subscribe", channel=name)
    frame = told(answer)
    assert (frame["type"], frame["status"], frame["channel"]) == ("subscribe_response", "success", name)
    assert (frame["filter"], frame["priority"]) == ("", 0)
    channel = V11_CHANNELS[name]
    assert [step.channel for step in rest if isinstance(step, Subscribe)] == ([channel] if channel else [])
    assert ("reasons" in frame) == (not channel)


@pytest.mark.parametrize("name", ROLES)
def test_a_channel_with_a_role_asks_for_a_token_and_then_for_the_role(name: str) -> None:
    answer, _ = say(V11Session(Setting()), type="subscribe", channel=name)
    assert (told(answer)["type"], told(answer)["channel"]) == ("auth_required", name)
    answer, noted = say(V11Session(Setting(guest=Guest("anna"))), type="subscribe", channel=name)
    assert noted == Withhold(f"channel {name} of the portal")
    assert told(answer) == {"type": "error", "message": f"Not authorized to subscribe to channel: {name}"}
    assert name in V11_CHANNELS


def test_a_token_is_taken_only_where_somebody_knows_whose_it_is() -> None:
    assert show(V11Session(Setting()), "t")["status"] == "error"
    setting = Setting(tokens={"root": setting_of("ADMIN").rights}.get)
    session = V11Session(setting)
    for token, message in ((None, "Missing token"), ("", "Missing token"), ("bad", "Invalid or expired token")):
        assert show(session, token) == {
            "type": "auth_response",
            "status": "error",
            "message": message,
            "timestamp": AT_MS,
        }
    admit, answer = session.received(json.dumps({"type": "auth", "token": "root"}), AT)
    assert (admit, told(answer)["status"]) == (Admit(setting_of("ADMIN").rights), "success")
    assert told(say(session, type="subscribe", channel="admin")[0])["status"] == "success"


def test_another_filter_takes_the_place_of_the_one_before_and_the_same_changes_nothing() -> None:
    session = V11Session(guests())
    failed, pending = (("status", "failed"),), (("status", "pending"),)
    _, subscription, prompt = say(session, type="subscribe", channel="transactions", filter="status:FAILED")
    assert subscription == Subscribe("chain/transactions", encoder_of("transactions", failed), 0)
    assert isinstance(prompt, Prompt)
    assert len(say(session, type="subscribe", channel="transactions", filter="status:failed", priority=3)) == 1
    answer, *rest = say(session, type="subscribe", channel="transactions", filter="status:pending")
    assert told(answer)["filter"] == "status:pending"
    assert rest == [
        Unsubscribe("chain/transactions"),
        Subscribe("chain/transactions", encoder_of("transactions", pending), 0),
    ]


def test_who_follows_something_is_pinged_in_its_silence_and_its_pong_gets_no_answer() -> None:
    session = V11Session(Setting())
    prompt = say(session, type="subscribe", channel="bridge")[-1]
    assert isinstance(prompt, Prompt)
    assert prompt.after == PING
    assert json.loads(prompt.write(AT).data[2:]) == {"type": "ping", "timestamp": AT_MS}
    assert say(session, type="pong") == []
    (answer,) = say(session, type="ping")
    assert told(answer) == {"type": "pong", "timestamp": AT_MS}


def test_an_unsubscribe_ends_it_and_is_confirmed_however_often() -> None:
    session = V11Session(guests())
    say(session, type="subscribe", channel="blocks")
    step, answer = say(session, type="unsubscribe", channel="blocks")
    assert step == Unsubscribe("chain/blocks")
    assert told(answer) == {"type": "unsubscribe_response", "status": "success", "channel": "blocks"}
    assert len(say(session, type="unsubscribe", channel="blocks")) == 1


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({}, "Missing 'type' field in message"),
        ({"type": 5}, "Invalid message format"),
        ({"type": "dance"}, "Unknown message type: dance"),
        ({"type": "subscribe"}, "Missing 'channel' field"),
        ({"type": "unsubscribe", "channel": " "}, "Missing 'channel' field"),
        ({"type": "subscribe", "channel": "prices"}, "Unknown channel: prices"),
        ({"type": "subscribe", "channel": "blocks", "filter": 5}, "Invalid message format"),
        ({"type": "subscribe", "channel": "blocks", "priority": 11}, "Invalid message format"),
        ({"type": "subscribe", "channel": "blocks", "priority": True}, "Invalid message format"),
        ({"type": "subscribe", "channel": "blocks", "filter": "colour:red"}, "Invalid filter: colour:red"),
        ({"type": "subscribe", "channel": "analytics", "filter": "a:b"}, "Channel analytics takes no filter"),
    ],
)
def test_what_is_not_understood_is_an_error_in_words(message: Object, error: str) -> None:
    (answer,) = say(V11Session(guests()), **message)
    frame = told(answer)
    assert (frame["type"], frame["message"], frame["timestamp"]) == ("error", error, AT_MS)
    assert frame["detail"]
