"""The page of the reference about roles: what each may do and see without a word in the configuration.

Rules of this file: the page is made from the data alone, so a test can tell when it is out of date;
``python -m domain.access.reference`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from domain.access.grants import ANY, Within, fits_any, meet
from domain.access.rights import OF_NOBODY
from domain.access.roles import ROLES, Role, actions
from domain.names import CHANNEL_KINDS, PLACELESS_KINDS

_HEAD = """\
# Roles

Generated from `domain/access/roles.py`: `python -m domain.access.reference`. What is not here is denied. A role is
replaced by a table `[access.roles.NAME]`, and added to with `like` in it ([who may see and do what](../access.md)).

| Role | What it is for |
|---|---|
"""

_ACTS = """
## What a role does

**all**: everywhere in the tenant. **own**: at the places of one's own. Empty: never.

"""

_ALONE = """
{actions} tells nothing of anybody. Everything else that is about no place, such as the status of the whole gateway, is
for those of all tenants, once there are tenants.
"""

_SIGHT = """
## What a role sees

Channels, and with them everything that REST tells of the same. **all**, **own** as above; **some**: the channels below.

"""

_NAMED = """
Of the channels of chains, which have no place:

"""


def roles_page() -> str:
    """The page as Markdown."""
    roles = list(ROLES.values())
    purposes = "".join(f"| `{role.name}` | {role.title} |\n" for role in roles)
    acts = _grid("Action", roles, ((action, [_does(role, action) for role in roles]) for action in actions()))
    kinds = sorted(CHANNEL_KINDS, key=lambda kind: (kind in PLACELESS_KINDS, kind))
    sight = _grid("Kind", roles, ((kind, [_sees(role, kind) for role in roles]) for kind in kinds))
    named = _grid("Channel", roles, ((each, [_shown(role, each) for role in roles]) for each in _channels(roles)))
    alone = _ALONE.format(actions=", ".join(f"`{action}`" for action in sorted(OF_NOBODY)))
    return f"{_HEAD}{purposes}{_ACTS}{acts}{alone}{_SIGHT}{sight}{_NAMED}{named}"


def _grid(what: str, roles: Sequence[Role], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = [f"| {what} | {' | '.join(f'`{role.name}`' for role in roles)} |", f"|---|{'---|' * len(roles)}"]
    lines += [f"| `{name}` | {' | '.join(cells)} |" for name, cells in rows]
    return "".join(f"{line}\n" for line in lines)


def _does(role: Role, action: str) -> str:
    return _reach(grant.within for grant in role.grants if fits_any(grant.does, action))


def _shown(role: Role, channel: str) -> str:
    return _reach(grant.within for grant in role.grants if fits_any(grant.sees, channel))


def _sees(role: Role, kind: str) -> str:
    whole = f"{kind}/{ANY}"
    if reach := _shown(role, f"{whole[:-1]}x"):
        return reach
    return "some" if any(meet(pattern, whole) for grant in role.grants for pattern in grant.sees) else ""


def _reach(within: Iterable[Within]) -> str:
    found = set(within)
    if Within.TENANT in found:
        return "all"
    return "own" if found else ""


def _channels(roles: Iterable[Role]) -> Iterator[str]:
    named = {pattern for role in roles for grant in role.grants for pattern in grant.sees}
    return (pattern for pattern in sorted(named) if not pattern.endswith(ANY))


if __name__ == "__main__":
    sys.stdout.write(roles_page())
