"""What the way to the clients and back takes: a synthetic message of each priority to every native client.

Rules of this file: everybody has his turn once an interval, in slices, so that ten thousand are no burst. A message
goes through the same lanes as any other, with a Ping right behind it; its Pong is the way back. ``Canaries`` decides
what the round trips mean.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import trio

from actors.beats import beat
from actors.runtime import TrioActor
from config import CanarySettings
from domain import JsonValue, Priority
from domain.canary import Canaries, Verdict, canary
from telemetry import Histogram, counters, events, gauges
from transport import Encoder, Frame, Link

SLICES = 40
"""Parts of an interval, each with its part of the clients."""

OFF = 1.0
"""Seconds after which it is asked again whether there is an interval."""

Encoders = Mapping[str, Encoder]


class Canary(TrioActor):
    """Sends to the native ones of ``links``, by the settings that ``present`` returns.

    ``encoders`` are those of the native dialect by the subprotocol of a link.
    """

    has_tasks = True

    def __init__(
        self,
        present: Callable[[], CanarySettings],
        links: Callable[[], Iterable[Link]],
        encoders: Encoders,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._present = present
        self._links = links
        self._encoders = encoders
        self._clock = clock
        self._canaries = Canaries()
        self._known: dict[str, Link] = {}
        self._began = clock()
        self._numbers = itertools.count(1)
        self._is_breach = False
        self._earlier = self._round_trips()
        self._before = self._earlier

    async def setup(self) -> None:
        """Begin to send."""
        gauges.feed("canary_clients", lambda: self._judge().clients)
        gauges.feed("canary_late", lambda: self._judge().breaching)
        self.start_task(self._send_for_ever)

    async def close(self) -> None:
        """Tell no more figures."""
        gauges.forget("canary_clients")
        gauges.forget("canary_late")

    def describe(self) -> Mapping[str, JsonValue]:
        """How many clients there are, how many are late, and what a round trip takes lately."""
        present, verdict = self._present(), self._judge()
        return {
            "interval": present.interval,
            "bound": present.bound,
            "share": present.share,
            "clients": verdict.clients,
            "late": verdict.breaching,
            "not_ready": str(verdict) if verdict.is_breach else None,
            "round_trip_ms": {
                priority.wire: _quantiles(now.since(earlier))
                for priority, now, earlier in zip(Priority, counters.canary_round_trip, self._earlier, strict=True)
            },
        }

    async def _send_for_ever(self) -> None:
        while True:
            interval = self._present().interval
            if interval:
                await self._send_round(interval)
            else:
                self._keep(())
                self._look()
                await trio.sleep(OFF)

    async def _send_round(self, interval: float) -> None:
        """Give each client that is there now its turn within ``interval`` seconds."""
        self._earlier, self._before = self._before, self._round_trips()
        links = [link for link in self._links() if link.introduced and link.closing is None]
        self._keep(links)
        for turn in range(SLICES):
            self._send_to(links[turn::SLICES])
            await beat(interval / SLICES)
            self._look()

    def _send_to(self, links: Sequence[Link]) -> None:
        written: dict[str, list[Frame]] = {}
        sent = trio.current_time()
        for link in links:
            if link.closing is not None:
                continue
            if link.subprotocol not in written:
                written[link.subprotocol] = self._write(link.subprotocol)
            for frame in written[link.subprotocol]:
                if self._canaries.send(link.id, frame.priority, sent):
                    link.stream.probe(frame, partial(self._echoed, link.id, frame.priority, sent))

    def _keep(self, links: Sequence[Link]) -> None:
        self._known = {link.id: link for link in links}
        self._canaries.keep(self._known.keys())

    def _write(self, subprotocol: str) -> list[Frame]:
        """The four messages for those who speak ``subprotocol``; none if it has no words for them."""
        encoder = self._encoders.get(subprotocol)
        if encoder is None:
            return []
        at, number = self._clock(), next(self._numbers)
        publications = (canary(f"{self._began:.3f}-{number}-{each.wire}", each, at) for each in Priority)
        frames = (encoder.frame(publication) for publication in publications)
        return [frame for frame in frames if frame is not None]

    def _echoed(self, client: str, priority: Priority, sent: float, round_trip: float) -> None:
        counters.canary_round_trip[priority].observe(round_trip)
        self._canaries.echo(client, priority, sent, round_trip, self._present().bound)

    def _judge(self) -> Verdict:
        present, at = self._present(), trio.current_time()
        verdict = self._canaries.judge(present.share, present.bound, at)
        if not verdict.breaching:
            return verdict
        # Who has left says nothing about the gateway any more.
        self._keep([link for link in self._known.values() if link.closing is None])
        return self._canaries.judge(present.share, present.bound, at)

    def _look(self) -> None:
        """Say it when the gateway gets beyond its bound, and when it comes back."""
        verdict = self._judge()
        if verdict.is_breach == self._is_breach:
            return
        self._is_breach = verdict.is_breach
        if verdict.is_breach:
            events.canary_breached(clients=verdict.clients, late=verdict.breaching, bound=verdict.bound)
        else:
            events.canary_recovered(clients=verdict.clients, late=verdict.breaching)

    def _round_trips(self) -> tuple[Histogram, ...]:
        return tuple(histogram.copy() for histogram in counters.canary_round_trip)


def _quantiles(recent: Histogram) -> dict[str, JsonValue]:
    return {name: _milliseconds(recent.quantile(ratio)) for name, ratio in (("p50", 0.5), ("p99", 0.99))}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
