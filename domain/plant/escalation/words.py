"""Chains in plain data: as a configuration says them, as a row keeps them, as a client is shown them.

Rules of this file: every fault is told at once, each with the place of it (a JSON pointer, RFC 6901). What is written
is read back to the same chain. A ``wait`` may be the word ``acknowledge`` or ``resolve``: the chain's own time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import time
from hashlib import blake2s

from domain.event import Fault
from domain.json import JsonObject, JsonValue
from domain.plant.escalation.chain import (
    CONDITIONS,
    PRIORITIES,
    REPEATS,
    TELLING,
    Chain,
    IfLevel,
    IfRate,
    IfTime,
    Importance,
    Notify,
    NotifyOnCall,
    Repeat,
    Resolve,
    RoundRobin,
    SetSeverity,
    Signal,
    Step,
    Wait,
    Webhook,
    every,
)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 7 * 86_400.0
"""The longest wait, in seconds."""
DEPTH = 8
LEVELS = 100
RATE_LIMIT = 1000
VERSION_SIZE = 6

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class ChainFault(Exception):
    """What was given is no chain; ``faults`` are all of the reasons."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def read_chain(members: JsonValue, channels: Sequence[str], known: Collection[str] = ()) -> Chain:
    """The chain that ``members`` describe; steps that name no channels take ``channels`` in that order.

    ``known`` are the channels that may be named; none: any.

    Raises:
        ChainFault: with every fault.
    """
    return _Reader(tuple(channels), frozenset(known)).chain(members)


def write_chain(chain: Chain) -> dict[str, JsonValue]:
    """The chain in plain data, without its version."""
    return {
        "name": chain.name,
        "acknowledge": chain.acknowledge,
        "resolve": chain.resolve,
        "priorities": list(chain.priorities),
        "types": list(chain.types),
        "paths": list(chain.paths),
        "unacknowledged": [write_step(step) for step in chain.unacknowledged],
        "unresolved": [write_step(step) for step in chain.unresolved],
    }


def version_of(chain: JsonObject) -> str:
    """What tells this content from any other."""
    text = json.dumps(chain, sort_keys=True, separators=(",", ":"))
    return blake2s(text.encode(), digest_size=VERSION_SIZE).hexdigest()


# --- writing


def write_step(step: Step) -> dict[str, JsonValue]:
    """One step in plain data."""
    if isinstance(step, CONDITIONS):
        branches = {"then": step.then, "otherwise": step.otherwise}
        return {**_condition(step), **{name: [write_step(each) for each in steps] for name, steps in branches.items()}}
    return _telling(step) if isinstance(step, TELLING) else _plain(step)


def _condition(step: IfTime | IfRate | IfLevel) -> dict[str, JsonValue]:
    match step:
        case IfRate(count=count, within=within):
            return {"if_rate": {"more_than": count, "within": within}}
        case IfLevel(level=level):
            return {"if_level": level}
        case IfTime(shift=shift) if shift:
            return {"if_time": {"shift": shift}}
        case IfTime(days=days, begins=begins, ends=ends):
            hours: dict[str, JsonValue] = {"from": f"{begins:%H:%M}", "to": f"{ends:%H:%M}"}
            return {"if_time": {"days": [DAYS[day] for day in sorted(days)], **hours}}


def _telling(step: Notify | NotifyOnCall | RoundRobin | Webhook | Signal) -> dict[str, JsonValue]:
    match step:
        case Webhook(name=name):
            return {"webhook": name}
        case Signal(light=light, sound=sound, channels=channels):
            return {"signal": {"light": light, "sound": sound}, "channels": list(channels)}
        case Notify(targets=targets):
            what: dict[str, JsonValue] = {"notify": list(targets)}
        case NotifyOnCall(schedule=schedule):
            what = {"notify_on_call": schedule}
        case RoundRobin(people=people):
            what = {"round_robin": list(people)}
    importance = {} if step.importance is None else {"importance": step.importance.value}
    return {**what, "channels": list(step.channels), **importance}


def _plain(step: Wait | SetSeverity | Repeat | Resolve) -> dict[str, JsonValue]:
    match step:
        case Wait(delay=delay):
            return {"wait": delay}
        case SetSeverity(priority=priority):
            return {"set_severity": priority}
        case Repeat(times=times):
            return {"repeat": times}
        case Resolve():
            return {"resolve": True}


# --- reading

_MEMBERS = frozenset({"name", "acknowledge", "resolve", "priorities", "types", "paths", "unacknowledged", "unresolved"})
_TARGETED = frozenset({"channels", "importance"})
_BRANCHES = frozenset({"then", "otherwise"})


