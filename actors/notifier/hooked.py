"""A channel that a hook adds.

Rules of this file: the hook is called in a thread of its own, with a deadline, and is guarded (``actors.hooks``): what
it refuses is not delivered, what it breaks over puts it into quarantine. Both fail the notification at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from actors.hooks import Guard, InQuarantine, Installed
from actors.notifier.couriers import Office
from actors.notifier.words import Deliver
from actors.places import CALLS_DESK
from actors.ranks import Ranks
from actors.runtime import TrioActor
from config import HookChannelSettings
from domain import JsonValue
from domain.hooks import ChannelHook, NotDelivered, Notice
from domain.plant.escalation import Notification


class HookedChannel(TrioActor):
    """The channel ``name`` of the settings, made by one of the ``installed`` hooks."""

    def __init__(
        self,
        name: str,
        settings: HookChannelSettings,
        installed: Installed,
        answers: str = CALLS_DESK,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._office = Office(self.life.environment, answers)
        self._channel: ChannelHook | None = None
        self._guard: Guard | None = None
        found = installed.channel(settings.hook, name)
        if found is not None:
            part, self._make = found
            passes: tuple[type[Exception], ...] = (NotDelivered, OSError)
            timeout = installed.settings.timeout
            ranks = ranks or Ranks("notifier")
            self._guard = Guard(self.life.environment, part, timeout, ranks, passes=passes, clock=clock)

    async def close(self) -> None:
        """Let the thread end."""
        if self._guard is not None:
            self._guard.close()

    def describe(self) -> Mapping[str, JsonValue]:
        """Which hook it is, and whether it may be called."""
        reason = "no such hook is installed" if self._guard is None else self._guard.part.reason
        return {"hook": self._settings.hook, "reason": reason}

    async def on_receive(self, message: object) -> None:
        """Have the hook deliver a notification."""
        if not isinstance(message, Deliver):
            return
        notification = message.notification
        if self._guard is None:
            self._office.failed(notification, f"no hook {self._settings.hook} is installed")
            return
        try:
            if self._channel is None:
                self._channel = await self._guard.call(partial(self._make, dict(self._settings.options)))
            receipt = await self._guard.call(partial(self._channel.send, notice_of(notification)))
        except (NotDelivered, OSError) as error:
            self._office.failed(notification, str(error) or type(error).__name__)
        except InQuarantine as error:
            self._channel = None
            self._office.failed(notification, f"the hook is in quarantine: {error}")
        else:
            self._office.sent(notification, str(receipt))


def notice_of(notification: Notification) -> Notice:
    """What the hook is told of ``notification``."""
    return Notice(
        id=notification.id,
        to=notification.target,
        subject=notification.subject,
        text=notification.text,
        importance=notification.importance.value,
        addresses=notification.addresses,
        repeated=notification.repeated,
        details=notification.members(),
    )
