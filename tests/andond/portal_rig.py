"""A gateway before a chain, who its clients are, and how they listen.

Rules of this file: real sockets and the whole tree, by the house. What clients without a token are shown is said by the
settings of ``[access]``, and what roles see by the roles that are built in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from config import AccessSettings, AnonymousSettings, HttpSource, ServerSettings, Settings
from domain.access import ROLES, TokenFault
from tests.andond.house import LIMIT, Client, House, person

CHAIN = "/chains/hub/node1"
PEOPLE = {
    "anna": person("anna", "USER"),
    "val": person("val", "VALIDATOR"),
    "dev": person("dev", "DEVELOPER"),
    "root": person("root", "ADMIN"),
    "fitter": person("fitter", "operator"),
    "late": TokenFault.EXPIRED,
}
EVERYTHING = ("chain/*", "portal/*", "panels/*")
(PUBLIC,) = ROLES["user"].grants
"""What is public of a chain by the portal's own table."""
ORIGIN = {"source", "height", "method", "observedAt", "ageMs", "confirmedBy"}

Frame = dict[str, object]


def portal_house(shown: tuple[str, ...], *, query_tokens: bool = False) -> House:
    """A gateway that shows clients without a token the channels ``shown``."""
    anonymous = AnonymousSettings(enabled=bool(shown), channels=shown)
    access = AccessSettings(anonymous=anonymous, query_tokens=query_tokens)
    server = ServerSettings(connect_timeout=1.0)
    return House(Settings(sources={"door": HttpSource()}, server=server, access=access), CHAIN, PEOPLE)


def hear(client: Client, fits: Callable[[Frame], bool]) -> Frame:
    """The first frame that ``fits``; what else comes meanwhile is not looked at."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        text = client.recv(timeout=until - time.monotonic())
        if isinstance(text, str) and text[:1] in "{[":
            frame = json.loads(text)
            if fits(frame):
                return frame
    raise AssertionError("no such frame came")


def hear_type(client: Client, type_: str) -> Frame:
    return hear(client, lambda frame: frame.get("type") == type_)


def hear_text(client: Client) -> str:
    """The next line that is no JSON."""
    while True:
        text = client.recv(timeout=LIMIT)
        assert isinstance(text, str)
        if text[:1] != "{":
            return text


def settle(client: Client) -> None:
    """Until what ``client`` follows is followed: a transaction that it hears says so."""
    client.ping().wait(LIMIT)


def nulls_have_reasons(told: object) -> None:
    """Every null below ``told`` has its reason in the object that it stands in (V13)."""
    if isinstance(told, list):
        for each in told:
            nulls_have_reasons(each)
    if not isinstance(told, dict):
        return
    reasons = told.get("reasons") or {}
    assert isinstance(reasons, dict)
    for name, value in told.items():
        assert value is not None or reasons.get(name), (name, told)
        nulls_have_reasons(value)


def has_origin(frame: Frame) -> None:
    """The frame says where what it tells comes from (V14)."""
    origin = frame["provenance"]
    assert isinstance(origin, dict)
    assert set(origin) >= ORIGIN
    nulls_have_reasons(origin)


BLOCK = {"blockHeight": 77, "blockTime": 1000, "transactions": 5, "producer": "val-1", "hash": "0xb10c"}
