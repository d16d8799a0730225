"""Who is let in, put together once: standing, tokens, users, sign-in, the table of paths and that of doors.

Rules of this file: it makes and connects, and decides nothing. Whatever may change somebody's rights while they are
connected, a reload, a user that guards an open gateway, a token taken back, has all links looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import trio

from actors import AuditTrail
from actors.desks import StatesInForce
from actors.places import LISTENER, PORTAL_DESK, SERIES, Address
from actors.runtime import Environment
from andond.api import build_routes
from andond.api.health import Health
from andond.api.portal_data import DeskData
from andond.doors import Doors
from andond.floor_desks import FloorDesks
from andond.floor_doors import FloorDoors
from andond.guard import Guard
from andond.identities import Identities, TermsInForce
from andond.own_tokens import own_tokens, roles_known
from andond.portal_doors import ConsoleDesk, PortalDoors
from andond.rights_review import RightsReview
from andond.signing_in import SigningIn
from andond.standing import StandingInForce
from andond.token_door import TokenDoor
from andond.tree import Present, Trust
from config import AccessSettings
from domain.plant.site import EquipmentModel
from transport import Routes, TokenVerifier, load_libraries
from transport.dialects.floor import Roster


class Ways(msgspec.Struct, frozen=True):
    """The ways in: ``routes`` for requests, ``doors`` for WebSockets, and whose word is trusted behind them."""

    routes: Routes
    doors: Doors
    trust: Trust


class Entrance:
    """Who is let in by the ``present`` settings, on sockets that are ``reached`` from other machines there."""

    def __init__(self, present: Present, reached: Sequence[str]) -> None:
        self._present = present
        self.standing = StandingInForce(lambda: present.settings, reached)
        known = roles_known(self._access)
        self._verifier = TokenVerifier(known=known)
        self._verifier.apply(self._access().issuers)
        if not self.standing.is_open:
            load_libraries()
        self._tokens = own_tokens(present.data_directory(), self._access().own, self._verifier, known)
        self._signing_in = SigningIn(present, self._verifier, self._tokens)
        self._terms = TermsInForce(self._access, self._verifier, is_open=lambda: self.standing.is_open)
        self._review: RightsReview | None = None

    def open(self, environment: Environment, health: Health, trail: AuditTrail) -> Ways:
        """The ways into the tree of ``environment``; ``trail`` notes who was shut out."""
        identities = Identities(self._terms, trail=trail, visitors=self._signing_in.visitors)
        floor = self._floor_doors(environment, identities)
        signing_in, guard = self._signing_in.access(identities), Guard(identities)
        routes = build_routes(environment, health, floor.roster, self._present.site, guard, signing_in)
        data = DeskData(Address(environment, PORTAL_DESK), Address(environment, SERIES))
        tokens = TokenDoor(identities, self._tokens.withdrawn)
        doors = Doors(self._present.server, floor, PortalDoors(ConsoleDesk(data), identities), identities, tokens)
        review = self._review = RightsReview(Address(environment, LISTENER), identities, self._verifier)
        self._tokens.withdrawn.follow(review)
        return Ways(routes, doors, Trust(self._tokens, self._verifier, self._signing_in.keeper(review.look)))

    async def renew(self) -> None:
        """Look whether somebody is known by now: a gateway that was open is guarded then, for those inside too."""
        was_open = self.standing.is_open
        await trio.to_thread.run_sync(self.standing.renew)
        if was_open and not self.standing.is_open:
            self.review()
            await trio.to_thread.run_sync(load_libraries)

    def review(self, before: AccessSettings | None = None) -> None:
        """Have everybody who is connected looked at again: what they may has changed, perhaps.

        ``before`` are the settings of before a reload: whose issuer or certificate is another now is to return.
        """
        if self._review is None:
            return
        now = self._access()
        known = {} if before is None else {**before.issuers, **before.certificates}
        present = {**now.issuers, **now.certificates}
        self._review.look(frozenset(name for name, settings in known.items() if present.get(name) != settings))

    def _access(self) -> AccessSettings:
        return self._present.settings.access

    def _floor_doors(self, environment: Environment, identities: Identities) -> FloorDoors:
        roster = Roster(lambda: self._present.settings.server.connections)
        desks = FloorDesks(environment, self._present.site)
        states = StatesInForce(self._present.floor)
        return FloorDoors(
            lambda: self._present.floor().doors, self._equipment, desks.answers, roster, identities, states=states
        )

    def _equipment(self) -> EquipmentModel:
        return self._present.site().equipment
