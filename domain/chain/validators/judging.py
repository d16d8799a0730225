"""What evidence makes of a validator: heard, believed, confirmed, taken back, or history.

Rules of this file:

* The first evidence of a jailing is believed at once and is unconfirmed. It is confirmed by a second node, or by a
  node's records while nobody denies it; but what a node's records said they confirm themselves only where no other node
  has such records, and not for the same height. It is taken back when nobody stands by it before that.
* What is older than what is known already changes nothing: of a block it is history, of a record it is nothing.
* A jailing is one jailing, however many say so, in whichever order and however often: what comes late explains it.
* While a node that can be trusted stands by a state, another node's word against it is a conflict and changes nothing;
  two against one prevail.
* Who leaves the set was not jailed for that reason.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from domain.chain.observations import Reason
from domain.chain.validators.evidence import SET_DELAY, Evidence, Standing
from domain.chain.validators.states import (
    BLOCKS,
    FREES,
    JAILING,
    SETS,
    TRANSITIONS,
    Kind,
    Status,
)
from domain.chain.validators.validator import Claim, Validator


class Word(StrEnum):
    """What is to be told."""

    STATUS = "status"
    CONFIRMED = "confirmed"
    RETRACTED = "retracted"
    CONFLICT = "conflict"
    HISTORY = "history"


class Verdict(msgspec.Struct, frozen=True):
    """``word`` is to be told of a validator because of ``evidence``; ``why`` is for people, ``previous`` its state."""

    word: Word
    evidence: Evidence
    previous: Standing
    why: str = ""
    reason: Reason | None = None
    distrusted: tuple[str, ...] = ()


class Court(msgspec.Struct, frozen=True):
    """What the chain lets one judge by, at one moment.

    ``trusts`` says of a node whether its word counts, ``is_final`` of a height whether it is for ever, ``has_others``
    of a node and a method whether another node that counts answers it too. ``jail_time`` is in seconds;
    ``history_after`` and ``stands_for`` see ``Terms``. ``is_behind``: the evidence is below the watermark.
    """

    trusts: Callable[[str], bool]
    is_final: Callable[[int], bool]
    has_others: Callable[[str, str], bool]
    history_after: float
    stands_for: float
    jail_time: float | None = None
    is_behind: bool = False


class Told(msgspec.Struct, frozen=True):
    """What is said beside the kind of evidence: ``reason`` for a jailing, ``until`` when its term ends."""

    reason: Reason | None = None
    until: float | None = None


def judge(validator: Validator, evidence: Evidence, court: Court, told: Told | None = None) -> list[Verdict]:
    """Change ``validator`` as ``evidence`` demands; what is to be told of that."""
    told = told or Told()
    if evidence.kind in BLOCKS:
        return _hear_block(validator, evidence, court, told)
    if evidence.kind in SETS:
        return _hear_set(validator, evidence, court)
    return _hear_read(validator, evidence, court, told)


# -- a block's events ---------------------------------------------------------------------------------------


def _hear_block(validator: Validator, evidence: Evidence, court: Court, told: Told) -> list[Verdict]:
    if not court.trusts(evidence.source):
        return []
    is_new = validator.remember(evidence.height, evidence.kind)
    escalates = evidence.kind is Kind.BLOCK_TOMBSTONED and validator.status is Status.JAILED
    if validator.standing.is_jailing and _concerns(validator, evidence, court):
        if escalates and is_new:
            return _change(validator, Status.TOMBSTONED, evidence, court, told)
        return _affirm(validator, evidence, court, told)
    if not is_new:
        return []
    if _is_history(validator, evidence, court):
        return [Verdict(Word.HISTORY, evidence, validator.standing, reason=told.reason)]
    return _change(validator, TRANSITIONS[validator.status][evidence.kind], evidence, court, told)


def _concerns(validator: Validator, evidence: Evidence, court: Court) -> bool:
    """Whether a block's word is about the present jailing, not about one before or after it."""
    standing = validator.standing
    if standing.free is not None and evidence.height <= standing.free:
        return False
    if validator.status is Status.TOMBSTONED:
        return True
    if validator.checked is None or evidence.height <= validator.checked:
        return standing.since is None or evidence.height <= standing.since or not _served(standing, evidence, court)
    # Who is jailed signs no blocks and cannot be jailed for missing them: its term was over, and nobody told us.
    return evidence.kind is Kind.BLOCK_TOMBSTONED or not _served(standing, evidence, court)


