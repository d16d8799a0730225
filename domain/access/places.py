"""Which place is within which, where somebody's rights depend on it.

Rules of this file: a path is names with one slash between them, as a channel has it after its kind. What is no such
path (``..``, an empty name, a slash at the end, a star) is within nothing: a name that somebody could read in two ways
is read in none. A place is never "everything": that is said by having no roots at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain.names import NAME_LIMIT
from domain.plant.site import is_within

_NAME = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~:@+-]+"
_PATH = re.compile(rf"{_NAME}(?:/{_NAME})*", re.ASCII)


def is_path(text: str) -> bool:
    """Whether ``text`` is a path."""
    return len(text) <= NAME_LIMIT and _PATH.fullmatch(text) is not None


def path_of(text: str) -> str | None:
    """The path that ``text`` is, without the slash that an event's source has before it; None if it is none."""
    path = text.removeprefix("/")
    return path if is_path(path) else None


def place_of(path: str | None, places: Iterable[str]) -> str | None:
    """The one of ``places`` that ``path`` is, or is below of; None if there is none, or it is no path."""
    if path is None or not is_path(path):
        return None
    return next((place for place in places if place and is_within(path, place)), None)


def topmost(places: Iterable[str]) -> tuple[str, ...]:
    """The paths among ``places`` that are below no other of them, in order."""
    paths = {path for place in places if (path := path_of(place)) is not None}
    return tuple(sorted(path for path in paths if place_of(path, paths - {path}) is None))


def common(places: Iterable[str], roots: Iterable[str]) -> tuple[str, ...]:
    """What is within one of ``places`` and within one of ``roots``, in order."""
    ours, theirs = topmost(places), topmost(roots)
    both = [place for place in ours if place_of(place, theirs)]
    return topmost([*both, *(root for root in theirs if place_of(root, ours))])
