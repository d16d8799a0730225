from __future__ import annotations

import pytest
import trio.testing

from actors import Front, places
from actors.runtime import ActorSystem, Policy, Supervisor
from andond.own_tokens import own_tokens
from andond.signing_in import SigningIn
from andond.tree import GATEWAY_POLICY, LISTENERS_POLICY, Present, Trust, gateway
from config import CanarySettings, HostSource, HttpSource, ReceiptSettings, ServerSettings, Settings
from transport import Routes, TokenVerifier, json_response, open_listeners


def doors(_request):
    return json_response({}, 404)


@pytest.fixture
def sockets():
    opened = open_listeners("127.0.0.1:0", 16384)
    yield opened
    for each in opened:
        each.close()


@pytest.fixture
def present() -> Present:
    return Present(Settings(sources={"host": HostSource(), "door": HttpSource()}))


def test_what_comes_later_relies_on_what_comes_before(present, sockets):
    specs = gateway(present, sockets, Routes(), doors, Front())
    assert [spec.id for spec in specs] == [
        "audit",
        "recorder",
        "channels",
        "desks",
        "sources",
        "memory",
        "listeners",
        "pulse",
        "watches",
        "notifier",
        "hooks",
    ]
    assert GATEWAY_POLICY.strategy is LISTENERS_POLICY.strategy is not Policy().strategy


def trust_of(present: Present) -> Trust:
    verifier = TokenVerifier()
    tokens = own_tokens(None, present.settings.access.own, verifier, tuple)
    return Trust(tokens, verifier, SigningIn(present, verifier, tokens).keeper(lambda: None))


async def test_every_lasting_actor_lives_at_its_place(present, sockets):
    front = Front()
    async with ActorSystem.open() as system:
        specs = gateway(present, sockets, Routes(), doors, front, trust_of(present))
        await system.settled(system.start(Supervisor, places.GATEWAY, specs, GATEWAY_POLICY))
        await trio.testing.wait_all_tasks_blocked()
        for name, path in vars(places).items():
            if name.isupper() and path != places.GATEWAY:
                ref = system.environment.registry.get(path)
                assert ref is not None, path
                assert ref.actor_inbox.path == path
        sources = system.environment.registry.get(places.SOURCES).actor_inbox.owner
        assert sorted(child.spec.id for child in sources.children) == ["door", "host"]
        watches = system.environment.registry.get(places.WATCHES).actor_inbox.owner
        assert [child.spec.id for child in watches.children] == [
            "vigil",
            "receipts",
            "canary",
            "keys",
            "accounts",
            "page",
        ]
        assert front.server is not None
        assert front.open_links() == 0
    assert front.server is None


def test_the_settings_in_force_are_those_of_the_last_reload(present):
    assert list(present.sources()) == ["host", "door"]
    present.settings = Settings(server=ServerSettings(connections=7))
    assert dict(present.sources()) == {}
    assert present.server().connections == 7
    present.settings = Settings(receipts=ReceiptSettings(shown=7.0), canary=CanarySettings(bound=7.0))
    assert present.receipts().shown == present.canary().bound == 7.0
