"""One validator of a chain: its state, who stands by it, and its figures.

Rules of this file: it remembers; ``judging`` decides. ``checked`` is the height up to which its present state is known:
what is said of a lower one cannot change it. What is said of every block (misses, power) is not kept on the disk: the
next look at the chain brings it again.
"""

from __future__ import annotations

import msgspec

from domain.chain.observations import ValidatorRow
from domain.chain.validators.evidence import NOTHING_KNOWN, Standing, standing_of
from domain.chain.validators.states import Kind, Status
from domain.json import JsonObject, JsonValue
from domain.kept import integer, maybe_integer, maybe_text, text, word

JAILINGS_LIMIT = 16
NAME_LIMIT = 200


class Claim(msgspec.Struct, frozen=True):
    """A node's word on the present state: of which ``height``, and when it was ``observed``."""

    height: int
    observed: float


class Validator(msgspec.Struct):
    """The validator at ``address`` (see ``observations``)."""

    address: str
    operator: str | None = None
    moniker: str | None = None
    key: str | None = None
    stake: int | None = None
    spec: str | None = None
    """The chain's own word for its state."""
    power: int | None = None
    power_height: int = -1
    """The block whose end its power is of."""
    missed: int | None = None
    window: int | None = None
    """Of how many it missed those, where the chain's rules do not say it."""
    figures_height: int = -1
    missed_height: int = -1
    start_height: int | None = None
    proposed: int | None = None
    standing: Standing = NOTHING_KNOWN
    before: Standing = NOTHING_KNOWN
    checked: int | None = None
    read: int = -1
    """The highest height at which a node's records agreed with its state."""
    risk: int = 0
    """How many thresholds of risk were told."""
    is_imminent: bool = False
    """Whether it was told that jail is near."""
    jailings: dict[tuple[int, Kind], None] = msgspec.field(default_factory=dict)
    """What blocks said of jailing it, each once; the newest of them."""
    witnesses: dict[str, Claim] = msgspec.field(default_factory=dict)
    deniers: dict[str, Claim] = msgspec.field(default_factory=dict)
    is_conflicting: bool = False
    is_disputed: bool = False
    """Whether a node said again what another had denied."""
    is_weighed: bool = False
    """Whether the two signals of the block that jailed it were compared."""
    was_freed: bool = False
    """Whether it was told that it can leave the jail."""
    has_changed: bool = False
    """Whether what is kept of it has changed."""
    has_new_figures: bool = False

    @property
    def status(self) -> Status:
        """What it is."""
        return self.standing.status

    def goes_by(self, names: frozenset[str]) -> bool:
        """Whether one of ``names``, in lower case, is its address or its operator."""
        return self.address.lower() in names or (self.operator is not None and self.operator.lower() in names)

    def change(self, standing: Standing) -> None:
        """It is ``standing`` from now on."""
        self.before, self.standing = self.standing, standing
        self.is_conflicting = False
        self.is_disputed = False
        self.is_weighed = False
        self.was_freed = False
        self.has_changed = True

    def amend(self, standing: Standing) -> None:
        """More is known of its present state."""
        if standing != self.standing:
            self.standing = standing
            self.has_changed = True

    def remember(self, height: int, kind: Kind) -> bool:
        """Remember that a block said so; whether that is new."""
        if (height, kind) in self.jailings:
            return False
        self.jailings[height, kind] = None
        if len(self.jailings) > JAILINGS_LIMIT:
            del self.jailings[min(self.jailings)]
        self.has_changed = True
        return True

    def take_figures(self, row: ValidatorRow, height: int) -> None:
        """Learn what a record says beside the state."""
        self.operator = row.operator or self.operator
        self.moniker = _readable(row.moniker) or self.moniker
        if height < self.figures_height:
            return
        self.figures_height = height
        self.key = row.key or self.key
        self.stake = self.stake if row.stake is None else row.stake
        if row.status is not None and row.status != self.spec:
            self.spec, self.has_new_figures = row.status, True
        if row.start_height is not None:
            self.start_height = row.start_height
        if row.missed is not None:
            self.take_missed(row.missed, height)

    def take_power(self, power: int, height: int) -> None:
        """It has so much ``power`` by the end of the block of ``height``."""
        if height < self.power_height:
            return
        self.power_height = height
        if power != self.power:
            self.power, self.has_new_figures = power, True

    def take_missed(self, missed: int, height: int, window: int | None = None) -> None:
        """It has missed so many blocks of its window, up to ``height``."""
        if height < self.missed_height:
            return
        self.missed_height = height
        self.window = window or self.window
        if missed != self.missed:
            self.missed, self.has_new_figures = missed, True

    def kept(self) -> JsonObject:
        """For the disk."""
        jailings: list[JsonValue] = [{"height": height, "kind": kind.value} for height, kind in self.jailings]
        return {
            "address": self.address,
            "operator": self.operator,
            "moniker": self.moniker,
            "standing": self.standing.kept(),
            "before": self.before.kept(),
            "checked": self.checked,
            "risk": self.risk,
            "imminent": self.is_imminent,
            "conflicting": self.is_conflicting,
            "jailings": jailings,
        }


def _readable(moniker: str | None) -> str | None:
    """A name that people chose, as it can be shown: they put anything into it."""
    if moniker is None:
        return None
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in moniker[:NAME_LIMIT]).strip()


def validator_of(value: JsonObject) -> Validator:
    """The validator that was kept as ``value``.

    Raises:
        Unreadable: if it is none.
    """
    validator = Validator(text(value, "address"), maybe_text(value, "operator"), maybe_text(value, "moniker"))
    validator.standing = standing_of(value.get("standing"))
    validator.before = standing_of(value.get("before"))
    validator.checked = maybe_integer(value, "checked")
    validator.risk = integer(value, "risk")
    validator.is_imminent = value.get("imminent") is True
    validator.is_conflicting = value.get("conflicting") is True
    jailings = value.get("jailings")
    for each in jailings if isinstance(jailings, list) else ():
        validator.jailings[integer(each, "height"), word(each, "kind", Kind)] = None
    return validator
