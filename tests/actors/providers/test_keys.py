"""The keys of issuers, fetched from servers that say what a test has them say."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from msgspec.structs import replace

from actors.providers.keys import BODY_LIMIT, ApplyIssuers, Keys
from actors.runtime import ChildSpec
from config import IssuerSettings, Secret
from domain.access import TokenFault, TokenRefused
from telemetry import counters, events
from tests.transport.forging import AT, CLAIMS, SECRET, encoded, jwk, jwks, private, signed
from transport import TokenVerifier

GAP = 10.0


class Provider:
    """A server with documents at its paths; one that is None is never answered. ``asked`` are the paths in order."""

    def __init__(self) -> None:
        self.url = ""
        self.documents: dict[str, object] = {}
        self.asked: list[str] = []
        self.is_away = False

    async def serve(self, stream: trio.abc.Stream) -> None:
        async with stream:
            try:
                head = bytearray()
                while b"\r\n\r\n" not in head:
                    data = await stream.receive_some(4096)
                    if not data:
                        return
                    head += data
                if not self.is_away:
                    await self._answer(stream, head.split(b" ")[1].decode())
            except trio.BrokenResourceError:
                return

    async def _answer(self, stream: trio.abc.Stream, path: str) -> None:
        self.asked.append(path)
        document = self.documents.get(path, "missing")
        if document is None:
            await trio.sleep_forever()
        status, body = "200 OK", document if isinstance(document, bytes) else json.dumps(document).encode()
        if document == "missing":
            status = "404 Not Found"
        elif isinstance(document, str):
            status, body = f"302 Found\r\nLocation: {document}", b""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        await stream.send_all(head.encode() + body)


@asynccontextmanager
async def providing(context: ssl.SSLContext | None = None) -> AsyncIterator[Provider]:
    provider = Provider()
    async with trio.open_nursery() as nursery:
        if context is None:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listener.socket.getsockname()[1]
        else:
            (listener,) = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1", https_compatible=True)
            port = listener.transport_listener.socket.getsockname()[1]
        provider.url = f"http{'s' if context else ''}://127.0.0.1:{port}"
        nursery.start_soon(trio.serve_listeners, provider.serve, [listener])
        yield provider
        nursery.cancel_scope.cancel()


class Rig:
    """A verifier whose keys an actor fetches."""

    def __init__(self, tree, issuers: dict[str, IssuerSettings], verifier: TokenVerifier) -> None:
        self.tree = tree
        self.issuers = issuers
        self.verifier = verifier

    def fault_of(self, token: str) -> TokenRefused | None:
        try:
            self.verifier.verify(token, AT)
        except TokenRefused as refused:
            return refused
        return None

    async def until_taken(self, token: str) -> None:
        await until(lambda: self.fault_of(token) is None)

    async def apply(self) -> None:
        await self.tree.ref("gateway/keys").ask(ApplyIssuers(), block=False)

    async def status(self) -> dict[str, object]:
        return dict((await self.tree.status("gateway/keys")).description)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait in real time, while the clock of the test stands still."""
    while not is_so():
        await trio.lowlevel.checkpoint()


@pytest.fixture
def fetching(grow, mock_clock):
    """``async with fetching(id=IssuerSettings(...)) as rig``."""

    @asynccontextmanager
    async def fetch(**issuers: IssuerSettings) -> AsyncIterator[Rig]:
        verifier = TokenVerifier()
        async with grow([ChildSpec("keys", Keys, (lambda: issuers, verifier))]) as tree:
            yield Rig(tree, issuers, verifier)

    return fetch


def issuer_at(provider: Provider, **more: object) -> IssuerSettings:
    return IssuerSettings(issuer="https://id.example", jwks=f"{provider.url}/jwks", **more)


def token_of(number: int = 0, key_id: str = "k1", **claims: object) -> str:
    return signed({**CLAIMS, **claims}, private("ES256", number), "ES256", key_id)


def key(number: int = 0, key_id: str = "k1") -> dict[str, object]:
    return jwk(private("ES256", number), key_id)


async def test_keys_are_fetched_and_tokens_are_taken(fetching):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider)) as rig:
            await rig.until_taken(token_of())
            assert provider.asked == ["/jwks"]


async def test_until_keys_are_there_a_client_is_told_to_come_back(fetching):
    async with providing() as provider:
        provider.documents["/jwks"] = None
        async with fetching(id=issuer_at(provider)) as rig:
            await until(lambda: provider.asked == ["/jwks"])
            refused = rig.fault_of(token_of())
            assert (refused.reason, refused.retry_after) == (TokenFault.UNKNOWN_KEY, 1.0)


async def test_a_rotated_key_is_fetched_when_its_first_token_comes(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider)) as rig:
            await rig.until_taken(token_of())
            mock_clock.jump(GAP)
            provider.documents["/jwks"] = jwks(key(), key(1, "k2"))
            assert rig.fault_of(token_of(1, "k2")).retry_after == 1.0
            await rig.until_taken(token_of(1, "k2"))
            assert rig.fault_of(token_of()) is None
            assert provider.asked == ["/jwks"] * 2


