"""Actors on trio and in threads: mailboxes, supervision, and what is known of each."""

from actors.runtime.actor import Actor
from actors.runtime.child import ChildInfo, ChildSpec, ListChildren, StartChild, StopChild
from actors.runtime.deadletters import DeadLetter, DeadLetters, Quarantined
from actors.runtime.environment import Environment
from actors.runtime.errors import ActorDead, AskTimeout, ChildExists, MailboxFull, NoSuchChild, TooManyRestarts
from actors.runtime.future import ActorRef, TrioFuture, ask
from actors.runtime.lanes import MailboxStatistics
from actors.runtime.mailbox import Mailbox
from actors.runtime.observer import LoggingObserver, Observer
from actors.runtime.policy import Policy, Restart, Strategy
from actors.runtime.registry import as_ref
from actors.runtime.supervisor import Supervisor
from actors.runtime.survey import ActorStatus, survey
from actors.runtime.system import ActorSystem
from actors.runtime.threading_actor import ThreadingActor
from actors.runtime.trio_actor import TrioActor

__all__ = [
    "Actor",
    "ActorDead",
    "ActorRef",
    "ActorStatus",
    "ActorSystem",
    "AskTimeout",
    "ChildExists",
    "ChildInfo",
    "ChildSpec",
    "DeadLetter",
    "DeadLetters",
    "Environment",
    "ListChildren",
    "LoggingObserver",
    "Mailbox",
    "MailboxFull",
    "MailboxStatistics",
    "NoSuchChild",
    "Observer",
    "Policy",
    "Quarantined",
    "Restart",
    "StartChild",
    "StopChild",
    "Strategy",
    "Supervisor",
    "ThreadingActor",
    "TooManyRestarts",
    "TrioActor",
    "TrioFuture",
    "as_ref",
    "ask",
    "survey",
]
