"""The figures of ``andond analyse`` for a person.

Rules of this file: words and numbers in columns; a figure that there is not is shown as "-". Floods are named by how
they were found, because the two ways find different ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from andond.rows import Faults
from domain.plant.alarms import Figures, Flood
from domain.plant.ledger import SECOND_US, Past, Quarantine, StateTimes, rfc3339_us
from domain.plant.mtconnect import UNAVAILABLE

LONGEST_TEXT = 48
SHOWN = 10

Line = tuple[str, ...]


def table(name: str, past: Past, texts: Mapping[str, str]) -> str:
    """The past of the machine ``name``; ``texts`` are what its alarms say."""
    lines = [f"{name}: {past.rows} rows", *_states(past.states), ""]
    figures = past.figures()
    lines += [*_alarms(figures), *_listed("alarms that come most", figures.top10, texts)]
    lines += _listed("chattering: most in 60 s", list(figures.chattering.items())[:SHOWN], texts)
    return "\n".join(lines)


def notes(name: str, faults: Faults, clocked: Sequence[Quarantine], cut: Sequence[str]) -> Iterator[str]:
    """What a person must know of the logs themselves, line by line."""
    yield from (f"{each}; what was read up to there counts" for each in cut)
    for kind, count in faults.counts.items():
        yield f"{name}: left out {count} {kind}, the first: {faults.examples[kind]!r}"
    for one in clocked:
        yield (
            f"{name}: the clock had jumped: {one.end - one.first} rows stamped {_moment(one.low)} to "
            f"{_moment(one.high)} are counted where they were received, at {_moment(one.at)}; set the machine's clock"
        )


def voices(name: str, keys: Collection[str], chosen: str | None) -> Iterator[str]:
    """What a person must know where not every data item of ``keys``, or more than one, says what the machine does."""
    if chosen is not None and chosen not in keys:
        yield f"{name}: no row has the key {chosen}; {_named(keys)} could say what the machine does"
    elif chosen is None and len(keys) > 1:
        yield f"{name}: {_named(keys)} are taken for paths of one machine, which runs while one of them does"
        yield f"{name}: to see one of them alone, name it with --execution"
    elif len(keys) > 1:
        others = [key for key in keys if key != chosen]
        yield f"{name}: {chosen} says what the machine does; to see {_named(others)} instead, use --execution"


def _named(keys: Collection[str]) -> str:
    return ", ".join(sorted(keys)) or "no data item"


def _states(states: StateTimes) -> Iterator[str]:
    if states.first is None or states.last is None:
        yield "  execution: no data item says what the machine does; name one with --execution KEY"
        return
    span = states.span
    known = span - states.times[UNAVAILABLE]
    yield f"  from {_moment(states.first)} to {_moment(states.last)}: {_lasted(span)}"
    yield f"  known {_percent(known, span)} of it (coverage), {states.transitions} changes of state"
    rows: list[Line] = [("state", "seconds", "", "share", "of known")]
    for word, us in sorted(states.times.items(), key=lambda each: -each[1]):
        of_known = "-" if word == UNAVAILABLE else _percent(us, known)
        rows.append((word, f"{us / SECOND_US:.6f}", _lasted(us), _percent(us, span), of_known))
    yield from _columns(rows, "<>>>>")
    short, middle, long = states.stops
    yield f"  stops between ACTIVE: {short} under 60 s, {middle} under 120 s, {long} longer"


def _alarms(figures: Figures) -> Iterator[str]:
    share = "-" if figures.top10_share is None else f"{figures.top10_share:.1%}"
    yield f"  alarms: {figures.activations} activations of {figures.distinct} alarms; the worst {SHOWN} have {share}"
    yield f"  floods, intervals of ten minutes by the clock: {_floods(figures.aligned)}"
    yield f"  floods, any ten minutes (trailing): {_floods(figures.trailing)}, peak {figures.trailing_peak}"
    yield f"  chattering: {len(figures.chattering)} alarms (3 or more within 60 s)"


def _floods(floods: Sequence[Flood]) -> str:
    if not floods:
        return "none"
    alarms, peak = sum(flood.count for flood in floods), max(flood.peak for flood in floods)
    return f"{len(floods)} with {alarms} alarms, at most {peak} in one"


def _listed(title: str, counted: Sequence[tuple[str, int]], texts: Mapping[str, str]) -> Iterator[str]:
    if counted:
        yield f"  {title}"
        yield from _columns([(str(count), name, texts.get(name, "")[:LONGEST_TEXT]) for name, count in counted], "><<")


def _columns(rows: Sequence[Line], aligned: str) -> Iterator[str]:
    """``rows`` with each column ``aligned`` as Python's format writes it: ``<`` or ``>``."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, aligned, widths, strict=True)
        yield "    " + "  ".join(f"{text:{side}{width}}" for text, side, width in cells).rstrip()


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def _moment(us: int) -> str:
    return rfc3339_us(us)[:19] + "Z"


def _lasted(us: int) -> str:
    seconds = us // SECOND_US
    days, rest = divmod(seconds, 86_400)
    return f"{days} d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
