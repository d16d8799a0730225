"""Who was jailed in a block and why, who missed it, and how it changes the validator set.

Rules of this file:

* A jailing is a ``slash`` event with ``jailed``. For a double sign the reason stands in an event before it, so the
  reasons of a block are gathered by address first; one validator is jailed once in a block, and for the worst reason.
* A slash without ``jailed`` is none: who is in jail already can be slashed again.
* An absent power is 0: exactly that of a validator that leaves the set.

Source: Cosmos SDK ``x/slashing`` (``HandleValidatorSignature``, ``Jail``, ``SlashWithInfractionReason``) and
``x/evidence``; checked against the recorded blocks of three real jailings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from domain.chain.cosmos.addresses import address_of, address_of_update
from domain.chain.cosmos.events import Group, block_events, events_in, groups, has_failed, transaction_results
from domain.chain.cosmos.fault import CosmosFault
from domain.chain.cosmos.member import as_count, as_object, inner_or_empty, rows
from domain.chain.cosmos.told import Told
from domain.chain.observations import BlocksMissed, JailSeen, Observation, Provenance, Reason, SetChanged
from domain.json import JsonObject, JsonValue

SLASH = "slash"
LIVENESS = "liveness"
SET_LIMIT = 10_000
"""Most validators that CometBFT takes (``types.MaxVotesCount``)."""

_REASONS: dict[str, Reason] = {"missing_signature": "downtime", "double_sign": "double_sign"}
_WORSE: dict[Reason, int] = {"unknown": 0, "downtime": 1, "double_sign": 2}


class _Reading:
    """The events of one block while they are read."""

    def __init__(self) -> None:
        self.missed: dict[str, int] = {}
        self.jailed: dict[str, None] = {}
        self.reasons: dict[str, Reason] = {}
        self.powers: dict[str, int] = {}
        self.faults: list[CosmosFault] = []

    def take(self, event: JsonObject) -> None:
        """Read ``event`` if it is about a validator; a fault costs only what is left of this event."""
        kind = event.get("type")
        if kind not in (SLASH, LIVENESS):
            return
        try:
            for group in groups(event):
                if kind == SLASH:
                    self._slash(group)
                else:
                    self._liveness(group)
        except CosmosFault as fault:
            self.faults.append(CosmosFault(f"{kind}: {fault}"))

    def _slash(self, group: Group) -> None:
        jailed = group.get("jailed")
        # Before all else: whatever else is wrong with the event, a jailing must be told.
        if jailed:
            self.jailed[address_of(jailed)] = None
        named = group.get("address") or jailed
        if not named:
            return
        address = address_of(named)
        reason = _REASONS.get(group.get("reason", ""), "unknown")
        if _WORSE[reason] >= _WORSE[self.reasons.get(address, "unknown")]:
            self.reasons[address] = reason
        if group.get("power"):
            self.powers[address] = as_count(group["power"], "power")

    def _liveness(self, group: Group) -> None:
        if "address" in group and "missed_blocks" in group:
            self.missed[address_of(group["address"])] = as_count(group["missed_blocks"], "missed_blocks")


def read_jails(value: JsonObject, place: Provenance) -> Told:
    """Who was jailed in the block at ``place`` and who missed it, by the events that ``value`` carries.

    Raises:
        CosmosFault: if the events are in no list.
    """
    reading = _Reading()
    for event in (*block_events(value), *_events_of_transactions(value)):
        reading.take(event)
    return _told(reading, place)


def read_transaction_jails(result: JsonObject, place: Provenance) -> Told:
    """Who was jailed by one transaction, by its ``result``; nobody if it failed.

    Raises:
        CosmosFault: if the events are in no list.
    """
    reading = _Reading()
    for event in _events_of_success(result):
        reading.take(event)
    return _told(reading, place)


def read_set_change(value: JsonObject, place: Provenance) -> Told:
    """How the block at ``place`` changes the validator set, wherever this version of the node says it.

    Raises:
        CosmosFault: if the updates are in no list.
    """
    powers: dict[str, int] = {}
    faults: list[CosmosFault] = []
    for row in _updates(value):
        try:
            update = as_object(row, "an update")
            powers[address_of_update(update)] = _power(update)
        except CosmosFault as fault:
            faults.append(CosmosFault(f"validator_updates: {fault}"))
    changes: tuple[Observation, ...] = (SetChanged(place, tuple(powers.items())),) if powers else ()
    return Told(changes, tuple(faults))


def _told(reading: _Reading, place: Provenance) -> Told:
    missed = [BlocksMissed(place, address, missed) for address, missed in reading.missed.items()]
    jailed = [
        JailSeen(place, address, reading.reasons.get(address, "unknown"), reading.powers.get(address))
        for address in reading.jailed
    ]
    return Told((*jailed, *missed), tuple(reading.faults))


def _events_of_transactions(value: JsonObject) -> Iterator[JsonObject]:
    for result in transaction_results(value):
        if isinstance(result, Mapping):
            yield from _events_of_success(result)


def _events_of_success(result: JsonObject) -> Iterable[JsonObject]:
    """The events of a transaction that took effect; what one that failed says did not come to pass."""
    return () if has_failed(result) else events_in(result)


def _updates(value: JsonObject) -> Iterator[JsonValue]:
    for place in ("result_end_block", "result_finalize_block"):
        yield from rows(inner_or_empty(value, place), "validator_updates", SET_LIMIT)
    yield from rows(value, "validator_updates", SET_LIMIT)


def _power(update: JsonObject) -> int:
    found = update.get("power", update.get("voting_power"))
    return 0 if found is None else as_count(found, "power")
