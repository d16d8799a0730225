"""Which address belongs to which place in the tree, across the restarts of whole supervisors.

Rules of this file: only children that a supervisor is made with are here. Those started later end with their
supervisor, so ten thousand connections cost nothing here.
"""

from __future__ import annotations

from typing import TypeAlias, cast

from actors.runtime.future import ActorRef
from actors.runtime.mailbox import Mailbox, ThreadMailbox

AnyMailbox: TypeAlias = Mailbox | ThreadMailbox


class Registry:
    """The refs of the lasting children, by path."""

    def __init__(self) -> None:
        self._refs: dict[str, ActorRef] = {}

    def __len__(self) -> int:
        return len(self._refs)

    def get(self, path: str) -> ActorRef | None:
        """Return the ref that belongs to ``path``, or None."""
        return self._refs.get(path)

    def keep(self, path: str, ref: ActorRef) -> None:
        """Let ``path`` have ``ref`` until it is dropped."""
        self._refs[path] = ref

    def drop(self, path: str) -> ActorRef | None:
        """Forget ``path`` and return the ref it had."""
        return self._refs.pop(path, None)

    def below(self, path: str) -> list[str]:
        """Return the paths under ``path``."""
        return [other for other in self._refs if other.startswith(path + "/")]


def mailbox_of(ref: object) -> AnyMailbox:
    """Return the mailbox behind ``ref``.

    Raises:
        TypeError: if it is not the ref of an actor of this runtime.
    """
    mailbox = getattr(ref, "actor_inbox", None)
    if not isinstance(mailbox, Mailbox | ThreadMailbox):
        raise TypeError(f"{ref!r} is not the address of an actor of this runtime")
    return mailbox


def as_ref(value: object) -> ActorRef:
    """Return ``value``, the answer to an ask, as the ref that it must be.

    Raises:
        TypeError: if it is not the ref of an actor of this runtime.
    """
    mailbox_of(value)
    return cast("ActorRef", value)
