"""Actors: what happens, when, and what survives a failure."""

from actors.access import access_faults, access_policy_of
from actors.account_words import (
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
from actors.accounts import Accounts, Tokens
from actors.acts import Act, Acted, Acts
from actors.audit_words import AuditTrail, Noted, ReadAudit
from actors.auditor import Auditor, Backlog
from actors.canary import Canary
from actors.channels import Channels
from actors.checking import NO_TYPES, OWN_TYPES
from actors.connection import Answerer, Opening
from actors.keys import ApplyIssuers, Keys
from actors.listener import Apply, Drain, Front, Listener, Review
from actors.memory import MemoryKeeper
from actors.messages import EventsTaken, EventTaken, Follow, Publish, ReadFault, Refusal, TakeEvents, Unfollow
from actors.page_keeper import PageKeeper, PageVisits
from actors.page_words import FinishSignIn, KeepLogin, LeavePage, NotSignedIn, SettleSession, SignedIn
from actors.provider_talk import CALLBACK, ProviderTalk
from actors.pulse import Pulse
from actors.ranks import Ranks, policy_of
from actors.receipts import Acknowledged, Book, Introduced, Left, Receipts, Shown
from actors.recorder import Recorder
from actors.recorder_batch import Standing
from actors.site import SiteInForce
from actors.withdrawn import Withdrawn

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
    "policy_of",
]
