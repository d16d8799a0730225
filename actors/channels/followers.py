"""Those who follow one channel, by how they are spoken to: the encoder, and how often they want to be told.

Rules of this file: no I/O, no clock. A group is encoded for once. The followers outlive a life of their channel; what
waits for them does not, so a channel says it before it ends.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from domain import Pacer, Publication, pacing_key
from transport import Encoder, Frame, FrameStream


class Group:
    """Followers that are told the same; ``frames`` is what is put together for their next write."""

    __slots__ = ("encode", "frames", "outlets")

    def __init__(self, encode: Encoder) -> None:
        self.encode = encode
        self.outlets: dict[FrameStream, None] = {}
        self.frames: list[Frame] = []

    def __len__(self) -> int:
        return len(self.outlets)

    def __contains__(self, outlet: FrameStream) -> bool:
        return outlet in self.outlets

    def everybody(self) -> Iterable[FrameStream]:
        """All of them, whenever they joined."""
        return self.outlets

    def join(self, outlet: FrameStream) -> None:
        """Tell ``outlet`` what is published from now on."""
        self.outlets[outlet] = None

    def leave(self, outlet: FrameStream) -> None:
        """Tell ``outlet`` nothing more."""
        self.outlets.pop(outlet, None)


class _Late:
    """Who joined while something waited; ``before`` counts what of that was published before."""

    __slots__ = ("before", "frames")

    def __init__(self, before: dict[Hashable, int]) -> None:
        self.before = before
        self.frames: list[Frame] = []


class PacedGroup(Group):
    """Followers that want each value once in ``interval`` seconds at most."""

    __slots__ = ("_late", "pacer")

    def __init__(self, encode: Encoder, interval: float) -> None:
        super().__init__(encode)
        self.pacer = Pacer(interval)
        self._late: dict[FrameStream, _Late] = {}

    def __len__(self) -> int:
        return len(self.outlets) + len(self._late)

    def __contains__(self, outlet: FrameStream) -> bool:
        return outlet in self.outlets or outlet in self._late

    def everybody(self) -> Iterable[FrameStream]:
        """All of them, whenever they joined."""
        return (*self.outlets, *self._late)

    def join(self, outlet: FrameStream) -> None:
        """Tell ``outlet`` what is published from now on, and nothing that waits already."""
        waiting = self.pacer.waiting()
        if waiting:
            self._late[outlet] = _Late(waiting)
        else:
            super().join(outlet)

    def leave(self, outlet: FrameStream) -> None:
        """Tell ``outlet`` nothing more."""
        super().leave(outlet)
        self._late.pop(outlet, None)

    def put(self, publication: Publication, rate: int, frame: Frame) -> None:
        """Put ``frame``, which tells ``rate`` publications, to the next write."""
        self.frames.append(frame)
        key = pacing_key(publication)
        for late in self._late.values():
            # What was published before it joined is not for it.
            own_rate = rate - late.before.pop(key, 0)
            own = frame if own_rate == rate else self.encode.frame(publication, own_rate) if own_rate else None
            if own is not None:
                late.frames.append(own)

    def take_late(self) -> list[tuple[FrameStream, list[Frame]]]:
        """What is put together for each who joined late; who has caught up is one of the others from now on."""
        taken = [(outlet, late.frames) for outlet, late in self._late.items() if late.frames]
        for outlet, late in list(self._late.items()):
            late.frames = []
            if not late.before:
                del self._late[outlet]
                self.outlets[outlet] = None
        return taken


class Followers:
    """The followers of one channel; who comes by several names with one encoder is one follower."""

    __slots__ = ("free", "paced")

    def __init__(self) -> None:
        self.free: dict[Encoder, Group] = {}
        self.paced: dict[tuple[Encoder, float], PacedGroup] = {}

    def __len__(self) -> int:
        return sum(map(len, self.groups()))

    def __contains__(self, outlet: FrameStream) -> bool:
        return any(outlet in group for group in self.groups())

    def groups(self) -> Iterator[Group]:
        """All groups."""
        yield from self.free.values()
        yield from self.paced.values()

    def outlets(self) -> Iterator[FrameStream]:
        """All followers."""
        for group in self.groups():
            yield from group.everybody()

    def slower(self, outlet: FrameStream, encode: Encoder, max_hz: float | None) -> PacedGroup | None:
        """The group that ``outlet`` is in and would leave for one that is told more often."""
        for (other, interval), group in self.paced.items():
            if other is encode and outlet in group and (max_hz is None or 1 / max_hz < interval):
                return group
        return None

    def add(self, outlet: FrameStream, encode: Encoder, max_hz: float | None = None) -> bool:
        """Let ``outlet`` follow; False if it did before. Of several names the one that asks for most counts."""
        slower = self.slower(outlet, encode, max_hz)
        if slower is not None:
            slower.leave(outlet)
        elif any(outlet in group for group in self.groups() if group.encode is encode):
            return False
        if max_hz is None:
            self.free.setdefault(encode, Group(encode)).join(outlet)
        else:
            paced = encode, 1 / max_hz
            self.paced.setdefault(paced, PacedGroup(*paced)).join(outlet)
        self._tidy()
        return slower is None

    def discard(self, outlet: FrameStream) -> None:
        """Tell ``outlet`` nothing more."""
        for group in self.groups():
            group.leave(outlet)
        self._tidy()

    def _tidy(self) -> None:
        for each, free in list(self.free.items()):
            if not free:
                del self.free[each]
        for key, paced in list(self.paced.items()):
            if not paced:
                del self.paced[key]
