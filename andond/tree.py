"""The supervision tree: which actors there are, in which order they start, and what each is given.

Rules of this file: the gateway's strategy is rest for one, so what comes later may rely on what comes before and
begins anew with it. Nothing is decided here but the order.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from actors import (
    Accounts,
    Auditor,
    Backlog,
    Book,
    Canary,
    Channels,
    Front,
    Keys,
    Listener,
    MemoryKeeper,
    Pulse,
    Ranks,
    Receipts,
    Recorder,
    SiteInForce,
    Standing,
    Tokens,
)
from actors.desks import (
    AlarmDesk,
    CallDesk,
    CountersInForce,
    FloorDesk,
    JobDesk,
    NodesNamed,
    PortalDesk,
    PortalInForce,
    Presence,
    ProductionDesk,
    SeriesKeeper,
    TermsInForce,
    ValidatorDesk,
    at_work,
)
from actors.hooks import HookRules, Installed, Taps
from actors.notifier import NOTIFIER_POLICY, PresentRulebook, notification_channels
from actors.runtime import ChildSpec, Policy, Strategy, Supervisor
from actors.sources import Roll, Sources, Vigil
from andond.portal_streams import PORTAL_STREAMS
from config import (
    AlarmSettings,
    CanarySettings,
    FloorSettings,
    JournalSettings,
    PolicySettings,
    PortalSettings,
    ReceiptSettings,
    ServerSettings,
    Settings,
    SourceSettings,
    required_chains,
    turn_of,
    watched_of,
)
from domain import Priority
from domain.plant.site import Site
from transport import Door, Encoder, Link, Request, Response, Routes, TokenVerifier
from transport.dialects.native import ENCODINGS, JSON

GATEWAY_POLICY = Policy(strategy=Strategy.REST_FOR_ONE, intensity=5, period=60.0)
LISTENERS_POLICY = Policy(strategy=Strategy.REST_FOR_ONE, intensity=5, period=60.0)
# Who only looks must not take those along who do; the back-off bounds what its failures cost.
WATCHES_POLICY = Policy(intensity=sys.maxsize, period=60.0)


@dataclass(slots=True)
class Present:
    """The settings in force: a reload puts others here."""

    settings: Settings
    hooks: Installed = field(default_factory=Installed)
    _site: SiteInForce = field(init=False)

    def __post_init__(self) -> None:
        """Make the site of the settings in force, whichever they are."""
        self._site = SiteInForce(lambda: self.settings.site)

    def server(self) -> ServerSettings:
        """How the port is served."""
        return self.settings.server

    def sources(self) -> Mapping[str, SourceSettings]:
        """The sources that there should be."""
        return self.settings.sources

    def portal(self) -> PortalSettings:
        """What the portal's clients are told, and which alerts there are."""
        return self.settings.portal

    def journal(self) -> JournalSettings:
        """What the journal keeps."""
        return self.settings.journal

    def policy(self) -> PolicySettings:
        """Which event has which priority, those of hooks too, and how many critical ones a source may have."""
        return self.hooks.policy(self.settings.policy)

    def receipts(self) -> ReceiptSettings:
        """What clients owe for critical events."""
        return self.settings.receipts

    def canary(self) -> CanarySettings:
        """How the way to the clients is measured."""
        return self.settings.canary

    def alarms(self) -> AlarmSettings:
        """What is on record of the plant's alarms, and how they behave."""
        return self.settings.floor.alarms

    def floor(self) -> FloorSettings:
        """How the floor's rules work."""
        return self.settings.floor

    def site(self) -> Site:
        """The plant: its equipment, shifts and people."""
        return self._site()

    def data_directory(self) -> Path | None:
        """Where the daemon may write; None: nowhere."""
        return self.settings.storage.directory


class Trust(msgspec.Struct, frozen=True):
    """Who is believed: ``tokens`` of the gateway's own users, and those that ``verifier`` reads.

    ``keeper`` keeps who is signed in on the page.
    """

    tokens: Tokens | None = None
    verifier: TokenVerifier = msgspec.field(default_factory=TokenVerifier)
    keeper: ChildSpec | None = None


NOBODY_TRUSTED = Trust()


