"""What of posted events somebody may publish: what machines say, never what the gateway's own desks say."""

from __future__ import annotations

import pytest

from andond.api.publishing import sift
from domain.access import OPEN_RIGHTS, AccessPolicy, Identity, Proof, Rights, Tenant

AT = 1_800_000_000.0
PLACE = "acme/plant/hall"
POLICY = AccessPolicy(tenants=[Tenant("acme", ("acme",), ("chain/*", "host/*"))])

OWN_WORDS = (
    *("andon.call.acknowledged", "andon.call.closed", "escalation.ended", "job.completed", "changeover.ended"),
    *("oee.updated", "downtime.started", "alarm.acknowledged", "alarm.state.returned", "alarm.flood.began"),
    *("journal.failed", "source.connected", "hook.quarantined", "canary.sent", "production.updated"),
    *("quality.violated", "quality.checked", "quality.defect.found", "line.status.changed", "portal.tps"),
    *("chain.halted", "chain.node.quarantined", "validator.confirmed", "validator.risk"),
)
OF_MACHINES = (
    *("equipment.state.changed", "equipment.reading", "production.counted", "production.count", "quality.reading"),
    *("alarm.raised", "alarm.changed", "alarm.cleared", "acme.thing.happened", "andonish.thing", "jobs.thing"),
)
OF_NODES = ("chain.block", "chain.transaction", "chain.consensus", "chain.peer", "validator.status", "host.metrics")


def rights(role: str, tenant: str = "acme", proof: Proof = Proof.TOKEN) -> Rights:
    return POLICY.rights(Identity("feed", "feed", frozenset({role}), proof, tenant, (PLACE,)))


def event(type_: str, source: str = f"/{PLACE}/press") -> dict[str, object]:
    return {"specversion": "1.0", "id": "1", "source": source, "type": type_, "data": {}}


def refusal(type_: str, who: Rights) -> tuple[str, str] | None:
    """Where the fault is and what is said of it; None if it may be published."""
    sifted = sift([event(type_)], who, AT)
    if not sifted.refused:
        assert (list(sifted.members), list(sifted.numbers)) == ([event(type_)], [0])
        return None
    assert (sifted.refused[0].index, sifted.refused[0].id, list(sifted.members)) == (0, "1", [])
    fault = sifted.refused[0].faults[0]
    return fault.pointer, fault.message


@pytest.mark.parametrize("type_", OWN_WORDS)
@pytest.mark.parametrize(
    "who",
    [rights("publisher"), rights("admin"), rights("admin", "*"), rights("admin", "*", Proof.CERTIFICATE)],
    ids=["publisher", "admin", "boss", "certificate"],
)
def test_what_the_gateway_says_itself_nobody_publishes_who_is_asked_who_they_are(type_, who):
    said = refusal(type_, who)
    assert said is not None
    assert said[0] == "/type"
    assert type_ in said[1]
    assert ": " in said[1], "who must act is said"


@pytest.mark.parametrize("type_", OF_MACHINES)
def test_what_machines_and_counters_say_is_published_at_the_own_places(type_):
    assert refusal(type_, rights("publisher")) is None


@pytest.mark.parametrize("type_", [*OWN_WORDS, *OF_MACHINES, *OF_NODES])
def test_where_nobody_is_asked_who_they_are_everything_is_published(type_):
    assert refusal(type_, OPEN_RIGHTS) is None


@pytest.mark.parametrize("type_", [*OF_NODES, "validator.jailed", "chain.thing"])
def test_what_all_tenants_share_is_published_by_who_may_publish_for_all_of_them(type_):
    for who in (rights("publisher"), rights("admin")):
        said = refusal(type_, who)
        assert said is not None
        assert said[0] == "/type"
    assert refusal(type_, rights("admin", "*")) is None


def test_of_a_batch_the_others_go_on_with_their_numbers():
    members = [event("andon.call.closed"), event("alarm.raised"), event("alarm.raised", "/other/press"), 7]
    sifted = sift(members, rights("publisher"), AT)
    assert [(each.index, each.faults[0].pointer) for each in sifted.refused] == [(0, "/type"), (2, "/source")]
    assert (list(sifted.members), list(sifted.numbers)) == ([members[1], 7], [1, 3])
