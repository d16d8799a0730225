"""The settings of the policy: which event has which priority, and how many critical ones a source may have.

Rules of this file: a rule of the operator is a table in a list, in the order in which they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from config.meta import means
from config.rules import conditions, rule_list, rule_name, source_pattern, type_prefix


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Events that fit get a priority: all that is said of them must hold."""

    name: Annotated[str, means("What the rule is called where it is told", reload=True, rule=rule_name)]
    priority: Annotated[
        Literal["critical", "high", "normal", "low"], means("The priority of events that fit", reload=True)
    ]
    type: Annotated[
        str, means("The events' type, or the beginning of it up to a dot", reload=True, rule=type_prefix)
    ] = ""
    where: Annotated[
        Mapping[str, str | int | float | bool],
        means("Values that members of the data have; dots lead inwards", reload=True, rule=conditions),
    ] = msgspec.field(default_factory=dict)
    source: Annotated[
        str, means("The events' source; with * at its end, whatever begins so", reload=True, rule=source_pattern)
    ] = ""


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which event has which priority, and how many critical ones a source may have before they are demoted to high."""

    rules: Annotated[
        tuple[RuleSettings, ...],
        means("Rules that are read before those that are built in", reload=True, rule=rule_list),
    ] = ()
    critical_rate: Annotated[
        float,
        means(
            "Critical events of one source; all of one table of sources: ten times that",
            unit="events/s",
            within=(0.1, 1_000_000),
            reload=True,
        ),
    ] = 100.0
    critical_burst: Annotated[
        int, means("As many at once, after it was quiet", unit="events", within=(1, 1_000_000), reload=True)
    ] = 1_000
