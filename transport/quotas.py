"""From the settings of limits to what everybody may take, and from a limit that was met to what its client is told.

Rules of this file: no I/O and no clock. Who showed no proof of who it is, is no user: the anonymous are not one
another, so they share nothing but their addresses. The gateway's own people are of no tenant.
"""

from __future__ import annotations

from config import AddressLimitSettings, LimitSettings, TenantLimitSettings, UserLimitSettings
from domain import Allotment, Allotments, Allowance, Excess, Holder, JsonValue, Metered, Rate
from domain.access import EVERY_TENANT, Identity, Proof
from telemetry import events
from transport.codes import ProtocolError
from transport.messages import Request

BURST = 2.0
"""Seconds of a rate that one may have at once after quiet."""

HELD_RETRY = 10
"""Seconds after which a client may try again that has as many of something as it may."""

LIMIT_EXCEEDED = 106
TOO_MANY_REQUESTS = 111

_ANSWERS = {Metered.COMMANDS: TOO_MANY_REQUESTS, Metered.SUBSCRIPTIONS: LIMIT_EXCEEDED}
_PROVED = frozenset({Proof.TOKEN, Proof.LOCAL, Proof.CERTIFICATE})

_Shared = AddressLimitSettings | UserLimitSettings | TenantLimitSettings


def allotments(settings: LimitSettings) -> Allotments:
    """What ``settings`` allow."""
    own, address = settings.connection, settings.address
    rates = {Metered.MESSAGES: own.messages, Metered.FRAMES: own.frames, Metered.BYTES: own.bytes}
    connection = Allotment({}, {kind: _rate(rate) for kind, rate in rates.items() if rate})
    handshakes = {}
    if address.handshakes:
        handshakes[Metered.HANDSHAKES] = Rate(address.handshakes, max(1.0, address.handshakes_at_once))
    return Allotments(
        {
            Holder.CONNECTION: connection,
            Holder.ADDRESS: _shared(address, 0, handshakes),
            Holder.USER: _shared(settings.user, settings.user.connections, {}),
            Holder.TENANT: _shared(settings.tenant, settings.tenant.connections, {}),
        },
        settings.remembered,
    )


def _shared(settings: _Shared, connections: int, rates: dict[Metered, Rate]) -> Allotment:
    counts = {Metered.CONNECTIONS: connections, Metered.SUBSCRIPTIONS: settings.subscriptions}
    means = {Metered.COMMANDS: settings.commands, Metered.BYTES: settings.bytes}
    return Allotment(
        {kind: count for kind, count in counts.items() if count},
        {**rates, **{kind: _rate(rate) for kind, rate in means.items() if rate}},
    )


def _rate(per_second: float) -> Rate:
    return Rate(per_second, max(1.0, per_second * BURST))


def holder_of(identity: Identity) -> tuple[str, str]:
    """The user and the tenant that ``identity`` counts as; empty where it counts as none."""
    tenant = "" if identity.tenant == EVERY_TENANT else identity.tenant
    user = f"{identity.tenant}/{identity.subject}" if identity.proof in _PROVED else ""
    return user, tenant


def check_commands(allowance: Allowance, client: str, at: float) -> None:
    """Count a request of ``client`` at ``at`` (Unix seconds).

    Raises:
        ProtocolError: 429, if its address is too fast.
    """
    excess = allowance.command(1.0, at)
    if excess is not None:
        raise refusal_of(excess, client)


def charge(request: Request, identity: Identity, at: float) -> None:
    """Count ``request`` at ``at`` (Unix seconds) as one of ``identity``, for who found out that it is.

    Raises:
        ProtocolError: 429, if its user or tenant is too fast.
    """
    if request.allowance is not None:
        excess = request.allowance.request(*holder_of(identity), at)
        if excess is not None:
            raise refusal_of(excess, request.client.host)


def refusal_of(excess: Excess, client: str) -> ProtocolError:
    """What a request of ``client`` is answered that met a limit: 429, with a time to come back."""
    told(excess, client)
    retry = excess.wait or HELD_RETRY
    members: dict[str, JsonValue] = {"limit": excess.limit, "of": str(excess.kind), "holder": str(excess.holder)}
    return ProtocolError(429, _sentence(excess), retry_after=retry, members=members)


def answer_of(excess: Excess, client: str) -> ProtocolError:
    """What a command of ``client`` is answered that met a limit: 111 for what it may do later, else 106."""
    told(excess, client)
    return ProtocolError(_ANSWERS.get(excess.kind, LIMIT_EXCEEDED), excess.words, retry_after=excess.wait or None)


def told(excess: Excess, client: str) -> None:
    """Say and count that a limit was met by ``client``."""
    events.limit_reached(client=client, holder=str(excess.holder), of=str(excess.kind), limit=excess.limit)


def _sentence(excess: Excess) -> str:
    return f"{excess.words}, and try again in {max(1, round(excess.wait or HELD_RETRY))} s"