async def test_a_key_that_was_taken_away_is_trusted_until_the_next_fetch(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider, refresh=60.0)) as rig:
            await rig.until_taken(token_of())
            provider.documents["/jwks"] = jwks(key(1, "k2"))
            mock_clock.jump(60)
            await until(lambda: rig.fault_of(token_of()) is not None)
            assert rig.fault_of(token_of(1, "k2")) is None


async def test_a_name_that_a_stranger_makes_up_is_asked_for_once_and_then_refused(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider)) as rig:
            await rig.until_taken(token_of())
            mock_clock.jump(GAP)
            made_up = token_of(0, "made-up")
            assert rig.fault_of(made_up).retry_after == 1.0
            await until(lambda: rig.fault_of(made_up).retry_after is None)
            for number in range(50):
                assert rig.fault_of(token_of(0, f"made-up-{number}")).retry_after == GAP
            await rig.tree.settle()
            assert provider.asked == ["/jwks"] * 2


async def test_the_last_good_keys_are_kept_while_the_provider_is_away(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider, refresh=60.0)) as rig:
            await rig.until_taken(token_of())
            provider.is_away = True
            before = counters.keys_unfetched
            mock_clock.jump(60)
            await until(lambda: counters.keys_unfetched == before + 1)
            assert rig.fault_of(token_of()) is None
            status = (await rig.status())["id"]
            assert (status["keys"], status["age"]) == (1, 60)
            assert status["trouble"].startswith("http://127.0.0.1:")
            assert "provider" in status["trouble"]
            assert "node" not in status["trouble"]
            provider.is_away = False
            provider.documents["/jwks"] = jwks(key(1, "k2"))
            mock_clock.jump(1)
            await rig.until_taken(token_of(1, "k2"))
            assert (await rig.status())["id"]["trouble"] is None


HOSTILE = {
    "no JSON": b"<html>",
    "nothing": b"",
    "no set": {"kees": []},
    "an empty set": {"keys": []},
    "a secret alone": jwks({"kty": "oct", "k": encoded(SECRET.encode()), "kid": "k1", "alg": "HS256"}),
    "a private key": jwks({**jwk(private("ES256", 3)), "d": encoded(b"x" * 32)}),
    "too many keys": jwks(*[jwk(private("ES256", 3))] * 65),
    "more than is read": json.dumps({"keys": [], "x": "y" * BODY_LIMIT}).encode(),
    "nested without an end": b'{"keys":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "an enormous number": jwks({"kty": "RSA", "kid": "k1", "n": "9" * 200_000, "e": "AQAB"}),
    "a redirect": "http://127.0.0.1:1/jwks",
    "nothing at all": "missing",
}


@pytest.mark.parametrize("why", HOSTILE)
async def test_what_a_provider_gone_mad_says_changes_nothing(fetching, mock_clock, why):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider, refresh=60.0)) as rig:
            await rig.until_taken(token_of())
            provider.documents["/jwks"] = HOSTILE[why]
            before = counters.keys_unfetched
            mock_clock.jump(60)
            await until(lambda: counters.keys_unfetched == before + 1)
            assert rig.fault_of(token_of()) is None
            assert rig.fault_of(signed(CLAIMS, SECRET, "HS256", "k1")).reason is TokenFault.ALGORITHM
            assert len(provider.asked) == 2


async def test_a_provider_that_never_answers_is_given_up_on(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = None
        before = counters.keys_unfetched
        async with fetching(slow=issuer_at(provider)):
            await until(lambda: bool(provider.asked))
            mock_clock.jump(10)
            await until(lambda: counters.keys_unfetched == before + 1)


async def test_a_key_that_is_no_use_is_left_out_of_a_set_and_told_once(fetching, mock_clock, monkeypatch):
    told = list[str]()
    monkeypatch.setattr(events, "keys_skipped", lambda *, issuer, reason: told.append(f"{issuer}: {reason}"))
    async with providing() as provider:
        oct_key = {"kty": "oct", "k": encoded(SECRET.encode()), "kid": "k0"}
        provider.documents["/jwks"] = jwks(oct_key, key())
        async with fetching(id=issuer_at(provider, refresh=60.0)) as rig:
            await rig.until_taken(token_of())
            assert [each.id for each in rig.verifier.ring("id").keys] == ["k1"]
            before = counters.keys_fetched
            mock_clock.jump(60)
            await until(lambda: counters.keys_fetched == before + 1)
    assert len(told) == 1
    assert told[0].startswith("id: key 1: ")
    assert encoded(SECRET.encode()) not in told[0]


# -- other places -----------------------------------------------------------------------------------------------------


async def test_a_provider_of_openid_connect_says_where_its_keys_are(fetching):
    async with providing() as provider:
        issuer = f"{provider.url}/realms/acme"
        provider.documents["/realms/acme/.well-known/openid-configuration"] = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/certs?v=1",
            "authorization_endpoint": f"{issuer}/auth",
        }
        provider.documents["/realms/acme/certs?v=1"] = jwks(key())
        async with fetching(id=IssuerSettings(issuer=issuer, discovery=True)) as rig:
            await rig.until_taken(token_of(iss=issuer))
            assert rig.verifier.ring("id").provider.authorization == f"{issuer}/auth"
            assert len(provider.asked) == 2