def _is_history(validator: Validator, evidence: Evidence, court: Court) -> bool:
    if validator.checked is not None and evidence.height < validator.checked:
        return True
    if validator.status is Status.UNKNOWN and evidence.is_history:
        return True
    return evidence.at is not None and evidence.observed - evidence.at > court.history_after


# -- a change of the set ------------------------------------------------------------------------------------


def _hear_set(validator: Validator, evidence: Evidence, court: Court) -> list[Verdict]:
    if validator.standing.is_jailing:
        return _hear_set_of_jailed(validator, evidence, court)
    if validator.checked is not None and evidence.height < validator.checked:
        return []
    target = TRANSITIONS[validator.status][evidence.kind]
    if target is validator.status:
        return _affirm(validator, evidence, court, Told())
    return _change(validator, target, evidence, court, Told()) if court.trusts(evidence.source) else []


def _hear_set_of_jailed(validator: Validator, evidence: Evidence, court: Court) -> list[Verdict]:
    standing, checked = validator.standing, validator.checked
    if evidence.kind is Kind.SET_LEFT:
        if evidence.height == standing.since:
            validator.amend(standing.with_evidence(evidence))
        return []
    is_old = checked is not None and evidence.height <= checked
    if is_old or validator.status is Status.TOMBSTONED or not court.trusts(evidence.source):
        return []
    if standing.is_confirmed or _served(standing, evidence, court):
        return _change(validator, Status.ACTIVE, evidence, court, Told())
    return _deny(validator, evidence, court, Status.ACTIVE)


# -- a node's records ---------------------------------------------------------------------------------------


def _hear_read(validator: Validator, evidence: Evidence, court: Court, told: Told) -> list[Verdict]:
    if not court.trusts(evidence.source) or not _is_about_now(validator.standing, evidence):
        return []
    status, kind = validator.status, evidence.kind
    if validator.standing.is_jailing and kind in FREES:
        return _deny(validator, evidence, court, FREES[kind])
    target = TRANSITIONS[status][kind]
    if target is status:
        return [] if status is Status.UNKNOWN else _affirm(validator, evidence, court, told)
    if court.is_behind or _is_old(validator, evidence):
        return []
    return _change(validator, target, evidence, court, told)


def _is_about_now(standing: Standing, evidence: Evidence) -> bool:
    """Whether a record can have a word on the present state: it was read when that had begun."""
    since = standing.since or 0
    if evidence.about < since:
        return False
    # Who is absent may be jailed or not; and who joins the set is in it two blocks later.
    return evidence.kind is not Kind.READ_ABSENT or (not standing.is_jailing and evidence.about >= since + SET_DELAY)


def _is_old(validator: Validator, evidence: Evidence) -> bool:
    """Whether it is known already what was so at that height, or later."""
    return evidence.about <= validator.read or (validator.checked is not None and evidence.about < validator.checked)


# -- what becomes of it -------------------------------------------------------------------------------------


