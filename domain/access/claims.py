"""Who a token says that its bearer is: from claims to an identity, and from an identity to claims.

Rules of this file:

* Pure: the moment (Unix seconds) is an argument. Nobody comes here with claims whose signature was not found good.
* What a claim may hold is bounded in kind and length before it is believed; what is not text that can be printed never
  gets into a name, so that none can forge a line of a log.
* Nothing is believed for want of a claim: no end, no audience, no role, no tenant is never "all of them".
* A path such as ``realm_access.roles`` leads into objects; a name that has dots in it is found too, the longest first.
* A role that nobody here knows is none. Where roles are mapped, one that the map does not name is none.

Source: RFC 7519, section 4.1 (claims), RFC 8725 (best practices), RFC 9068 (access tokens), OpenID Connect Core 1.0,
section 2 (``at_hash``); Keycloak's ``typ``, ``realm_access`` and ``resource_access``; the predecessors' ``type``,
``user_id``, ``role``, ``is_active`` and ``status``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from domain.access.identity import EVERY_TENANT, Identity, Proof
from domain.access.issuing import TokenKind
from domain.access.places import path_of
from domain.access.policy import role_name
from domain.access.roles import ROLES
from domain.access.token_fault import TokenFault, TokenRefused
from domain.json import JsonObject, JsonValue

ROLE_PATHS = ("realm_access.roles", "resource_access.andond.roles", "roles", "role")
"""Where roles are looked for unless an issuer says otherwise."""

TEXT_LIMIT = 256
ROLES_LIMIT = 128
PLACES_LIMIT = 64

_LATEST = 253_402_300_799
"""The last second that a date can be written of."""

_KIND_CLAIMS = ("type", "typ", "token_use")
_KINDS = {
    **dict.fromkeys(("access", "access_token", "bearer", "jwt", "at+jwt"), TokenKind.ACCESS),
    **dict.fromkeys(("refresh", "refresh_token", "offline"), TokenKind.REFRESH),
}
_OF_IDENTITY = ("at_hash", "c_hash", "s_hash")
"""What only an ID token has: hashes of what was issued with it."""

_NAMES = ("preferred_username", "username", "name", "email")
_ENDED = frozenset({"inactive", "suspended", "locked", "disabled", "blocked", "deleted"})
_TYPES = frozenset({"", "jwt", "at+jwt"})


class ClaimRules(msgspec.Struct, frozen=True):
    """What is taken from one issuer, and where in its claims it is.

    ``issuer`` and ``audience`` are as tokens have them; empty: tokens that name none, and no other. ``leeway`` is in
    seconds. ``role_map`` is from the issuer's names to ours. ``tenant`` is that of all its tokens; without one they say
    it at ``tenant_claim``, and it must be one of ``tenants``, where there are any. Only an issuer whose ``tenants``
    have a star may say that somebody is of every tenant. ``requires_type`` takes only what says that it is an access
    token.
    """

    issuer: str = ""
    audience: frozenset[str] = frozenset()
    leeway: float = 0.0
    roles: tuple[str, ...] = ROLE_PATHS
    role_map: Mapping[str, str] = MappingProxyType({})
    tenant: str = ""
    tenant_claim: str = "tenant"
    tenants: frozenset[str] = frozenset()
    places_claim: str = "places"
    requires_type: bool = False
    proof: Proof = Proof.TOKEN


def bearer_of(
    claims: JsonObject,
    rules: ClaimRules,
    at: float,
    *,
    kind: TokenKind = TokenKind.ACCESS,
    type_: str = "",
    known: Collection[str] | None = None,
) -> Identity:
    """Who the bearer of a token of ``kind`` with ``claims`` is; ``type_`` is the type in its header (``typ``).

    ``known`` are the roles there are; None: each that a token can name.

    Raises:
        TokenRefused: if the token is not taken ``at``.
    """
    check_claims(claims, rules, at)
    _check_kind(claims, rules, kind, type_)
    subject = next((word for name in ("sub", "user_id") if (word := _word(claims.get(name)))), "")
    if not subject:
        raise TokenRefused(TokenFault.NO_SUBJECT)
    _check_active(claims)
    roles = roles_of(claims, rules, known)
    if not roles and kind is TokenKind.ACCESS:
        raise TokenRefused(TokenFault.NO_ROLE)
    issued_at = claims.get("iat")
    return Identity(
        subject=subject,
        name=name_of(claims) or subject,
        roles=roles,
        proof=rules.proof,
        tenant=_tenant(claims, rules),
        places=_places(claims, rules),
        expires_at=_moment(claims, "exp") + rules.leeway,
        token_id=_word(claims.get("jti")),
        session=_word(claims.get("sid")),
        department=_word(claims.get("department")),
        shift=_word(claims.get("shift")),
        issued_at=None if issued_at is None else _moment(claims, "iat"),
    )


def name_of(claims: JsonObject) -> str:
    """What people call whoever ``claims`` are about; empty if they do not say it."""
    return next((word for name in _NAMES if (word := _word(claims.get(name)))), "")


def person_of(
    claims: JsonObject, rules: ClaimRules, at: float, *, client: str, known: Collection[str] | None = None
) -> Identity:
    """Who has signed in, by the ``claims`` of an ID token for ``client``: by it alone nothing opens.

    Raises:
        TokenRefused: if it is not taken ``at``.
    """
    told = {name: value for name, value in claims.items() if name not in (*_OF_IDENTITY, *_KIND_CLAIMS)}
    mended = replace(rules, audience=frozenset({client}), requires_type=False)
    return bearer_of(told, mended, at, known=known)


def claims_of(identity: Identity, kind: TokenKind, at: float, *, issuer: str, audience: str) -> dict[str, JsonValue]:
    """The claims of a token of our own about ``identity``, issued ``at``: those of the predecessors, and ours.

    Raises:
        ValueError: if ``identity`` does not say when it ends.
    """
    if identity.expires_at is None:
        raise ValueError("a token of our own ends at some time")
    roles = sorted(identity.roles, key=_rank)
    return {
        "iss": issuer,
        "aud": audience,
        "sub": identity.subject,
        "exp": int(identity.expires_at),
        # To the millisecond, so that who logs in again after all of his tokens were revoked is let in at once.
        "iat": min(at, int(at * 1000) / 1000),
        "nbf": int(at),
        "jti": identity.token_id,
        "sid": identity.session,
        "type": kind.value,
        "user_id": identity.subject,
        "username": identity.name,
        "role": roles[0] if roles else "",
        "roles": list(roles),
        "tenant": identity.tenant,
        "places": list(identity.places),
        "department": identity.department,
        "shift": identity.shift,
        "is_active": True,
    }


def own_rules(issuer: str, audience: str) -> ClaimRules:
    """How the tokens are read that ``claims_of`` makes."""
    return ClaimRules(
        issuer=issuer,
        audience=frozenset({audience}),
        roles=("roles",),
        tenants=frozenset({EVERY_TENANT}),
        requires_type=True,
        proof=Proof.LOCAL,
    )


def check_claims(claims: JsonObject, rules: ClaimRules, at: float, audience: frozenset[str] | None = None) -> None:
    """Check what any token says of itself, an ID token too; ``audience`` is in place of that of the rules.

    Raises:
        TokenRefused: if it is from another issuer, for somebody else, or not valid ``at``.
    """
    if issuer_of(claims) != rules.issuer:
        raise TokenRefused(TokenFault.ISSUER)
    meant = set(words_at(claims, "aud"))
    wanted = rules.audience if audience is None else audience
    if not (meant & wanted if wanted else "aud" not in claims):
        raise TokenRefused(TokenFault.AUDIENCE)
    if at >= _moment(claims, "exp") + rules.leeway:
        raise TokenRefused(TokenFault.EXPIRED)
    for name in ("nbf", "iat"):
        if claims.get(name) is not None and at < _moment(claims, name) - rules.leeway:
            raise TokenRefused(TokenFault.NOT_YET_VALID)


def issuer_of(claims: JsonObject) -> str:
    """Who issued a token; empty if it does not say.

    Raises:
        TokenRefused: if what it says is no name.
    """
    said = claims.get("iss")
    if said is not None and not (isinstance(said, str) and _word(said)):
        raise TokenRefused(TokenFault.ISSUER)
    return said or ""


def claim_at(claims: JsonObject, path: str) -> JsonValue:
    """What is at ``path`` in ``claims``; None if nothing is."""
    if path in claims:
        return claims[path]
    end = path.rfind(".")
    while end > 0:
        inner = claims.get(path[:end])
        if isinstance(inner, Mapping):
            return claim_at(inner, path[end + 1 :])
        end = path.rfind(".", 0, end)
    return None


def words_at(claims: JsonObject, path: str) -> Iterator[str]:
    """The texts at ``path``: one, or those of a list; what is no text is left out."""
    found = claim_at(claims, path)
    for value in found if isinstance(found, Sequence) and not isinstance(found, str) else (found,):
        word = _word(value) if isinstance(value, str) else ""
        if word:
            yield word


def roles_of(claims: JsonObject, rules: ClaimRules, known: Collection[str] | None) -> frozenset[str]:
    """The roles that a token gives, by our names, as far as they are ``known``.

    A text may hold several between spaces, as ``scope`` does (RFC 9068, section 2.2.3).
    """
    said = [word for path in rules.roles for text in words_at(claims, path) for word in (text, *text.split())]
    names = (role_name(word) for word in said[: 2 * ROLES_LIMIT])
    if rules.role_map:
        ours = {role_name(theirs): role_name(ours) for theirs, ours in rules.role_map.items()}
        names = (ours[name] for name in names if name in ours)
    there_are = None if known is None else {role_name(name) for name in known}
    return frozenset(name for name in names if name and (there_are is None or name in there_are))


def _check_kind(claims: JsonObject, rules: ClaimRules, kind: TokenKind, type_: str) -> None:
    in_header = type_.lower().removeprefix("application/")
    if in_header not in _TYPES:
        raise TokenRefused(TokenFault.NOT_ACCESS)
    said = [claims[name] for name in _KIND_CLAIMS if name in claims]
    kinds = {_KINDS.get(word.lower()) if isinstance(word, str) else None for word in said}
    if not said and in_header == "at+jwt":
        kinds.add(TokenKind.ACCESS)
    is_unsaid = not kinds and not rules.requires_type and kind is TokenKind.ACCESS
    if not (is_unsaid or kinds == {kind}) or any(name in claims for name in _OF_IDENTITY):
        raise TokenRefused(TokenFault.NOT_ACCESS, "" if kind is TokenKind.ACCESS else f"the token is no {kind} token")


def _check_active(claims: JsonObject) -> None:
    status = claims.get("status")
    if claims.get("is_active", True) is not True or (isinstance(status, str) and status.lower() in _ENDED):
        raise TokenRefused(TokenFault.REVOKED, "the user is not active any more")


def _tenant(claims: JsonObject, rules: ClaimRules) -> str:
    if rules.tenant:
        return rules.tenant
    said = set(words_at(claims, rules.tenant_claim)) if rules.tenant_claim else set()
    if len(said) > 1:
        raise TokenRefused(TokenFault.ISSUER, "the token is of several tenants, and one is wanted")
    tenant = next(iter(said), "")
    has_all = EVERY_TENANT in rules.tenants
    is_allowed = has_all or tenant in rules.tenants or (not rules.tenants and tenant != EVERY_TENANT)
    if tenant and not is_allowed:
        raise TokenRefused(TokenFault.ISSUER, "the issuer of the token may not speak for its tenant")
    return tenant


def _places(claims: JsonObject, rules: ClaimRules) -> tuple[str, ...]:
    said = words_at(claims, rules.places_claim) if rules.places_claim else ()
    paths = {path: None for word in said if (path := path_of(word)) is not None}
    return tuple(paths)[:PLACES_LIMIT]


def _moment(claims: JsonObject, name: str) -> float:
    """A NumericDate (RFC 7519, section 2).

    Raises:
        TokenRefused: if it is none, or none that could be meant.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise TokenRefused(TokenFault.MALFORMED, f"the claim {name} must be a moment, in seconds since 1970")
    return float(value)


def _word(value: JsonValue) -> str:
    """``value`` as a text that may be shown; empty if it is none. Some issuers have numbers for users."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return str(value)
    if isinstance(value, str) and len(value) <= TEXT_LIMIT and value.isprintable():
        return value.strip()
    return ""


def _rank(role: str) -> tuple[int, str]:
    """The mightiest of the roles that need no configuration come first: a client that shows one shows that."""
    names = list(ROLES)
    return (names.index(role) if role in names else len(names), role)
