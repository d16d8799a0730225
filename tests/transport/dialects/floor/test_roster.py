from __future__ import annotations

from transport.dialects.floor.following import Following
from transport.dialects.floor.health import Traffic
from transport.dialects.floor.roster import Roster, Visit
from transport.dialects.floor.topics import TOPICS, topic_of

AT = 1795240800.0


def visit(name: str = "u_1", **members: object) -> Visit:
    following = Following()
    following.begin([topic_of("andon"), topic_of("line", "L1"), topic_of("event", "oee_update")])
    return Visit(name, "u", "main", "10.0.0.7", AT, following, **members)


def test_nobody_is_no_average_and_no_rate():
    figures = Roster().statistics()
    assert (figures["total_connections"], figures["average_health_score"], figures["error_rate"]) == (0, None, None)
    assert {"average_health_score", "error_rate", "batch_queues"} <= set(figures["reasons"])
    assert figures["connection_utilization"] is None


def test_the_figures_are_those_of_who_is_here():
    roster = Roster(lambda: 10)
    one, other = visit("u_1", messages=10, errors=2), visit("u_2", traffic=lambda: Traffic(10, 5), told=3)
    other.events = lambda: (4, 100)
    roster.enter("c1", one)
    roster.enter("c2", other)
    figures = roster.statistics()
    assert {
        "total_connections": 2, "total_subscriptions": 6, "average_health_score": 0.87, "total_messages_sent": 7,
        "total_messages_received": 10, "total_errors": 2, "error_rate": 0.2, "andon_subscriptions": 2,
        "line_subscriptions": 2, "event_subscriptions": 2, "downtime_subscriptions": 0, "connection_utilization": 0.2,
        "batch_queues": None, "connections_by_door": {"main": 2},
    }.items() <= figures.items()  # fmt: skip
    assert {f"{type_}_subscriptions" for type_ in TOPICS} <= set(figures)
    roster.leave("c1")
    roster.leave("c1")
    assert (len(roster), roster.find("u_1"), roster.find("u_2")) == (1, None, other)


def test_the_details_are_those_that_were_counted():
    one = visit(messages=4, errors=1, received=120, told=2, told_size=300, heard_at=AT + 60)
    one.events = lambda: (5, 1000)
    assert {
        "connection_id": "u_1", "user_id": "u", "connected_at": "2026-11-21T06:00:00.000Z",
        "last_activity": "2026-11-21T06:01:00.000Z", "message_count": 4, "error_count": 1, "messages_sent": 7,
        "bytes_sent": 1300, "bytes_received": 120, "subscription_count": 3, "health_score": 0.97,
        "health": "excellent", "is_active": True,
    }.items() <= one.details().items()  # fmt: skip
    assert [each["subscription_type"] for each in one.details()["subscriptions"]] == ["andon", "line", "event"]
