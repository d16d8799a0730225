"""How alarms of a class behave, which are suppressed by design, and who sees them: what the plant has settled.

Rules of this file: data and the questions one asks of it. An alarm whose entry names no class, or one that there is
not, has the class ``default``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from domain.plant.alarms.rationale import BELOW, AlarmList, Rationale, is_within
from domain.plant.alarms.states import Fact

DEFAULT = "default"
HOUR = 3600.0


class AlarmClass(msgspec.Struct, frozen=True):
    """How alarms of this class behave; times in seconds.

    ``re_alarm_time`` of 0: never again. A shelving of more than ``reauthorise_above`` needs a second person; 0: none
    does. ``call`` is the type of the Andon call that each occurrence raises; empty: none.
    """

    name: str = DEFAULT
    on_delay: float = 0.0
    off_delay: float = 0.0
    is_annunciated: bool = True
    is_auto_acknowledged: bool = False
    acknowledge_on_return: bool = True
    is_latching: bool = False
    re_alarm_time: float = 0.0
    max_time_shelved: float = 8 * HOUR
    reauthorise_above: float = 0.0
    is_audible: bool = True
    call: str = ""

    @property
    def facts(self) -> frozenset[Fact]:
        """What the class contributes to the choice of the next state."""
        said = {
            Fact.SILENT: not self.is_annunciated,
            Fact.AUTO_ACKNOWLEDGED: self.is_auto_acknowledged,
            Fact.NO_ACKNOWLEDGE_ON_RETURN: not self.acknowledge_on_return,
            # What nobody sees cannot wait for a reset either.
            Fact.LATCHING: self.is_latching and self.is_annunciated,
        }
        return frozenset(fact for fact, holds in said.items() if holds)


class Suppression(msgspec.Struct, frozen=True):
    """Suppression by design: while ``equipment`` is in one of ``states``, alarms of it that fit are suppressed.

    An empty ``key`` or ``code`` stands for any; ``equipment`` as in an entry of the list.
    """

    name: str
    equipment: str
    states: frozenset[str]
    key: str = ""
    code: str = ""

    def fits(self, equipment: str, key: str, code: str) -> bool:
        """Whether it speaks for this alarm."""
        return is_within(equipment, self.equipment) and self.key in ("", key) and self.code in ("", code)


class Terms(msgspec.Struct, frozen=True):
    """What holds for one alarm: what the list says of it, and its class."""

    rationale: Rationale
    of_class: AlarmClass
    facts: frozenset[Fact]


class Rulebook:
    """What the plant has settled about its alarms.

    ``positions`` says which operating position sees the alarms of an equipment path, or of all below it with ``/*``;
    where it says nothing it is the path one above the equipment.
    """

    def __init__(
        self,
        entries: AlarmList | None = None,
        classes: Iterable[AlarmClass] = (),
        suppressions: Iterable[Suppression] = (),
        positions: Mapping[str, str] | None = None,
    ) -> None:
        self.entries = entries or AlarmList()
        self.classes = {DEFAULT: AlarmClass(), **{each.name: each for each in classes}}
        self.suppressions = tuple(suppressions)
        self._facts = {name: each.facts for name, each in self.classes.items()}
        self._positions = sorted((positions or {}).items(), key=lambda each: -len(each[0].removesuffix(BELOW)))

    def terms(self, equipment: str, key: str, code: str) -> Terms:
        """What holds for the alarm ``key`` with ``code`` of ``equipment``."""
        rationale = self.entries.rationale(equipment, key, code)
        name = rationale.class_name if rationale.class_name in self.classes else DEFAULT
        return Terms(rationale, self.classes[name], self._facts[name])

    def position(self, equipment: str) -> str:
        """The operating position that sees the alarms of ``equipment``."""
        for place, position in self._positions:
            if is_within(equipment, place):
                return position
        return equipment.rpartition("/")[0] or equipment

    def suppressing(self, equipment: str, key: str, code: str, states: Mapping[str, str]) -> tuple[str, ...]:
        """The suppressions that hold for an alarm while equipment is in ``states`` (path: state)."""
        state = states.get(equipment)
        return tuple(
            each.name for each in self.suppressions if state in each.states and each.fits(equipment, key, code)
        )
