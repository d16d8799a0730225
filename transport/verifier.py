"""Whose token this is: the issuers that are trusted, their keys that are at hand, and the one answer for all doors.

Rules of this file:

* No I/O and no clock: a token is checked at once, with the keys at hand. Who fetches keys puts them into the
  ``KeyRing``, and hears from it when one is missed.
* The issuer that a token names chooses the keys and the rules; never its header (RFC 8725, sections 3.8 and 3.10).
* A signature comes first. What a token says is believed, and counted as its bearer's fault, only then.
* Used on the trio thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from config import IssuerSettings
from domain import JsonObject
from domain.access import (
    ClaimRules,
    Identity,
    Provider,
    Revocations,
    TokenFault,
    TokenRefused,
    bearer_of,
    check_claims,
    issuer_of,
    person_of,
)
from telemetry import counters
from transport.tokens import Compact, Key, check_signature, secret_key, take_apart

TRIES = 4
"""Keys that are tried at most, where a token does not name one that is known by its name."""


_NOT_FOR_US = frozenset(
    {TokenFault.MALFORMED, TokenFault.AUDIENCE, TokenFault.ISSUER, TokenFault.ALGORITHM, TokenFault.NOT_ACCESS}
)
"""What is wrong with an access token that is meant for somebody else, or for nobody to read."""


class KeyRing:
    """The keys of one issuer that are at hand; ``make`` makes them when they are first looked at.

    ``missed`` is called with the name of a key that is not, and tells the seconds after which it may be; None: never.
    ``provider`` is what the issuer says of itself, where it was asked.
    """

    __slots__ = ("_keys", "_make", "missed", "provider")

    def __init__(self, keys: tuple[Key, ...] = (), make: Callable[[], tuple[Key, ...]] | None = None) -> None:
        self._keys = keys
        self._make = make
        self.provider: Provider | None = None
        self.missed: Callable[[str], float | None] = _nobody_fetches

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys."""
        if self._make is not None:
            self._keys, self._make = self._make(), None
        return self._keys

    @keys.setter
    def keys(self, keys: tuple[Key, ...]) -> None:
        self._keys, self._make = keys, None

    def find(self, key_id: str | None, algorithm: str) -> tuple[Key, ...]:
        """The keys that a token may be signed with.

        Raises:
            TokenRefused: if there is none.
        """
        named = [key for key in self.keys if key_id is None or key.id is None or key.id == key_id]
        if not named:
            raise TokenRefused(TokenFault.UNKNOWN_KEY, retry_after=self.missed(key_id or ""))
        fitting = [key for key in named if algorithm in key.algorithms]
        if not fitting:
            raise TokenRefused(TokenFault.ALGORITHM)
        return tuple(fitting[:TRIES])


def _nobody_fetches(_key_id: str) -> float | None:
    return None


def _not_yet(_key_id: str) -> float | None:
    """Until who fetches them has begun."""
    return 1.0


def _ring(settings: IssuerSettings) -> KeyRing:
    if settings.secret is not None:
        return KeyRing((secret_key(settings.secret, settings.taken),))
    ring = KeyRing()
    ring.missed = _not_yet
    return ring


@dataclass(frozen=True, slots=True)
class Trusted:
    """An issuer whose tokens are taken: by which ``algorithms``, with which keys, read by which ``rules``."""

    name: str
    rules: ClaimRules
    algorithms: frozenset[str]
    ring: KeyRing = field(compare=False)