class _Reader:
    """Reads one chain; what is wrong is noted, and something harmless stands in for it."""

    def __init__(self, channels: tuple[str, ...], known: frozenset[str]) -> None:
        self._channels = channels
        self._known = known
        self._faults: list[Fault] = []
        self._times: dict[str, float] = {}
        self._kinds: dict[str, tuple[frozenset[str], Callable[[JsonObject, str], Step]]] = {
            "notify": (_TARGETED, self._notify),
            "notify_on_call": (_TARGETED, self._on_call),
            "round_robin": (_TARGETED, self._round_robin),
            "webhook": (frozenset(), self._webhook),
            "signal": (frozenset({"channels"}), self._signal),
            "wait": (frozenset(), self._wait),
            "if_time": (_BRANCHES, self._if_time),
            "if_rate": (_BRANCHES, self._if_rate),
            "if_level": (_BRANCHES, self._if_level),
            "set_severity": (frozenset(), self._set_severity),
            "repeat": (frozenset(), self._repeat),
            "resolve": (frozenset(), self._resolve),
        }

    def chain(self, members: JsonValue) -> Chain:
        if not isinstance(members, Mapping):
            raise ChainFault([Fault("", "a table with a name and its steps")])
        self._unknown(members, _MEMBERS, "")
        name = members.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._fault("/name", "a name of lower-case letters, digits, dashes and underscores, at most 63")
        self._times = {word: self._seconds(members.get(word), f"/{word}") for word in ("acknowledge", "resolve")}
        priorities = self._names(members.get("priorities", ()), "/priorities", least=0)
        if not set(priorities) <= set(PRIORITIES):
            self._fault("/priorities", f"some of {', '.join(PRIORITIES)}")
        types, paths = (self._names(members.get(word, ()), f"/{word}", least=0) for word in ("types", "paths"))
        first = self._program(members.get("unacknowledged"), "/unacknowledged", waits=False)
        second = self._program(members.get("unresolved", ()), "/unresolved", waits=True)
        if self._faults:
            raise ChainFault(self._faults)
        times = self._times
        chain = Chain(
            str(name), "", times["acknowledge"], times["resolve"], first, second, priorities, types, paths
        )  # fmt: skip
        version = version_of(write_chain(chain))
        return Chain(
            chain.name, version, times["acknowledge"], times["resolve"], first, second, priorities, types, paths
        )

    def _program(self, value: JsonValue, pointer: str, *, waits: bool) -> tuple[Step, ...]:
        steps = self._steps(value, pointer, 0)
        if not waits and not steps:
            self._fault(pointer, "at least one step")
        repeats = [step for step in every(steps) if isinstance(step, Repeat)]
        if repeats and (len(repeats) > 1 or not isinstance(steps[-1], Repeat)):
            self._fault(pointer, "one repeat at most, as the last step")
        elif repeats and not waits and not any(isinstance(step, Wait) for step in steps):
            self._fault(pointer, "a wait that no condition passes by, before what is done is done again")
        return steps

    def _steps(self, value: JsonValue, pointer: str, depth: int) -> tuple[Step, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            self._fault(pointer, "a list of steps")
            return ()
        if depth > DEPTH:
            self._fault(pointer, f"conditions within conditions, {DEPTH} at most")
            return ()
        steps = (self._step(each, f"{pointer}/{number}", depth) for number, each in enumerate(value))
        return tuple(step for step in steps if step is not None)

    def _step(self, value: JsonValue, pointer: str, depth: int) -> Step | None:
        kinds = [kind for kind in self._kinds if isinstance(value, Mapping) and kind in value]
        if len(kinds) != 1 or not isinstance(value, Mapping):
            self._fault(pointer, f"a table with one of {', '.join(self._kinds)}")
            return None
        kind = kinds[0]
        members, read = self._kinds[kind]
        self._unknown(value, members | {kind}, pointer)
        if members is not _BRANCHES:
            return read(value, pointer)
        then, otherwise = (
            self._steps(value.get(word, ()), f"{pointer}/{word}", depth + 1) for word in ("then", "otherwise")
        )
        return _with_branches(read(value, pointer), then, otherwise)

    # --- steps

    def _notify(self, step: JsonObject, pointer: str) -> Step:
        targets = self._names(step["notify"], f"{pointer}/notify")
        return Notify(targets, self._channels_of(step, pointer), self._importance(step, pointer))

    def _on_call(self, step: JsonObject, pointer: str) -> Step:
        schedule = self._name(step["notify_on_call"], f"{pointer}/notify_on_call")
        return NotifyOnCall(schedule, self._channels_of(step, pointer), self._importance(step, pointer))

    def _round_robin(self, step: JsonObject, pointer: str) -> Step:
        people = self._names(step["round_robin"], f"{pointer}/round_robin")
        return RoundRobin(people, self._channels_of(step, pointer), self._importance(step, pointer))

    def _webhook(self, step: JsonObject, pointer: str) -> Step:
        return Webhook(self._name(step["webhook"], f"{pointer}/webhook"))

    def _signal(self, step: JsonObject, pointer: str) -> Step:
        signal = step["signal"]
        parts = {}
        if isinstance(signal, Mapping):
            self._unknown(signal, {"light", "sound"}, f"{pointer}/signal")
            parts = {name: signal.get(name, "") for name in ("light", "sound")}
        light, sound = parts.get("light"), parts.get("sound")
        if not isinstance(light, str) or not isinstance(sound, str) or not (light or sound):
            self._fault(f"{pointer}/signal", 'a table such as { light = "red", sound = "horn" }')
            return Resolve()
        return Signal(light, sound, self._channels_of(step, pointer))

    def _wait(self, step: JsonObject, pointer: str) -> Step:
        value = step["wait"]
        if isinstance(value, str) and value in self._times:
            return Wait(self._times[value])
        return Wait(self._seconds(value, f"{pointer}/wait"))

    def _if_time(self, step: JsonObject, pointer: str) -> Step:
        value, place = step["if_time"], f"{pointer}/if_time"
        if not isinstance(value, Mapping) or not value:
            self._fault(
                place, 'a table such as { days = ["mon"], from = "06:00", to = "14:00" } or { shift = "night" }'
            )
            return IfLevel(0, (), ())
        if "shift" in value:
            self._unknown(value, {"shift"}, place)
            shift = self._name(value["shift"], f"{place}/shift")
            return IfTime(frozenset(), time(), time(), shift, (), ())
        self._unknown(value, {"days", "from", "to"}, place)
        days = self._names(value.get("days", DAYS), f"{place}/days")
        if not set(days) <= set(DAYS):
            self._fault(f"{place}/days", f"some of {', '.join(DAYS)}")
            days = ()
        begins, ends = (self._clock(value.get(word, "00:00"), f"{place}/{word}") for word in ("from", "to"))
        return IfTime(frozenset(DAYS.index(day) for day in days), begins, ends, "", (), ())

    def _if_rate(self, step: JsonObject, pointer: str) -> Step:
        value, place = step["if_rate"], f"{pointer}/if_rate"
        if not isinstance(value, Mapping):
            self._fault(place, "a table such as { more_than = 3, within = 600 }")
            return IfLevel(0, (), ())
        self._unknown(value, {"more_than", "within"}, place)
        count = self._whole(value.get("more_than"), f"{place}/more_than", 0, RATE_LIMIT)
        return IfRate(count, self._seconds(value.get("within"), f"{place}/within"), (), ())

    def _if_level(self, step: JsonObject, pointer: str) -> Step:
        return IfLevel(self._whole(step["if_level"], f"{pointer}/if_level", 1, LEVELS), (), ())

    def _set_severity(self, step: JsonObject, pointer: str) -> Step:
        value = step["set_severity"]
        if value not in PRIORITIES:
            self._fault(f"{pointer}/set_severity", f"one of {', '.join(PRIORITIES)}")
        return SetSeverity(str(value))

    def _repeat(self, step: JsonObject, pointer: str) -> Step:
        return Repeat(self._whole(step["repeat"], f"{pointer}/repeat", 1, REPEATS))

    def _resolve(self, step: JsonObject, pointer: str) -> Step:
        if step["resolve"] is not True:
            self._fault(f"{pointer}/resolve", "true")
        return Resolve()

    # --- values

    def _channels_of(self, step: JsonObject, pointer: str) -> tuple[str, ...]:
        if "channels" not in step:
            return self._channels
        channels = self._names(step["channels"], f"{pointer}/channels")
        if self._known and not self._known.issuperset(channels):
            self._fault(f"{pointer}/channels", f"some of {', '.join(sorted(self._known))}")
        return channels

    def _importance(self, step: JsonObject, pointer: str) -> Importance | None:
        value = step.get("importance")
        if value is None:
            return None
        if not isinstance(value, str) or value not in list(Importance):
            self._fault(f"{pointer}/importance", f"one of {', '.join(Importance)}")
            return None
        return Importance(value)

    def _names(self, value: JsonValue, pointer: str, least: int = 1) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else [None]
        if len(names) < least or not all(isinstance(name, str) and name.strip() for name in names):
            self._fault(pointer, "a list of names")
            return ()
        if len(set(names)) < len(names):
            self._fault(pointer, "each name once")
        return tuple(str(name) for name in names)

    def _name(self, value: JsonValue, pointer: str) -> str:
        if not isinstance(value, str) or not value.strip():
            self._fault(pointer, "a name")
            return ""
        return value

    def _seconds(self, value: JsonValue, pointer: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
            self._fault(pointer, f"seconds, more than 0 and at most {LONGEST:.0f}")
            return 1.0
        return float(value)

    def _whole(self, value: JsonValue, pointer: str, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._fault(pointer, f"a whole number from {least} to {most}")
            return least
        return value

    def _clock(self, value: JsonValue, pointer: str) -> time:
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self._fault(pointer, "a time of the day such as 06:00")
            return time()
        return time(int(match[1]), int(match[2]))

    def _unknown(self, members: JsonObject, known: Collection[str], pointer: str) -> None:
        for name in members.keys() - known:
            self._fault(f"{pointer}/{name}", f"nothing of this name; there is {', '.join(sorted(known))}")

    def _fault(self, pointer: str, message: str) -> None:
        self._faults.append(Fault(pointer, message))


def _with_branches(step: Step, then: tuple[Step, ...], otherwise: tuple[Step, ...]) -> Step:
    match step:
        case IfTime():
            return IfTime(step.days, step.begins, step.ends, step.shift, then, otherwise)
        case IfRate():
            return IfRate(step.count, step.within, then, otherwise)
        case IfLevel():
            return IfLevel(step.level, then, otherwise)
    return step
