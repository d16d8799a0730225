"""Who answers what the sessions at the floor's doors enquire: the desks, each asked for its part.

Rules of this file: nothing is decided and nothing shaped here. The parts of a snapshot are asked for at once; a desk
that does not answer in time is missing from it, with the reason, and holds no other up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
import trio

from actors import Act, Acts, Answerer
from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from andond.floor_sections import SECTIONS, Section, Where
from andond.sight import Views
from domain import Refused
from domain.access import Rights
from domain.audit import NOWHERE, Whence
from domain.plant.site import Site
from transport.dialects.floor import Deed, Done, Row, Seen, Snapshot

PATIENCE = 2.0
NO_ANSWER = "the desk does not answer: it is restarting, or behind"
NO_DESK = "no desk of this gateway keeps it"


class _Gathering(msgspec.Struct):
    """What has been answered so far."""

    rows: dict[str, list[Row]] = msgspec.field(default_factory=dict)
    reasons: dict[str, str] = msgspec.field(default_factory=dict)


class FloorDesks:
    """Answers for the desks of a running tree; ``site`` returns the one in force.

    ``answers()`` gives who answers those with certain rights: what they do not see is not there.
    """

    def __init__(
        self,
        environment: Environment,
        site: Callable[[], Site] = Site,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._environment = environment
        self._site = site
        self._clock = clock
        self._acts = Acts(environment)
        self._views = Views()

    def answers(self, rights: Rights, whence: Whence = NOWHERE) -> Answerer:
        """Who answers those with ``rights``, who speak from ``whence``."""
        return partial(self.answer, rights, whence=whence)

    async def answer(self, rights: Rights, question: object, whence: Whence = NOWHERE) -> object:
        """The answer to a ``Snapshot`` or a ``Deed`` of somebody with ``rights``.

        Raises:
            Refused: if an act is not done.
        """
        match question:
            case Snapshot():
                return await self._snapshot(question, rights)
            case Deed(type=type_, key=key, by=by, at=at, arguments=arguments, station=station):
                by = rights.identity.name if rights.identity.is_proved else by
                act = Act(type_, key, by, at, arguments, station, rights=rights, whence=whence)
                acted = await self._acts.perform(act)
                return Done(acted.answer, acted.is_kept)
        raise TypeError(f"nobody answers {question!r}")

    async def _snapshot(self, asked: Snapshot, rights: Rights) -> Seen:
        gathering, view = _Gathering(), self._views.of(rights)
        where = Where(asked.place, view.site(self._site()).equipment, self._clock(), view)
        async with trio.open_nursery() as nursery:
            for name in asked.sections:
                section = SECTIONS.get(name)
                if section is None:
                    gathering.reasons[name] = NO_DESK
                else:
                    nursery.start_soon(self._gather, gathering, name, section, where)
        return Seen(gathering.rows, gathering.reasons)

    async def _gather(self, gathering: _Gathering, name: str, section: Section, where: Where) -> None:
        try:
            answer = await ask(Address(self._environment, section.desk).ref, section.question(where), PATIENCE)
        except Refused as refused:
            gathering.reasons[name] = refused.message
            return
        except (ActorDead, AskTimeout, MailboxFull):
            answer = None
        if not isinstance(answer, list):
            gathering.reasons[name] = NO_ANSWER
            return
        rows = [Row(_path(each), each) for each in answer if isinstance(each, Mapping)]
        gathering.rows[name] = [
            row for row in rows if where.has(row.path) or (section.reaches_up and where.is_in(row.path))
        ]


def _path(row: Mapping[str, object]) -> str:
    """Where a desk says that a row of it is."""
    return next((path for name in ("path", "equipment") if isinstance(path := row.get(name), str)), "")
