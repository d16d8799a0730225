"""What a desk must hear from another one to begin with: asked for until it is answered.

Rules of this file: a desk that is away, that is busy, or that has not read back yet what was kept is asked again, each
time with a bound; that it cannot answer yet is no failure of who asks.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

import trio

from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, MailboxFull, ask
from domain import Refused

T = TypeVar("T")


async def until_answered(desk: Address, question: object, kind: type[T], patience: float, interval: float) -> T:
    """The first answer of ``kind`` that ``desk`` gives to ``question``.

    Each time it has ``patience`` seconds to answer; ``interval`` seconds lie between two times.
    """
    while True:
        with suppress(ActorDead, AskTimeout, MailboxFull, Refused):
            answer = await ask(desk.ref, question, patience)
            if isinstance(answer, kind):
                return answer
        await trio.sleep(interval)
