"""What a client of the native protocol has of the critical events, and of each channel that it follows.

Rules of this file: the first half of each class is what any client can know, and follows ``docs/protocol.md``; whoever
checks it compares that with what the witness saw.
"""

from __future__ import annotations

from tests.simulation.witness import Name, Witness


class Criticals:
    """The critical events that a client has: in the order in which they came, each where it came first.

    ``position`` is where it would resume. What the reply to ``connect`` says is believed when what was missed has come.
    Those ``ahead`` came while the gateway had said that it could not recover what was before them.
    """

    def __init__(self) -> None:
        self.first: tuple[str, int] | None = None
        self.position: tuple[str, int] | None = None
        self.got: dict[Name, str] = {}
        self.ahead: set[Name] = set()
        self.repeats = 0
        self.unrecovered = 0
        self._owed = 0
        self._told: tuple[str, int] | None = None
        self._is_frozen = False

    def connected(self, position: str, missed: int, *, is_recovered: bool) -> None:
        """The gateway has answered ``connect``."""
        told = parsed(position)
        self._owed, self._told, self._is_frozen = 0, None, False
        if self.position is None:
            self.first = self.position = told
        elif not is_recovered:
            self.unrecovered += 1
            # What is owed is behind the own position still: that is asked for again.
            self._is_frozen = True
        elif missed:
            self._owed, self._told = missed, told
        else:
            self._advance(told)

    def took(self, name: Name, channel: str, position: str | None, *, is_live: bool) -> None:
        """A critical event came."""
        if name in self.got:
            self.repeats += 1
        else:
            self.got[name] = channel
            if self._is_frozen:
                self.ahead.add(name)
        if position is not None:
            self._advance(parsed(position))
        if not is_live and self._owed:
            self._owed -= 1
            if not self._owed and self._told is not None:
                self._advance(self._told)

    @property
    def must_return(self) -> bool:
        """Whether something is owed that only another resume can bring."""
        return self._is_frozen

    def _advance(self, position: tuple[str, int]) -> None:
        own = self.position
        if not self._is_frozen and (own is None or own[0] != position[0] or own[1] < position[1]):
            self.position = position

    def on(self, channel: str) -> list[Name]:
        """The events of one channel, each where it came first."""
        return [name for name, where in self.got.items() if where == channel]


class Following:
    """What a client has of one ``channel`` since it last began to follow it.

    ``total`` is how many publications were told: seen, counted in a ``sampledrate``, or in a gap.
    """

    def __init__(self, channel: str, witness: Witness) -> None:
        self.channel = channel
        self._witness = witness
        self._epoch = ""
        self._base = 0
        self._highest = 0
        self._own = 0
        self._began = ("", 0)
        self.total = 0
        self.reasons: list[str] = []
        self.is_whole = False

    @property
    def position(self) -> str | None:
        """Up to where everything is accounted for; None if nothing is known."""
        if not self._epoch:
            return None
        is_even = self._own == self._highest - self._base
        return f"{self._epoch}:{self._highest if is_even else self._base}"

    def confirmed(self, epoch: str, offset: int, gap: dict[str, object] | None, since: str | None) -> None:
        """It is followed from here on, or from ``since``."""
        asked = parsed(since) if since else None
        self.is_whole = asked is None or asked[0] == epoch
        self._epoch, self._base, self._own = epoch, offset, 0
        self.total = 0
        if asked is not None and asked[0] == epoch:
            self._base = asked[1]
        self._highest = self._base
        self._began = (epoch, self._base)
        if gap is not None:
            self.missed(gap)

    def took(self, position: str, rate: int) -> None:
        """A publication came that stands for ``rate``."""
        epoch, offset = parsed(position)
        if epoch != self._epoch:
            # Its beginning is not known to a client.
            self._epoch, self._base, self._own, self._highest = epoch, 0, 0, 0
        if offset > self._base:
            self._own += rate
            self._highest = max(self._highest, offset)
        if offset > self._floor(epoch):
            self.total += rate

    def missed(self, gap: dict[str, object]) -> None:
        """A gap was told."""
        self.reasons.append(str(gap["reason"]))
        if gap["count"] is None:
            self.is_whole = False
            return
        self.total += int(str(gap["count"]))
        self._own += int(str(gap["count"]))
        self._highest = max(self._highest, int(str(gap["to"])))

    def _floor(self, epoch: str) -> int:
        """The offset from which on the client is to be told in ``epoch``."""
        if epoch == self._began[0]:
            return self._began[1]
        return next((each.began for each in self._witness.since(self.channel, epoch)), 0)

    @property
    def published(self) -> int | None:
        """How many publications there were for this client; None if nobody can know."""
        epochs = self._witness.since(self.channel, self._began[0])
        if not epochs:
            return None
        return epochs[0].now - self._began[1] + sum(each.now - each.began for each in epochs[1:])


def parsed(position: str) -> tuple[str, int]:
    """A position's two parts."""
    epoch, _, number = position.rpartition(":")
    return epoch, int(number)
