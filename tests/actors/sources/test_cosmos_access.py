"""Nodes behind a lock: a header that lets us in, a certificate that few trust, and nothing of it in the log."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from actors.sources.access import Access
from config import CosmosNode
from config.secrets import Secret
from tests.actors.sources.cosmos_rig import Maker, begun, grown, linked, until, watching
from tests.nodes.comet import CometNode
from tests.nodes.serving import Answer

KEY = "s3cr3t-of-the-node"
HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


class LockedNode(CometNode):
    """A node that answers nobody without the header, and says the header back to who is wrong."""

    async def answer(self, asked):
        if asked.headers.get("authorization") != HEADERS["authorization"]:
            return Answer({"message": "who are you?"}, 401)
        return await super().answer(asked)


async def test_the_headers_go_with_every_request_and_with_both_links(tmp_path, clock, capsys):
    chain = grown()
    async with LockedNode(chain) as node:
        place = CosmosNode(
            rpc=f"{node.url}/", rest=node.url, name="one", headers=Secret(f"Authorization: Bearer {KEY}")
        )
        async with watching([node], tmp_path, asked=[place]) as rig:
            await begun(rig, Maker(chain, node))
            assert [link.headers["authorization"] for link in node.links] == [HEADERS["authorization"]] * 2
            described = await rig.describe()
        assert node.requests
        assert all(asked.headers["authorization"] == HEADERS["authorization"] for asked in node.requests)
    told = capsys.readouterr()
    assert KEY not in told.out + told.err + str(described)


async def test_without_them_the_node_is_lost_and_says_why(tmp_path, clock, capsys):
    chain = grown()
    async with LockedNode(chain) as node, watching([node], tmp_path) as rig:
        await until(lambda: node.requests)
        await trio.sleep(1)
        described = await rig.node()
    assert described["state"] == "lost"
    assert "refused with HTTP 401: who are you?" in described["reason"]


async def test_a_path_that_may_be_a_key_is_neither_logged_nor_shown(tmp_path, clock, capsys):
    chain = grown()
    async with CometNode(chain) as node:
        place = CosmosNode(rpc=f"{node.url}/{KEY}", name="one")
        async with watching([node], tmp_path, asked=[place]) as rig:
            await until(lambda: node.requests)
            await trio.sleep(1)
            described = await rig.describe()
    told = capsys.readouterr()
    assert "node.connected" in told.err
    assert KEY not in told.out + told.err + str(described)


@asynccontextmanager
async def behind_tls(node, context):
    """The address of ``node`` over TLS."""

    async def serve(secret):
        port = int(node.url.rpartition(":")[2])
        async with secret, await trio.open_tcp_stream("127.0.0.1", port) as plain, trio.open_nursery() as nursery:
            nursery.start_soon(_pass_on, secret, plain, nursery.cancel_scope)
            nursery.start_soon(_pass_on, plain, secret, nursery.cancel_scope)

    async def listen(listeners):
        try:
            await trio.serve_listeners(serve, listeners)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1", https_compatible=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, listeners)
        yield f"https://127.0.0.1:{listeners[0].transport_listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _pass_on(source, sink, scope):
    try:
        async for data in source:
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    scope.cancel()


async def test_a_node_whose_certificate_the_named_authority_signed_is_read(tmp_path, clock, server_context, authority):
    chain, file = grown(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    async with CometNode(chain) as node, behind_tls(node, server_context) as url:
        place = CosmosNode(rpc=url, rest=url, name="one", authority=str(file))
        async with watching([node], tmp_path, asked=[place]) as rig:
            await until(lambda: rig.status("bob") == "ACTIVE")
            await linked(node)


@pytest.mark.parametrize("is_shown", [True, False])
async def test_a_node_that_asks_for_a_certificate_is_shown_ours(tmp_path, clock, authority, is_shown):
    chain, files = grown(), {name: tmp_path / f"{name}.pem" for name in ("authority", "certificate", "key")}
    issued = authority.issue_cert("andond.example")
    authority.cert_pem.write_to_path(files["authority"])
    issued.cert_chain_pems[0].write_to_path(files["certificate"])
    issued.private_key_pem.write_to_path(files["key"])
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(demanding)
    authority.configure_trust(demanding)
    demanding.verify_mode = ssl.CERT_REQUIRED
    # A client of TLS 1.3 hears of a refusal only when it reads.
    demanding.maximum_version = ssl.TLSVersion.TLSv1_2
    named = {name: str(file) for name, file in files.items() if is_shown or name == "authority"}
    async with CometNode(chain) as node, behind_tls(node, demanding) as url:
        place = CosmosNode(rpc=url, rest=url, name="one", **named)
        async with watching([node], tmp_path, asked=[place]) as rig:
            if is_shown:
                await until(lambda: rig.status("bob") == "ACTIVE")
                await linked(node)
            else:
                await trio.sleep(2)
        assert bool(node.requests) == is_shown


async def test_a_node_whose_certificate_nobody_here_trusts_is_lost_and_says_who_must_act(
    tmp_path, clock, server_context
):
    chain = grown()
    async with CometNode(chain) as node, behind_tls(node, server_context) as url:
        async with watching([node], tmp_path, asked=[CosmosNode(rpc=url, name="one")]) as rig:
            await trio.sleep(2)
            described = await rig.node()
        assert not node.requests
    assert "certificate refused" in described["reason"]


def test_a_file_of_certificates_that_is_gone_trusts_nobody(tmp_path):
    access = Access.of(CosmosNode(rpc="https://10.0.0.5", authority=str(tmp_path / "gone.pem")))
    assert access.context is not None
    assert access.context.get_ca_certs() == []
    assert access.context.verify_mode.name == "CERT_REQUIRED"


def test_what_lets_us_in_is_not_printed():
    node = CosmosNode(rpc="http://127.0.0.1", headers=Secret(f"A: {KEY}"))
    assert KEY not in repr(Access.of(node)) + repr(node)
