"""Paths that do something: the body of a request becomes an act, its answer is what the desk answers.

Rules of this file: the word of the path and the members of the body are the act; nothing is decided here. What is wrong
is told at the members that the client wrote, all of it at once: who or when said wrongly hides no other fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from andond.api.describe import Operation
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_request import Said, faults_in, invalid, said_by
from domain import Fault, JsonObject, JsonValue, Refused
from domain.access import Rights
from transport import Request

REFUSES = (403, 404, 409, 422, 501, 503)

Body: TypeAlias = type[msgspec.Struct]
"""The type of a body, as the document shows it."""

Reading = Callable[[Said], JsonObject]
"""What the arguments are, where a client has other words for them."""


def as_said(said: Said) -> JsonObject:
    """The arguments as the client wrote them."""
    return said.arguments


def with_at(said: Said) -> JsonObject:
    """The same, where the moment is what the act is about: an instant to cut a stop at."""
    return said.arguments if said.written_at is None else {**said.arguments, "at": said.written_at}


Look = Callable[[JsonObject, Rights], Sequence[Fault]]
"""What is wrong with the arguments of an act of somebody with such rights, found without doing it."""

ClientWords = Mapping[str, tuple[str, ...]]
"""What clients call an argument; the first is meant where they wrote none of them."""

NO_WORDS: ClientWords = MappingProxyType({})


def nothing_wrong(_arguments: JsonObject, _rights: Rights) -> Sequence[Fault]:
    """Where nothing is looked at beforehand."""
    return ()


def like(body: Body) -> Look:
    """What keeps arguments from being a ``body``: what is missing, and what has another type."""

    def look(arguments: JsonObject, _rights: Rights) -> list[Fault]:
        faults = []
        for field in msgspec.structs.fields(body):
            name, value = field.encode_name, arguments.get(field.encode_name)
            if value is None:
                if field.required:
                    faults.append(Fault(f"/{name}", "is required"))
                continue
            try:
                msgspec.convert(value, field.type)
            except msgspec.ValidationError as error:
                faults.append(Fault(f"/{name}", str(error)[:1].lower() + str(error)[1:]))
        return faults

    return look


class Deed:
    """One act of a path: what ``read`` makes of a body, and the path's id as the argument ``argument``.

    ``look`` finds what is wrong with arguments without doing anything; ``words`` are the client's names for them.
    """

    def __init__(
        self,
        floor: Floor,
        type_: str,
        read: Reading = as_said,
        argument: str = "id",
        *,
        look: Look = nothing_wrong,
        words: ClientWords = NO_WORDS,
    ) -> None:
        self.floor = floor
        self._type = type_
        self._read = read
        self._argument = argument
        self._look = look
        self._words = words

    async def plain(self, request: Request) -> JsonValue:
        """Do it."""
        return await self._do(request, {})

    async def on(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """Do it with what has this id."""
        return await self._do(request, {self._argument: id})

    async def _do(self, request: Request, more: JsonObject) -> JsonValue:
        said, wrong = said_by(request)
        arguments = {**self._read(said), **more}
        if wrong:
            raise invalid([*wrong, *(self._written(fault, said) for fault in self._look(arguments, request.rights))])
        try:
            answered = await self.floor.perform(self._type, said, arguments, request.rights)
        except Refused as refused:
            faults = faults_in(refused) if self._words else []
            raise invalid([self._written(fault, said) for fault in faults]) if faults else refused from None
        return await self.answer(answered, request.rights)

    def _written(self, fault: Fault, said: Said) -> Fault:
        """``fault`` at the member that the client wrote, or should have written."""
        name, *rest = fault.pointer.removeprefix("/").split("/")
        theirs = self._words.get(name, (name,))
        wrote = next((each for each in theirs if each in said.arguments), theirs[0])
        return Fault("/".join(("", wrote, *rest)), fault.message)

    async def answer(self, answered: JsonValue, rights: Rights) -> JsonValue:
        """What a client with ``rights`` is told of the desk's answer: the answer."""
        del rights
        return answered


class ActWord(msgspec.Struct, frozen=True):
    """A word of a path, the type of its act, the type of its body, and how that is read."""

    type: str
    body: Body
    read: Reading = as_said
    argument: str = "id"


def add_acts(routes: FloorRoutes, floor: Floor, base: str, acts: Mapping[str, ActWord], about: Operation) -> None:
    """Add ``base/{id}/WORD`` for each of ``acts``; ``about`` is what they have in common, its name what they act on."""
    for word, act in acts.items():
        said = replace(
            about,
            name=_camel(f"{word}-{about.name}"),
            summary=f"{word.replace('-', ' ').capitalize()}",
            body=act.body,
            refuses=REFUSES,
            is_act=True,
        )
        deed = Deed(floor, act.type, act.read, act.argument, look=like(act.body))
        routes.add("POST", f"{base}/{{id}}/{word}", deed.on, said)


def _camel(words: str) -> str:
    first, *rest = words.split("-")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
