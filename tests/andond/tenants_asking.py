"""What is asked of the two tenants' gateway: every route with every name there is, by one of them for the other's.

Rules of this file: it asks and compares nothing but texts; who asks, and what there is, is made in ``tenants_rig``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from tests.andond.tenants_rig import ACTS, GHOST, MARKS, Answer, House, Party, places, press
from transport import Route

CHANCE = re.compile(r"=[\w-]{20,}")
NOT_ITS_WORDS = re.compile(r"\d{4}-\d\d-\d\dt[\d:.]+(?:z|\+00:00)|\d+\.\d+(?:e-?\d+)?")
QUERIES = (
    "",
    "?limit=1000&list=all&days=2",
    "?equipment={place}&line_id={place}&equipment_code={place}&within={place}&lineId={place}&days=2",
    "?job={job}&by={person}&user_id={person}&assignedTo={person}&who={person}",
)


def values_of(party: Party, connection: str) -> Mapping[str, Sequence[str]]:
    """What can stand in a path for each parameter of any route."""
    ids = [id_ for ids in party.ids.values() for id_ in ids[-2:]]
    named = [f"{party.mark}-check-1", f"{party.mark}-validator"]
    there = places(party.mark)
    return {
        "id": [*ids, *named],
        "code": there,
        "line_id": there,
        "name": [*there, *named],
        "position": there,
        "connection_id": [connection],
        "period": ["24h"],
        "rest": [f"{party.mark}/x"],
    }


def paths_of(route: Route, values: Mapping[str, Sequence[str]], mark: str, job: str) -> Iterator[tuple[str, str]]:
    """Every way to ask for ``route`` by the names of a tenant, each with the name that is said."""
    found = re.findall(r"{(\w+)(\.\.\.)?}", route.pattern)
    if found:
        ((name, is_rest),) = found
        for value in values[name]:
            said = value if is_rest else quote(value, safe="")
            yield re.sub(r"{[^}]*}", lambda _, said=said: said, route.pattern), value
        return
    for query in QUERIES:
        for place in (press(mark), f"{mark}-L1") if "{place}" in query else ("",):
            yield route.pattern + query.format(place=place, job=job, person=f"{mark}-chief"), place or job


def plain(answer: Answer, *said: str) -> str:
    """An answer without moments and measures, and without what the client said itself."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
    # A browser is given a name by chance.
    headers = {name: CHANCE.sub("=", value) if name == "set-cookie" else value for name, value in headers.items()}
    text = f"{answer.status} {headers} {answer.text}".casefold()
    for each in sorted(said, key=len, reverse=True):
        text = text.replace(each.casefold(), "SAID").replace(quote(each, safe="").casefold(), "SAID")
    return NOT_ITS_WORDS.sub("N", text)


def ghost_of(name: str, mark: str) -> str:
    """A name like ``name`` that nobody has."""
    return name.replace(mark, GHOST) if mark in name else name[::-1]


def sweep(house: House, token: str, party: Party, connection: str) -> dict[str, list[tuple[str, str, Answer]]]:
    """What ``token`` is answered by every path that can be read, asked for by the names of ``party``."""
    values, job = values_of(party, connection), (party.ids.get("job") or [f"{party.mark}-job"])[-1]
    return {
        route.pattern: [
            (path, said, house.ask(token, "GET", path)) for path, said in paths_of(route, values, party.mark, job)
        ]
        for route in house.gets()
    }


def settled(house: House) -> tuple[Party, Party]:
    """Both tenants, each of whom has done everything once."""
    one, other = (Party(house, mark) for mark in MARKS)
    for party in (one, other):
        for act in ACTS:
            party.act(act)
        party.act("call")
    return one, other