class TokenVerifier:
    """Tells whose a token is; ``known`` returns the roles there are, ``revocations`` holds what was taken back."""

    def __init__(
        self, revocations: Revocations | None = None, known: Callable[[], Collection[str]] | None = None
    ) -> None:
        self.revocations = Revocations() if revocations is None else revocations
        self._known = known
        self._settings: Mapping[str, IssuerSettings] = {}
        self._configured: Mapping[str, Trusted] = {}
        self._own: Trusted | None = None
        self._by_issuer: Mapping[str, Trusted] = {}

    def apply(self, issuers: Mapping[str, IssuerSettings]) -> None:
        """Trust ``issuers`` from now on, and no other; who is trusted as before keeps its keys."""
        self._configured = {name: self._trusted(name, settings) for name, settings in issuers.items()}
        self._settings = dict(issuers)
        self._index()

    def trust_own(self, own: Trusted | None) -> None:
        """Trust the tokens that this gateway makes."""
        self._own = own
        self._index()

    @property
    def is_empty(self) -> bool:
        """Whether nobody's tokens are taken."""
        return not self._by_issuer

    @property
    def settings(self) -> Mapping[str, IssuerSettings]:
        """The issuers in force, by the names they are configured with."""
        return self._settings

    def ring(self, name: str) -> KeyRing:
        """The keys of the configured issuer ``name``.

        Raises:
            KeyError: if there is none.
        """
        return self._configured[name].ring

    def verify(self, token: str, at: float) -> Identity:
        """Whose access token this is, ``at`` (Unix seconds).

        Raises:
            TokenRefused: if it is not taken.
        """
        try:
            identity = self._verified(token, at)
        except TokenRefused as refused:
            counters.tokens_refused.add(refused.reason.value)
            raise
        counters.tokens_verified += 1
        return identity

    def is_revoked(self, identity: Identity, at: float) -> bool:
        """Whether the token was taken back ``at`` (Unix seconds) that ``identity`` came with."""
        return self.revocations.covers(identity, at)

    def id_claims(self, token: str, at: float, *, issuer: str, client: str, nonce: str | None) -> JsonObject:
        """The claims of an ID token that the configured ``issuer`` gave to ``client``, which sent ``nonce``.

        None is the nonce of a renewal, whose ID token need not have one (section 12.2).

        Raises:
            TokenRefused: if it is not that (OpenID Connect Core 1.0, section 3.1.3.7).
        """
        trusted = self._configured[issuer]
        compact = take_apart(token)
        self._check_signature(token, compact, trusted)
        check_claims(compact.claims, trusted.rules, at, frozenset({client}))
        if compact.claims.get("azp", client) != client:
            raise TokenRefused(TokenFault.AUDIENCE)
        if nonce is not None and (not nonce or compact.claims.get("nonce") != nonce):
            raise TokenRefused(TokenFault.MALFORMED, "the token does not belong to this sign-in")
        return compact.claims

    def signed_in(self, access: str, claims: JsonObject, at: float, *, issuer: str, client: str) -> Identity:
        """Who has signed in at ``issuer``: by its ``access`` token if that is for us, else by those ``claims``.

        They are of an ID token that was found good; both must be about the same person.

        Raises:
            TokenRefused: if nobody has, or who has may nothing here.
        """
        trusted = self._configured[issuer]
        try:
            identity = self._verified(access, at, trusted)
        except TokenRefused as refused:
            if refused.reason not in _NOT_FOR_US:
                raise
            person = person_of(claims, trusted.rules, at, client=client, known=self._roles())
            identity = self._valid(replace(person, issuer=trusted.name), at)
        if identity.subject != claims.get("sub"):
            raise TokenRefused(TokenFault.NO_SUBJECT, "the two tokens of the provider are about two people")
        return identity

    def _verified(self, token: str, at: float, wanted: Trusted | None = None) -> Identity:
        compact = take_apart(token)
        trusted = self._by_issuer.get(issuer_of(compact.claims))
        if trusted is None or trusted is not (wanted or trusted):
            raise TokenRefused(TokenFault.ISSUER)
        self._check_signature(token, compact, trusted)
        identity = bearer_of(compact.claims, trusted.rules, at, type_=compact.type_, known=self._roles())
        named = replace(identity, issuer=trusted.name, token_id=identity.token_id or compact.print)
        return self._valid(named, at)

    def _valid(self, identity: Identity, at: float) -> Identity:
        if self.revocations.covers(identity, at):
            raise TokenRefused(TokenFault.REVOKED)
        return identity

    def _roles(self) -> Collection[str] | None:
        return None if self._known is None else self._known()

    def _check_signature(self, token: str, compact: Compact, trusted: Trusted) -> None:
        if compact.algorithm not in trusted.algorithms:
            raise TokenRefused(TokenFault.ALGORITHM)
        *others, last = trusted.ring.find(compact.key_id, compact.algorithm)
        for key in others:
            try:
                check_signature(token, compact.algorithm, key)
            except TokenRefused:
                continue
            return
        check_signature(token, compact.algorithm, last)

    def _trusted(self, name: str, settings: IssuerSettings) -> Trusted:
        earlier, before = self._configured.get(name), self._settings.get(name)
        if earlier is None or before is None or _ways_to_keys(before) != _ways_to_keys(settings):
            ring = _ring(settings)
        else:
            ring = earlier.ring
        return Trusted(name, rules_of(settings), frozenset(settings.taken), ring)

    def _index(self) -> None:
        # What this gateway calls itself is nobody else's name.
        own = {} if self._own is None else {self._own.rules.issuer: self._own}
        self._by_issuer = {trusted.rules.issuer: trusted for trusted in self._configured.values()} | own


def rules_of(settings: IssuerSettings) -> ClaimRules:
    """How the claims of an issuer are read."""
    return ClaimRules(
        issuer=settings.issuer,
        audience=frozenset(settings.audience),
        leeway=settings.leeway,
        roles=settings.roles,
        role_map=settings.role_map,
        tenant=settings.tenant,
        tenant_claim=settings.tenant_claim,
        tenants=frozenset(settings.tenants),
        places_claim=settings.places_claim,
        requires_type=settings.requires_type,
    )


def _ways_to_keys(settings: IssuerSettings) -> tuple[object, ...]:
    return (
        settings.issuer,
        settings.taken,
        settings.secret,
        settings.jwks,
        settings.discovery,
        settings.authority,
        settings.plain_http,
    )