def _change(validator: Validator, target: Status, evidence: Evidence, court: Court, told: Told) -> list[Verdict]:
    before = validator.standing
    is_jailing = target in JAILING
    is_first = before.status is Status.UNKNOWN and evidence.kind not in BLOCKS | SETS
    is_known = is_jailing and is_first
    height = evidence.about
    # The two signals of one block belong together; so do a jailing and the tombstone that follows.
    carried = before if before.since == height or (before.is_jailing and is_jailing) else replace(before, evidence=())
    standing = Standing(
        target,
        since=None if is_known else height,
        since_at=None if is_known else evidence.at,
        reason=told.reason if is_jailing else None,
        until=told.until if is_jailing else None,
        free=_free_before(validator) if is_jailing else None,
        # What was so before we looked is no news whose source has to be proven.
        is_confirmed=is_first or not is_jailing,
        is_standing=is_known,
        is_final=court.is_final(height),
        evidence=carried.evidence,
    ).with_evidence(evidence)
    validator.change(standing)
    validator.checked = height if validator.checked is None else max(validator.checked, height)
    validator.witnesses = {evidence.source: Claim(height, evidence.observed)}
    validator.deniers = {}
    if evidence.kind not in BLOCKS | SETS:
        validator.read = max(validator.read, height)
    return [Verdict(Word.STATUS, evidence, before)]


def _free_before(validator: Validator) -> int | None:
    if validator.standing.is_jailing:
        return validator.standing.free
    if validator.status is Status.UNKNOWN or validator.checked is None:
        return None
    # What set the state in the block itself says nothing about the end of that block.
    return validator.checked - 1


def _affirm(validator: Validator, evidence: Evidence, court: Court, told: Told) -> list[Verdict]:
    standing, height = validator.standing, evidence.about
    is_read = evidence.kind not in BLOCKS | SETS
    if not court.trusts(evidence.source):
        return []
    claim = validator.witnesses.get(evidence.source)
    if claim is None or height >= claim.height:
        validator.witnesses[evidence.source] = Claim(height, evidence.observed)
    validator.deniers.pop(evidence.source, None)
    # Who denied it at a later height may only have seen its end sooner.
    validator.is_disputed |= any(denied.height <= height for denied in validator.deniers.values())
    validator.checked = height if validator.checked is None else max(validator.checked, height)
    if is_read:
        validator.read = max(validator.read, height)
    if not standing.is_jailing:
        return []
    amended = _explained(standing.with_evidence(evidence), evidence, told)
    if not amended.is_confirmed and _is_confirmed_by(validator, evidence, court):
        amended = replace(amended, is_confirmed=True)
    validator.amend(amended)
    known, said = ((each.is_confirmed, each.reason, each.since) for each in (standing, amended))
    is_news = known != said
    return [Verdict(Word.CONFIRMED, evidence, standing)] if is_news else []


def _is_confirmed_by(validator: Validator, evidence: Evidence, court: Court) -> bool:
    """Whether ``evidence``, which agrees with the jailing of ``validator``, proves it."""
    witnesses = [source for source in validator.witnesses if court.trusts(source)]
    if len(witnesses) > max(1, len(validator.deniers)):
        return True
    return evidence.kind not in BLOCKS | SETS and not validator.deniers and not _repeats(validator, evidence, court)


def _repeats(validator: Validator, evidence: Evidence, court: Court) -> bool:
    """Whether ``evidence`` only says again what the same records said, of the same height or beside other nodes."""
    place, said = (evidence.source, evidence.method), validator.standing.evidence
    if any((each.source, each.method) != place for each in said):
        return False
    return court.has_others(*place) or all(each.about >= evidence.about for each in said)


def _explained(standing: Standing, evidence: Evidence, told: Told) -> Standing:
    """``standing`` with what ``evidence`` knows of its reason, term and beginning."""
    if evidence.kind in BLOCKS:
        if standing.since is None or evidence.height < standing.since or standing.evidence[0].kind not in BLOCKS:
            standing = replace(standing, since=evidence.height, since_at=evidence.at)
        if told.reason is not None and standing.status is not Status.TOMBSTONED:
            standing = replace(standing, reason=told.reason)
    elif standing.reason in (None, "unknown") and told.reason not in (None, "unknown"):
        standing = replace(standing, reason=told.reason)
    return standing if told.until is None else replace(standing, until=told.until)


