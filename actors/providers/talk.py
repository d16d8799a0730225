"""What is asked of a provider when somebody signs in, and when a sign-in is renewed.

Rules of this file:

* Codes, tokens and the client's secret go to the provider's token endpoint, in a body or a header, and nowhere else: no
  log, no address, no error. Of what a provider says that went wrong, one word is repeated.
* What it gives is believed after its ID token was found good, and only of the person whom that names.
* A key that is not at hand yet is waited for, a little: a provider may sign with one that it has just made.

Source: OpenID Connect Core 1.0, sections 3.1.3 and 12; RFC 6749, sections 2.3.1, 5 and 6.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn
from urllib.parse import quote_plus, urlsplit

import trio

from actors.providers.trouble import told
from config import AccessSettings, IssuerSettings
from domain import JsonObject, JsonValue
from domain.access import (
    Attempt,
    Client,
    Identity,
    Provider,
    SignInFault,
    SignInRefused,
    TokenFault,
    TokenRefused,
    exchanging,
    name_of,
    renewing_form,
)
from transport import Fetcher, Refused, TokenVerifier, Unfetched, place_of

BODY_LIMIT = 256 * 1024
DEADLINE = 10.0
CALLBACK = "/auth/callback"

LONGEST_LIFE = 366 * 86_400.0
KEY_PATIENCE = 12.0
"""Seconds that a sign-in waits for a key that is not at hand: keys are fetched at most once in ten."""

_ERRORS = frozenset({"invalid_grant", "invalid_client", "invalid_request", "unauthorized_client", "invalid_scope"})


@dataclass(frozen=True, slots=True)
class Granted:
    """Who signed in: ``good_until`` (Unix seconds), longer with ``renewal``, which is secret and may be empty."""

    identity: Identity
    good_until: float
    renewal: str = field(default="", repr=False)


class ProviderTalk:
    """Speaks with the providers of the ``present`` settings, whose keys ``verifier`` has."""

    def __init__(
        self, present: Callable[[], AccessSettings], verifier: TokenVerifier, clock: Callable[[], float]
    ) -> None:
        self._present = present
        self._verifier = verifier
        self._clock = clock

    def at(self, name: str) -> tuple[Provider, Client]:
        """The provider that is configured as ``name``, and what this gateway is there.

        Raises:
            SignInRefused: if nobody can sign in there, or not now.
        """
        settings = self._settings(name)
        # One that a reload has just named is not trusted yet.
        provider = self._verifier.ring(name).provider if name in self._verifier.settings else None
        if provider is None:
            raise SignInRefused(SignInFault.AWAY)
        redirect = self._present().page.address.rstrip("/") + CALLBACK
        return provider, Client(settings.client, redirect, settings.scopes)

    async def exchange(self, attempt: Attempt, code: str) -> Granted:
        """Who brought ``code`` back from the sign-in ``attempt``.

        Raises:
            SignInRefused: if it is not said, or not believed.
        """
        provider, client = self.at(attempt.issuer)
        answer = await self._ask(attempt.issuer, provider, exchanging(code, client, attempt))
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise SignInRefused(SignInFault.TOKEN)
        check = partial(self._believe, attempt.issuer, client, answer, id_token, attempt.nonce)
        return await self._when_keys_are_there(check)

    async def renew(self, name: str, renewal: str, identity: Identity) -> Granted:
        """The same person by newer tokens, for which ``renewal`` is spent.

        Raises:
            SignInRefused: ``AWAY`` if it may be renewed later; else it is over.
        """
        provider, client = self.at(name)
        answer = {"refresh_token": renewal, **await self._ask(name, provider, renewing_form(renewal, client))}
        id_token = answer.get("id_token")
        if isinstance(id_token, str):
            granted = await self._when_keys_are_there(partial(self._believe, name, client, answer, id_token, None))
        else:
            granted = await self._when_keys_are_there(partial(self._believe_access, name, client, answer, identity))
        if granted.identity.subject != identity.subject:
            raise SignInRefused(SignInFault.TOKEN)
        return granted

    def _settings(self, name: str) -> IssuerSettings:
        settings = self._present().issuers.get(name)
        if settings is None or not settings.client:
            raise SignInRefused(SignInFault.UNASKED)
        return settings

    async def _ask(self, name: str, provider: Provider, fields: Mapping[str, str]) -> JsonObject:
        settings = self._settings(name)
        place = place_of(provider.token)
        make = partial(ssl.create_default_context, cafile=settings.authority)
        try:
            context = await trio.to_thread.run_sync(make)
            async with Fetcher(
                place, deadline=DEADLINE, body_limit=BODY_LIMIT, context=context, connections=1
            ) as fetcher:
                answer = await fetcher.submit(_path(provider.token), fields, _proof(settings))
        except Refused as refused:
            _refuse(refused)
        except (Unfetched, OSError) as error:
            raise SignInRefused(SignInFault.AWAY, told(error)) from None
        kind = answer.get("token_type") if isinstance(answer, Mapping) else None
        if not isinstance(answer, Mapping) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise SignInRefused(SignInFault.TOKEN)
        return answer

    def _believe(self, name: str, client: Client, answer: JsonObject, id_token: str, nonce: str | None) -> Granted:
        now = self._clock()
        claims = self._verifier.id_claims(id_token, now, issuer=name, client=client.name, nonce=nonce)
        access = str(answer.get("access_token", ""))
        try:
            identity = self._verifier.signed_in(access, claims, now, issuer=name, client=client.name)
        except TokenRefused as refused:
            if refused.reason is TokenFault.NO_ROLE:
                raise SignInRefused(SignInFault.NO_ROLE, name=name_of(claims)) from None
            raise
        return self._granted(identity, answer, now)

    def _believe_access(self, name: str, client: Client, answer: JsonObject, earlier: Identity) -> Granted:
        """A renewal without an ID token: the access token says who it is, or else it is who it was."""
        now = self._clock()
        # Without an issuer nobody believes it, so it is the access token that says who this is, or nobody.
        said: JsonObject = {"sub": earlier.subject}
        try:
            access = str(answer.get("access_token", ""))
            identity = self._verifier.signed_in(access, said, now, issuer=name, client=client.name)
        except TokenRefused as refused:
            # One that is for others to read was given for the refresh token of this person all the same.
            if refused.reason is not TokenFault.ISSUER:
                raise
            identity = earlier
        return self._granted(identity, answer, now)

    def _granted(self, identity: Identity, answer: JsonObject, now: float) -> Granted:
        renewal, life = answer.get("refresh_token"), _seconds(answer.get("expires_in"))
        until = identity.expires_at or now if life is None else now + life
        return Granted(identity, until, renewal if isinstance(renewal, str) else "")

    async def _when_keys_are_there(self, check: Callable[[], Granted]) -> Granted:
        until = trio.current_time() + KEY_PATIENCE
        while True:
            try:
                return check()
            except TokenRefused as refused:
                delay = refused.retry_after
                if delay is None or trio.current_time() + delay > until:
                    raise _untrusted(refused) from None
            await trio.sleep(delay)


def _untrusted(refused: TokenRefused) -> SignInRefused:
    if refused.reason is TokenFault.NO_ROLE:
        return SignInRefused(SignInFault.NO_ROLE)
    return SignInRefused(SignInFault.TOKEN, refused.message)


def _refuse(refused: Refused) -> NoReturn:
    """Say what a refusal of the provider means.

    Raises:
        SignInRefused: always.
    """
    said = refused.answer.get("error") if isinstance(refused.answer, Mapping) else None
    word = said if isinstance(said, str) and said in _ERRORS else ""
    if word == "invalid_grant":
        raise SignInRefused(SignInFault.CODE) from None
    raise SignInRefused(SignInFault.AWAY, f"it answers HTTP {refused.status} {word}".rstrip()) from None


def _proof(settings: IssuerSettings) -> dict[str, str]:
    """The header that proves that it is the client who asks (RFC 6749, section 2.3.1)."""
    if settings.client_secret is None:
        return {}
    pair = f"{quote_plus(settings.client)}:{quote_plus(settings.client_secret.reveal())}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}


def _path(address: str) -> str:
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _seconds(value: JsonValue) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_LIFE:
        return None
    return float(value)
