"""Who is on duty when: persons and teams, the roles they have, and the shifts they work.

Rules of this file:

* A person or team without shifts is always on duty; one with shifts while one of those runs, its breaks included.
* Who is absent on a day has no duty in a shift that begins on it.
* Nobody is off duty whom the roster does not know: a message to them is not held back for that.
* A role means, for a place, those of its people who work there; a person who is named is meant wherever they work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import msgspec

from domain.plant.site.equipment import is_within
from domain.plant.site.shifts import Shift


class Person(msgspec.Struct, frozen=True):
    """A person, or a team that is called as one; ``absences`` are days, from the first to the last.

    ``places`` are the paths of where they work; none: it is not said, and they are of the plant as a whole.
    """

    name: str
    roles: frozenset[str] = frozenset()
    shifts: frozenset[str] = frozenset()
    absences: tuple[tuple[date, date], ...] = ()
    places: tuple[str, ...] = ()

    def is_seen(self, sees: Callable[[str], bool]) -> bool:
        """Whether they are of a place that ``sees``; who is of no place is of the whole plant, which is ""."""
        return any(map(sees, self.places or ("",)))

    def works_at(self, path: str) -> bool:
        """Whether ``path`` is where they work, a part of it, or what it is a part of."""
        return not self.places or any(is_within(path, place) or is_within(place, path) for place in self.places)

    def works(self, running: Sequence[Shift], today: date) -> bool:
        """Whether they are on duty while the shifts ``running`` run; ``today`` is the date by the wall clock."""
        if not self.shifts:
            return not self.is_absent(today)
        return any(shift.name in self.shifts and not self.is_absent(shift.day) for shift in running)

    def is_absent(self, day: date) -> bool:
        """Whether ``day`` is one of their absences."""
        return any(first <= day <= last for first, last in self.absences)


class Roster:
    """All persons and teams of a site, by name and by role; who works ``elsewhere`` is meant by no role."""

    def __init__(self, people: Iterable[Person] = (), elsewhere: Iterable[str] = ()) -> None:
        self._people = {person.name: person for person in people}
        self.elsewhere = frozenset(elsewhere)

    def called(self, who: str) -> list[Person]:
        """The person or team of this name, or everybody with the role of this name; nobody if it is neither."""
        if who in self._people:
            return [self._people[who]]
        return [each for each in self._people.values() if who in each.roles and each.name not in self.elsewhere]

    def knows(self, who: str) -> bool:
        """Whether there is a person of this name, or somebody with the role of this name, wherever they work."""
        return who in self._people or any(who in person.roles for person in self._people.values())

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody."""
        return tuple(self._people.values())