def gateway(
    present: Present,
    sockets: Sequence[socket.socket],
    routes: Routes,
    doors: Callable[[Request], Door | Response],
    front: Front,
    trust: Trust = NOBODY_TRUSTED,
) -> list[ChildSpec]:
    """The children of the gateway's supervisor, in the order of their start."""
    roll, book = Roll(), Book()
    taps = Taps()
    listeners = [
        ChildSpec("connections", Supervisor),
        ChildSpec("listener", Listener, (present.server, sockets, routes, doors, front), shutdown=1.0),
    ]
    watches = [
        ChildSpec("vigil", Vigil, (present.sources, roll), {"ranks": Ranks("vigil", present.policy)}),
        ChildSpec("receipts", Receipts, (present.receipts, book)),
        ChildSpec("canary", Canary, (present.canary, lambda: _links(front), _native_encoders())),
        ChildSpec("keys", Keys, (lambda: present.settings.access.issuers, trust.verifier)),
        *_accounts(present, trust.tokens),
        *(() if trust.keeper is None else (trust.keeper,)),
    ]
    told_by = notification_channels(lambda: present.settings.notifications, book, present.hooks, present.policy)
    recorder = (present.data_directory(), present.journal, Standing())
    return [
        # First of all, so that it is the last to end; what fails in it takes nobody along.
        ChildSpec("audit", Supervisor, (_audit(present), WATCHES_POLICY)),
        ChildSpec("recorder", Recorder, recorder, redeliver=True),
        ChildSpec("channels", Channels, (present.settings.channels,), {"taps": taps}),
        ChildSpec("desks", Supervisor, (_desks(present, taps),)),
        ChildSpec("sources", Sources, (present.sources, roll, present.policy, present.hooks)),
        ChildSpec("memory", MemoryKeeper, (front.memory, present.data_directory())),
        ChildSpec("listeners", Supervisor, (listeners, LISTENERS_POLICY)),
        ChildSpec("pulse", Pulse, (front.open_links,)),
        ChildSpec("watches", Supervisor, (watches, WATCHES_POLICY)),
        ChildSpec("notifier", Supervisor, (told_by, NOTIFIER_POLICY)),
        ChildSpec("hooks", HookRules, (present.hooks, taps, present.policy)),
    ]


def _accounts(present: Present, tokens: Tokens | None) -> list[ChildSpec]:
    """The keeper of the users, who takes nobody along when it fails."""
    if tokens is None:
        return []
    return [ChildSpec("accounts", Accounts, (present.data_directory(), lambda: present.settings.access.users, tokens))]


def _audit(present: Present) -> list[ChildSpec]:
    """Who writes down who did what."""
    return [ChildSpec("auditor", Auditor, (present.data_directory(), lambda: present.settings.audit, Backlog()))]


def _desks(present: Present, taps: Taps) -> list[ChildSpec]:
    """The actors that decide, in the order of their start."""
    return [
        ChildSpec("floor", FloorDesk, (present.journal, CountersInForce(present.floor))),
        *_chain_desks(present),
        # Before the alarms, which ask for calls when they begin.
        ChildSpec(
            "calls",
            CallDesk,
            (present.floor, PresentRulebook(lambda: present.settings), present.site),
            {"taps": taps, "ranks": Ranks("calls", present.policy)},
        ),
        ChildSpec(
            "alarms",
            AlarmDesk,
            (present.alarms,),
            {"ranks": Ranks("alarms", present.policy), "shift_of": at_work(present.site)},
        ),
        ChildSpec(
            "production",
            ProductionDesk,
            (present.floor, present.site),
            {"ranks": Ranks("production", present.policy), "presence": Presence()},
        ),
        ChildSpec(
            "jobs",
            JobDesk,
            (present.floor, present.site),
            {"ranks": Ranks("jobs", present.policy)},
        ),
    ]


def _chain_desks(present: Present) -> list[ChildSpec]:
    """The actors that decide about chains, in the order of their start."""
    return [
        # Before the portal, which asks for its peaks when it begins.
        ChildSpec("series", SeriesKeeper, (present.data_directory(), lambda: present.portal().history)),
        ChildSpec(
            "portal",
            PortalDesk,
            (present.settings.portal,),
            {
                "present": present.journal,
                "ranks": Ranks("portal", present.policy),
                "streams": PORTAL_STREAMS,
                "in_force": PortalInForce(present.portal, lambda: required_chains(present.settings.sources)),
            },
        ),
        ChildSpec(
            "validators",
            ValidatorDesk,
            (
                TermsInForce(
                    lambda: present.settings.chain,
                    lambda: watched_of(present.settings.sources),
                    lambda: turn_of(present.settings.sources),
                ),
            ),
            {"ranks": Ranks("validators", present.policy), "named": NodesNamed(lambda: present.settings.sources)},
        ),
    ]


def _links(front: Front) -> Iterable[Link]:
    return () if front.server is None else front.server.links


def _native_encoders() -> Mapping[str, Encoder]:
    """By subprotocol; who names none speaks JSON."""
    encoders = {encoding.subprotocol: encoding.encoders[Priority.LOW] for encoding in ENCODINGS}
    return {"": JSON.encoders[Priority.LOW], **encoders}
