"""When work is planned at a site: shifts, breaks, holidays and what is otherwise than in other weeks.

Rules of this file:

* A day that is named as an exception has the shifts that the exception says; a holiday has none; any other day those
  of its weekday. An exception on a holiday counts.
* Shifts do not overlap: where one begins, the one before it ends. Shifts in which nothing is planned to run are apart
  from this: they are for people.
* Planned busy time (ISO 22400-2: PBT) is the time of the shifts without their breaks and without closures.
* A calendar without shifts plans nothing, and knows nothing of what is planned: ``is_known`` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo

from domain.plant.site.intervals import Interval, clipped, merged, without
from domain.plant.site.roster import Person, Roster
from domain.plant.site.shifts import Closure, Day, Shift, ShiftPlan
from domain.plant.site.wall import SECOND_US, local, wall_us

REMEMBERED = 4096
"""Days of which the shifts are remembered."""

_DAY = timedelta(days=1)


class ShiftCalendar:
    """The shifts of a site in its ``zone``; ``exceptions`` are names of shifts by day, ``holidays`` words by day.

    Of the ``people``, those who work ``elsewhere`` are meant by their name alone.
    """

    def __init__(  # noqa: PLR0913 - what a site has, by name
        self,
        zone: tzinfo,
        plans: Iterable[ShiftPlan] = (),
        *,
        holidays: Mapping[date, str] | None = None,
        exceptions: Mapping[date, Iterable[str]] | None = None,
        closures: Iterable[Closure] = (),
        people: Iterable[Person] = (),
        elsewhere: Iterable[str] = (),
        day_begins: time = time(0),
    ) -> None:
        self.zone = zone
        self.plans = tuple(plans)
        self.holidays = dict(holidays or {})
        self.exceptions = {day: tuple(names) for day, names in (exceptions or {}).items()}
        self.closures = tuple(closures)
        self.day_begins = day_begins
        self._roster = Roster(people, elsewhere)
        self._closed = merged((closure.begin_us, closure.end_us) for closure in self.closures)
        self._days: dict[date, tuple[Shift, ...]] = {}

    @property
    def is_known(self) -> bool:
        """Whether it says when something is planned to run; without shifts nobody knows."""
        return any(plan.is_production for plan in self.plans)

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody whose duty it knows."""
        return self._roster.people

    @property
    def elsewhere(self) -> frozenset[str]:
        """Who of them works at other places than the one whose calendar this is."""
        return self._roster.elsewhere

    def only(self, names: Iterable[str]) -> ShiftCalendar:
        """The same calendar with these shifts alone of those in which something is planned to run."""
        kept = set(names)
        return self.of([plan for plan in self.plans if plan.name in kept or not plan.is_production], self.people)

    def of(self, plans: Iterable[ShiftPlan], people: Iterable[Person], elsewhere: Iterable[str] = ()) -> ShiftCalendar:
        """The same calendar with these of its shifts and people alone; no day names another shift."""
        kept = tuple(plans)
        names = {plan.name for plan in kept}
        return ShiftCalendar(
            self.zone,
            kept,
            holidays=self.holidays,
            exceptions={day: tuple(name for name in on if name in names) for day, on in self.exceptions.items()},
            closures=self.closures,
            people=people,
            elsewhere=elsewhere,
            day_begins=self.day_begins,
        )

    def local(self, at: float) -> datetime:
        """What the clock on the wall shows at ``at``, in Unix seconds."""
        return local(round(at * SECOND_US), self.zone)

    # --- production

    def shifts(self, begin_us: int, end_us: int) -> list[Shift]:
        """The shifts of which some is in [``begin_us``, ``end_us``), whole, in the order of time."""
        planned = (shift for shift in self._planned(begin_us, end_us) if shift.is_production)
        return [shift for shift in _in_turn(planned) if shift.begin_us < end_us and begin_us < shift.end_us]

    def shift_at(self, at: float) -> Shift | None:
        """The shift that runs at ``at``, in Unix seconds; None between shifts."""
        at_us = round(at * SECOND_US)
        return next(iter(self.shifts(at_us, at_us + 1)), None)

    def busy(self, begin_us: int, end_us: int) -> list[Interval]:
        """When something is planned to run in [``begin_us``, ``end_us``): as few intervals as can be, in order."""
        shifts = self.shifts(begin_us, end_us)
        free = [pause for shift in shifts for pause in shift.breaks]
        planned = clipped(((shift.begin_us, shift.end_us) for shift in shifts), begin_us, end_us)
        return without(planned, [*free, *self._closed])

    def busy_us(self, begin_us: int, end_us: int) -> int:
        """The planned busy time in [``begin_us``, ``end_us``), in microseconds."""
        return sum(end - begin for begin, end in self.busy(begin_us, end_us))

    # --- days

    def days(self, begin_us: int, end_us: int) -> list[Day]:
        """The days of the plant of which some is in [``begin_us``, ``end_us``), whole, in the order of time."""
        if begin_us >= end_us:
            return []
        first, last = local(begin_us, self.zone).date() - _DAY, local(end_us, self.zone).date() + _DAY
        days = (self.day_of(day) for day in _dates(first, last))
        return [day for day in days if day.begin_us < end_us and begin_us < day.end_us]

    def day_at(self, at: float) -> Day:
        """The day of the plant at ``at``, in Unix seconds."""
        at_us = round(at * SECOND_US)
        return self.days(at_us, at_us + 1)[0]

    def day_of(self, day: date) -> Day:
        """The day of the plant that is called ``day``."""
        return Day(day, self._day_begin(day), self._day_begin(day + _DAY))

    def _day_begin(self, day: date) -> int:
        return wall_us(datetime.combine(day, self.day_begins), self.zone)

    # --- people

    def on_duty(self, who: str, at: float) -> bool:
        """Whether the person, or somebody with the role, is on duty at ``at``, in Unix seconds.

        True also for who is not known here: nobody knows that they are off duty.
        """
        return not self._roster.knows(who) or bool(self._working(self._roster.called(who), at))

    def people_on_duty(self, who: str, at: float) -> tuple[str, ...]:
        """The person, or everybody with the role, who is on duty at ``at``; none of those who are not known here."""
        return self._working(self._roster.called(who), at)

    def called(self, who: str) -> tuple[Person, ...]:
        """The person of this name, or everybody with the role of this name, on duty or not."""
        return tuple(self._roster.called(who))

    def knows(self, who: str) -> bool:
        """Whether it knows the duty of a person or role of this name."""
        return self._roster.knows(who)

    def _working(self, people: Iterable[Person], at: float) -> tuple[str, ...]:
        at_us = round(at * SECOND_US)
        # People work the hours of their shift, also when another one has taken over the machines.
        running = [shift for shift in self._planned(at_us, at_us + 1) if shift.begin_us <= at_us < shift.end_us]
        today = local(at_us, self.zone).date()
        return tuple(person.name for person in people if person.works(running, today))

    # --- what is planned

    def _planned(self, begin_us: int, end_us: int) -> Iterator[Shift]:
        """Every shift that may have some of its time in there, and the neighbours that may cut it short."""
        if begin_us >= end_us:
            return
        first, last = local(begin_us, self.zone).date() - 2 * _DAY, local(end_us, self.zone).date() + _DAY
        for day in _dates(first, last):
            yield from self._on(day)

    def _on(self, day: date) -> tuple[Shift, ...]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= REMEMBERED:
                self._days.clear()
            found = self._days[day] = tuple(plan.on(day, self.zone) for plan in self.plans if self._is_on(plan, day))
        return found

    def _is_on(self, plan: ShiftPlan, day: date) -> bool:
        if day in self.exceptions:
            return plan.name in self.exceptions[day]
        return day not in self.holidays and day.weekday() in plan.weekdays


def _in_turn(shifts: Iterable[Shift]) -> Iterator[Shift]:
    """The shifts in the order of time, each ended where the next one begins."""
    waiting: Shift | None = None
    for shift in sorted(shifts, key=lambda each: (each.begin_us, each.end_us)):
        if waiting is not None:
            waiting = waiting.until(shift.begin_us)
            if waiting.begin_us < waiting.end_us:
                yield waiting
        waiting = shift
    if waiting is not None and waiting.begin_us < waiting.end_us:
        yield waiting


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + _DAY * number for number in range((last - first).days + 1))
