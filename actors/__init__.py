"""Actors: what happens, when, and what survives a failure."""

from actors.access import access_faults, access_policy_of
from actors.accounts.keeper import Accounts
from actors.accounts.tokens import Tokens
from actors.accounts.withdrawn import Withdrawn
from actors.accounts.words import (
    ChangePassword,
    Denial,
    Denied,
    Done,
    Known,
    LoggedIn,
    LogIn,
    LogOut,
    Renew,
    WhoIs,
)
from actors.acts import Act, Acted, Acts
from actors.audit.auditor import Auditor, Backlog
from actors.audit.words import AuditTrail, Noted, ReadAudit
from actors.beats import beat
from actors.canary import Canary
from actors.channels.keeper import Channels
from actors.checking import NO_TYPES, OWN_TYPES
from actors.connections.connection import Answerer, Opening
from actors.connections.listener import Apply, Drain, Front, Listener, Review
from actors.connections.memory import MemoryKeeper
from actors.connections.receipts import Acknowledged, Book, Introduced, Left, Receipts, Shown
from actors.messages import EventsTaken, EventTaken, Follow, Publish, ReadFault, Refusal, TakeEvents, Unfollow
from actors.providers.keys import ApplyIssuers, Keys
from actors.providers.page_keeper import PageKeeper, PageVisits
from actors.providers.page_words import FinishSignIn, KeepLogin, LeavePage, NotSignedIn, SettleSession, SignedIn
from actors.providers.talk import CALLBACK, ProviderTalk
from actors.pulse import Pulse
from actors.ranks import Ranks, policy_of
from actors.recorder.batch import Standing
from actors.recorder.recorder import Recorder
from actors.site import SiteInForce

__all__ = [
    "CALLBACK",
    "NO_TYPES",
    "OWN_TYPES",
    "Accounts",
    "Acknowledged",
    "Act",
    "Acted",
    "Acts",
    "Answerer",
    "Apply",
    "ApplyIssuers",
    "AuditTrail",
    "Auditor",
    "Backlog",
    "Book",
    "Canary",
    "ChangePassword",
    "Channels",
    "Denial",
    "Denied",
    "Done",
    "Drain",
    "EventTaken",
    "EventsTaken",
    "FinishSignIn",
    "Follow",
    "Front",
    "Introduced",
    "KeepLogin",
    "Keys",
    "Known",
    "LeavePage",
    "Left",
    "Listener",
    "LogIn",
    "LogOut",
    "LoggedIn",
    "MemoryKeeper",
    "NotSignedIn",
    "Noted",
    "Opening",
    "PageKeeper",
    "PageVisits",
    "ProviderTalk",
    "Publish",
    "Pulse",
    "Ranks",
    "ReadAudit",
    "ReadFault",
    "Receipts",
    "Recorder",
    "Refusal",
    "Renew",
    "Review",
    "SettleSession",
    "Shown",
    "SignedIn",
    "SiteInForce",
    "Standing",
    "TakeEvents",
    "Tokens",
    "Unfollow",
    "WhoIs",
    "Withdrawn",
    "access_faults",
    "access_policy_of",
    "beat",
    "policy_of",
]