def _deny(validator: Validator, evidence: Evidence, court: Court, target: Status) -> list[Verdict]:
    standing, height = validator.standing, evidence.about
    if validator.checked is not None and height < validator.checked:
        return []
    claim = Claim(height, evidence.observed)
    validator.witnesses.pop(evidence.source, None)
    validator.deniers[evidence.source] = claim
    left = [source for source, said in validator.witnesses.items() if _stands(source, said, evidence, court)]
    against = [source for source, said in validator.deniers.items() if _stands(source, said, evidence, court)]
    is_overruled = bool(left) and len(against) > max(1, len(left))
    if left and not is_overruled:
        return _contest(validator, evidence, f"{', '.join(left)} says {standing.status}, {evidence.source} says not")
    # Of what nodes said opposite things to the end nobody knows that it ever was so.
    is_over = not validator.is_disputed and _served(standing, evidence, court)
    if standing.is_confirmed or is_over:
        if standing.status is Status.TOMBSTONED:
            return _contest(validator, evidence, f"{evidence.source} says that a tombstoned validator is not jailed")
        return _change(validator, target, evidence, court, Told())
    verdicts = _change(validator, target, evidence, court, Told())
    why = f"{evidence.source} does not have it at height {height}"
    distrusted = tuple(left) if is_overruled else ()
    return [replace(each, word=Word.RETRACTED, why=why, distrusted=distrusted) for each in verdicts]


def learn_term(validator: Validator, evidence: Evidence, until: float, at: float) -> list[Verdict]:
    """A record says that the term of ``validator``, which is jailed, ends at ``until``; ``at`` is when it was read.

    A term that is still to be served is set by downtime alone.
    """
    standing = validator.standing
    if validator.status is not Status.JAILED or (standing.since is not None and evidence.height < standing.since):
        return []
    amended = replace(standing, until=until)
    is_of_block = any(each.kind in BLOCKS for each in standing.evidence)
    if until > at and not is_of_block and standing.reason in (None, "unknown", "self_delegation"):
        amended = replace(amended, reason="downtime")
    validator.amend(amended)
    return [Verdict(Word.CONFIRMED, evidence, standing)] if amended.reason != standing.reason else []


def _stands(source: str, claim: Claim, evidence: Evidence, court: Court) -> bool:
    return court.trusts(source) and evidence.observed - claim.observed <= court.stands_for


def _contest(validator: Validator, evidence: Evidence, why: str) -> list[Verdict]:
    if validator.is_conflicting:
        return []
    validator.is_conflicting = True
    validator.has_changed = True
    return [Verdict(Word.CONFLICT, evidence, validator.standing, why)]


def _served(standing: Standing, evidence: Evidence, court: Court) -> bool:
    """Whether the shortest term of the jailing was over at the time of ``evidence``."""
    if standing.until is not None and evidence.at is not None:
        return evidence.at >= standing.until
    if court.jail_time is None or evidence.at is None or standing.since_at is None:
        return False
    return evidence.at - standing.since_at >= court.jail_time


def contest(validator: Validator, evidence: Evidence, why: str) -> list[Verdict]:
    """Say that the two signals of the block that jailed ``validator`` do not agree: once for a jailing."""
    return _contest(validator, evidence, why)


def take_back(validator: Validator, source: str, height: int, court: Court, evidence: Evidence) -> list[Verdict]:
    """The chain of ``source`` has no blocks from ``height`` on any more: what rests on them alone is so no more."""
    standing = validator.standing
    for each in [each for each in validator.jailings if each[0] >= height]:
        del validator.jailings[each]
        validator.has_changed = True
    if validator.checked is not None and validator.checked >= height:
        validator.checked = height - 1
        validator.read = min(validator.read, height - 1)
    if standing.is_final or standing.since is None or standing.since < height:
        return []
    validator.witnesses.pop(source, None)
    if any(court.trusts(other) for other in validator.witnesses):
        return []
    back = validator.before
    validator.change(back)
    validator.before = back
    return [Verdict(Word.RETRACTED, evidence, standing, f"the chain took back the blocks from {height} on")]