async def test_a_document_of_another_issuer_leads_nowhere(fetching):
    async with providing() as provider:
        provider.documents["/.well-known/openid-configuration"] = {
            "issuer": "https://evil.example",
            "jwks_uri": f"{provider.url}/jwks",
        }
        provider.documents["/jwks"] = jwks(key())
        before = counters.keys_unfetched
        async with fetching(id=IssuerSettings(issuer=provider.url, discovery=True)) as rig:
            await until(lambda: counters.keys_unfetched == before + 1)
            assert rig.fault_of(token_of(iss=provider.url)).reason is TokenFault.UNKNOWN_KEY
            assert "/jwks" not in provider.asked


async def test_an_authority_of_ones_own_is_trusted_and_no_other_is(fetching, tmp_path, server_context, authority):
    pem = tmp_path / "ca.pem"
    pem.write_bytes(authority.cert_pem.bytes())
    async with providing(server_context) as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider, authority=str(pem))) as rig:
            await rig.until_taken(token_of())
        before = counters.keys_unfetched
        async with fetching(stranger=issuer_at(provider)) as rig:
            await until(lambda: counters.keys_unfetched == before + 1)
            assert "certificate" in (await rig.status())["stranger"]["trouble"]


async def test_keys_in_a_file_are_read_and_read_again(fetching, tmp_path: Path, mock_clock):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(jwks(key())), encoding="utf-8")
    settings = IssuerSettings(issuer="https://id.example", jwks=str(path), refresh=60.0)
    async with fetching(id=settings) as rig:
        await rig.until_taken(token_of())
        path.write_text(json.dumps(jwks(key(1, "k2"))), encoding="utf-8")
        mock_clock.jump(60)
        await rig.until_taken(token_of(1, "k2"))
        before = counters.keys_unfetched
        path.write_bytes(b" " * (BODY_LIMIT + 1))
        mock_clock.jump(60)
        await until(lambda: counters.keys_unfetched == before + 1)
        path.unlink()
        mock_clock.jump(1)
        await until(lambda: counters.keys_unfetched == before + 2)
        assert rig.fault_of(token_of(1, "k2")) is None


async def test_an_issuer_with_a_secret_is_asked_for_nothing(fetching):
    async with fetching(floor=IssuerSettings(issuer="https://id.example", secret=Secret(SECRET))) as rig:
        assert rig.fault_of(signed(CLAIMS, SECRET, "HS256")) is None
        assert await rig.status() == {}


# -- reloads and restarts ---------------------------------------------------------------------------------------------


async def test_a_reload_begins_and_ends_what_it_changed_and_leaves_the_rest(fetching):
    async with providing() as provider:
        provider.documents |= {"/jwks": jwks(key()), "/other": jwks(key(1, "k2"))}
        async with fetching(id=issuer_at(provider)) as rig:
            await rig.until_taken(token_of())
            other = IssuerSettings(issuer="https://other.example", jwks=f"{provider.url}/other")
            rig.issuers["other"] = other
            await rig.apply()
            await rig.until_taken(token_of(1, "k2", iss="https://other.example"))
            assert provider.asked == ["/jwks", "/other"]
            rig.issuers["id"] = replace(rig.issuers["id"], jwks=f"{provider.url}/other")
            await rig.apply()
            assert rig.fault_of(token_of()).reason is TokenFault.UNKNOWN_KEY
            await rig.until_taken(token_of(1, "k2"))
            del rig.issuers["id"]
            await rig.apply()
            assert rig.fault_of(token_of(1, "k2")).reason is TokenFault.ISSUER
            assert list(await rig.status()) == ["other"]


async def test_a_reload_of_anything_else_keeps_the_keys_and_who_hears_of_missing_ones(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider)) as rig:
            await rig.until_taken(token_of())
            rig.issuers["id"] = replace(rig.issuers["id"], leeway=0.0)
            await rig.apply()
            assert rig.fault_of(token_of()) is None
            await until(lambda: len(provider.asked) == 2)
            await rig.tree.settle()
            mock_clock.jump(GAP)
            provider.documents["/jwks"] = jwks(key(1, "k2"))
            await rig.until_taken(token_of(1, "k2"))


async def test_keys_outlive_the_actor_that_fetched_them(fetching, mock_clock):
    async with providing() as provider:
        provider.documents["/jwks"] = jwks(key())
        async with fetching(id=issuer_at(provider)) as rig:
            await rig.until_taken(token_of())
            provider.is_away = True
            rig.tree.ref("gateway/keys").tell("a message that it does not know")
            await rig.tree.settle()
            before = counters.keys_unfetched
            mock_clock.jump(1)
            await until(lambda: counters.keys_unfetched == before + 1)
            assert (await rig.tree.status("gateway/keys")).restarts == 1
            assert rig.fault_of(token_of()) is None
