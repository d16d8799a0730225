"""The page of the reference that comes from this package: the priorities, and the rules that are built in.

Rules of this file: the page is made from the code alone, so a test can tell when it is out of date;
``python -m domain.reference`` prints it.
"""

from __future__ import annotations

import sys

from domain.budget import TOGETHER
from domain.policy import BUILT_IN, Rule
from domain.turns import PROMOTE_AFTER, PROMOTED, WEIGHTS

_HEAD = """\
# Priorities

Which event has which priority. Generated from `domain/policy.py`: `python -m domain.reference`. The rules are read from
top to bottom and the first that fits wins; the rules of `[policy]` in the configuration are read before these. An event
that no rule names is normal, or what its publisher asks for below critical. A publisher may ask for less than its rule
grants (`priority` in the event), never for more. `andond explain EVENT.json` names the rule for an event.

This table has the version `{version}`; another table has another. `/statusz` tells the one in force.

| Rule | Type, and what is below it | Where the data says | Priority |
|---|---|---|---|
"""

_TAIL = """
## Rules of your own

```toml
[[policy.rules]]
name = "press-fire"                 # lower-case letters, digits, dashes
priority = "critical"
type = "press.fire"                 # and what is below it, press.fire.raised
source = "/acme/plant1/*"           # whatever begins so; without the star, this one alone
where = {{ level = "FAULT", "press.armed" = true }}
```

All that a rule says must hold, and it says at least one of `type`, `source` and `where`. A dot in a member of `where`
leads into an object; values are compared without case. A reload applies new rules to what comes after it. What the
gateway says of its journal and of receipts keeps its own priority.

## Budget

Critical goes before everything, so a source may have only so many: `policy.critical_rate` a second, and
`policy.critical_burst` at once after it was quiet; all sources of one table of sources together {together} times that.
Past it an event is high, with `demotedfrom` = `critical` among its attributes. It is not dropped, it is in the journal,
and `andond_events_demoted_total` counts it. `budget.exceeded` is logged once until the source has been within its
budget again for as long as it takes to save up a whole burst.

## Turns

Critical goes first, always. High, normal and low share by {weights}; the turns of one that does not wait go to the
others. When the oldest of one has waited longer than {after:g} s, it has the turns of one priority higher ({promoted}).
"""


def priorities_page() -> str:
    """Return the reference of priorities as Markdown."""
    head = _HEAD.format(version=BUILT_IN.version)
    tail = _TAIL.format(
        together=TOGETHER,
        weights=":".join(map(str, WEIGHTS)),
        after=PROMOTE_AFTER,
        promoted=":".join(map(str, PROMOTED)),
    )
    return head + "\n".join(_row(rule) for rule in BUILT_IN.rules) + "\n" + tail


def _row(rule: Rule) -> str:
    where = ", ".join(f"`{member}` is `{value}`" for member, value in rule.where)
    return f"| `{rule.name}` | `{rule.type}` | {where} | {rule.priority.wire} |"


if __name__ == "__main__":
    sys.stdout.write(priorities_page())
