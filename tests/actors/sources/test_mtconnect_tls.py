"""An adapter behind TLS, and one that asks for our certificate."""

from __future__ import annotations

import random
import ssl

import pytest
import trio
import trustme

from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor, survey
from actors.sources import Roll
from actors.sources.mtconnect import MtconnectSource
from config import MtconnectSource as MtconnectSettings

LINE = b"2027-01-15T08:00:00.000Z|execution|ACTIVE\n"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    issued = authority.issue_cert("andond.example")
    paths = {name: tmp_path / name for name in ("authority", "certificate", "key")}
    authority.cert_pem.write_to_path(paths["authority"])
    issued.cert_chain_pems[0].write_to_path(paths["certificate"])
    issued.private_key_pem.write_to_path(paths["key"])
    return {name: str(path) for name, path in paths.items()}


class Desk(TrioActor):
    """Takes what it is told."""

    async def on_receive(self, message: object) -> None:
        del message


async def described(settings, adapter, *, context):
    """What a source with ``settings`` says of itself once an adapter with ``context`` spoke to it, or would not."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    known = MtconnectSettings(address=f"127.0.0.1:{port}", equipment="acme/press3", **settings)
    more = {"chance": random.Random(1), "freshness": Roll().freshness("press3", known)}
    async with ActorSystem.open() as system, trio.open_nursery() as nursery:
        nursery.start_soon(adapter, listener, context)
        specs = [
            ChildSpec("desks", Supervisor, ([ChildSpec("floor", Desk)],)),
            ChildSpec("press3", MtconnectSource, ("press3", known), more),
        ]
        root = system.start(Supervisor, "gateway", specs)
        with trio.fail_after(30):
            while True:
                status = await survey(root)
                (source,) = [child for child in status.children if child.id == "press3"]
                said = dict(source.description)
                if said.get("lines") or said.get("reason"):
                    break
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    return said


async def speak(listener, context):
    """Serve one after the other, as long as they come."""
    async with listener:
        while True:
            async with await listener.accept() as plain:
                stream = trio.SSLStream(plain, context, server_side=True)
                try:
                    await stream.send_all(LINE)
                    while await stream.receive_some():
                        pass
                except trio.BrokenResourceError:
                    continue


@pytest.fixture
def served(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_what_an_adapter_says_over_tls_is_heard(files, served):
    said = await described({"tls": True, "authority": files["authority"]}, speak, context=served)
    assert (said["lines"], said["reason"]) == (1, None)


async def test_an_adapter_that_nobody_vouches_for_is_not_listened_to(served):
    said = await described({"tls": True}, speak, context=served)
    assert said["lines"] == 0
    assert str(said["reason"]).startswith("certificate refused: ")


@pytest.mark.parametrize("is_shown", [True, False])
async def test_an_adapter_that_asks_for_a_certificate_is_shown_ours(files, served, authority, is_shown):
    authority.configure_trust(served)
    served.verify_mode = ssl.CERT_REQUIRED
    served.maximum_version = ssl.TLSVersion.TLSv1_2
    own = files if is_shown else {"authority": files["authority"]}
    said = await described({"tls": True, **own}, speak, context=served)
    assert said["lines"] == int(is_shown)
    assert (said["reason"] is None) is is_shown
    if not is_shown:
        assert str(said["reason"]).startswith("no TLS: ")
