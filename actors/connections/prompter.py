"""Who speaks to clients that say nothing: some dialects promise a word after so long a silence.

Rules of this file: no task and no timer for one client. Those with the same patience stand in the order in which they
were heard last, so one task looks at the first alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import trio

from transport import Frame, Link, Prompt


class _Waiting(msgspec.Struct):
    """When a client is to be spoken to (on trio's clock), and by what."""

    due: float
    write: Callable[[float], Frame]


class Prompter:
    """The links that were promised a word; ``clock`` gives the Unix seconds that stand in it."""

    __slots__ = ("_arrival", "_clock", "_patience", "_waiting")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._patience: dict[Link, float] = {}
        self._waiting: dict[float, dict[Link, _Waiting]] = {}
        self._arrival = trio.Event()

    def __len__(self) -> int:
        return len(self._patience)

    def enter(self, link: Link, prompt: Prompt) -> None:
        """Speak to ``link`` from now on as ``prompt`` says, and no more as an earlier one said."""
        self.leave(link)
        self._patience[link] = prompt.after
        waiting = self._waiting.setdefault(prompt.after, {})
        waiting[link] = _Waiting(trio.current_time() + prompt.after, prompt.write)
        self._arrival.set()

    def heard(self, link: Link) -> None:
        """``link`` has said something: its silence begins anew."""
        after = self._patience.get(link)
        if after is not None:
            waiting = self._waiting[after]
            one = waiting.pop(link)
            one.due = trio.current_time() + after
            waiting[link] = one

    def leave(self, link: Link) -> None:
        """``link`` is gone."""
        after = self._patience.pop(link, None)
        if after is not None:
            del self._waiting[after][link]
            if not self._waiting[after]:
                del self._waiting[after]

    async def watch(self) -> None:
        """Speak to who is silent for too long, until cancelled; asleep while nobody was promised anything."""
        while True:
            await self._arrival.wait()
            self._arrival = trio.Event()
            while self._waiting:
                next_ = min(next(iter(waiting.values())).due for waiting in self._waiting.values())
                with trio.move_on_at(next_):
                    # Whoever has less patience than all before may come meanwhile.
                    await self._arrival.wait()
                    self._arrival = trio.Event()
                self._speak(trio.current_time())

    def _speak(self, now: float) -> None:
        for after, waiting in self._waiting.items():
            for link in list(waiting):
                one = waiting[link]
                if one.due > now:
                    break
                del waiting[link]
                one.due = now + after
                waiting[link] = one
                if link.closing is None:
                    link.stream.send(one.write(self._clock()))
