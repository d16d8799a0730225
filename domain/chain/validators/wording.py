"""What an event about a chain or a validator says in one line for people: on the page, in a call, in a mail.

Rules of this file: it is made of the event's own data and adds nothing. Who or what comes first, then what became of
it, then where. What a stranger named is taken as it is; whoever shows it cuts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.json import JsonObject

Sentence = Callable[[str, JsonObject], str]


def text_of(type_: str, chain: str, data: JsonObject) -> str | None:
    """The line for an event of ``type_`` about ``chain``; None if there is none for it."""
    sentence = _SENTENCES.get(type_)
    return None if sentence is None else sentence(chain, data)


def who(data: JsonObject) -> str:
    """A validator by the name that it gave itself, else by its operator or its address."""
    return str(data.get("name") or data.get("operator") or data.get("validator"))


def standing(data: JsonObject) -> str:
    """The state of a validator with its reason: ``JAILED: downtime``."""
    reason = data.get("reason")
    if reason == "unknown":
        reason = "reason not known"
    return f"{data['status']}: {reason}" if reason else f"{data['status']}"


def _place(chain: str, data: JsonObject) -> str:
    since = data.get("since")
    return chain if since is None else f"{chain}, height {since}"


def _status(chain: str, data: JsonObject) -> str:
    if data.get("stale"):
        return f"{who(data)} UNKNOWN, was {data['lastStatus']} ({chain})"
    doubt = "" if data["confirmed"] or data["status"] not in ("JAILED", "TOMBSTONED") else ", not confirmed yet"
    return f"{who(data)} {standing(data)} ({_place(chain, data)}){doubt}"


def _confirmed(chain: str, data: JsonObject) -> str:
    return f"{who(data)} {standing(data)} ({_place(chain, data)}), confirmed"


def _retracted(chain: str, data: JsonObject) -> str:
    return f"{who(data)} {standing(data)} ({chain}): that it was {data['retracted']} is taken back"


def _conflict(chain: str, data: JsonObject) -> str:
    return f"{who(data)} {standing(data)} ({_place(chain, data)}), contradicted: {data['why']}"


def _history(chain: str, data: JsonObject) -> str:
    reason = data.get("reason")
    return (
        f"{who(data)}, of the past: {data['kind']}{f', {reason}' if reason else ''} ({chain}, height {data['height']})"
    )


def _risk(chain: str, data: JsonObject) -> str:
    missed = f"missed {data['missedBlocks']} blocks of its window"
    if not data["level"]:
        return f"{who(data)} is not near jail any more, {missed} ({chain})"
    seconds = data["secondsToJail"]
    left = "" if seconds is None else f", {seconds:.0f} s"
    return f"{who(data)} is {data['blocksToJail']} blocks{left} from jail, {missed} ({chain})"


def _chain(word: str) -> Sentence:
    return lambda chain, data: f"{chain} {word} at height {data['headHeight']}: {data['why']}"


def _quarantined(chain: str, data: JsonObject) -> str:
    claimed = "" if data.get("claimedHeight") is None else f", it says that it has height {data['claimedHeight']}"
    return f"node {data['node']} of {chain} does not count: {data['reason']}{claimed}"


def _released(chain: str, data: JsonObject) -> str:
    return f"node {data['node']} of {chain} counts again, was {data['reason']}"


def _missed(chain: str, data: JsonObject) -> str:
    return f"heights {data['first']} to {data['last']} of {chain} were seen by nobody: {data['reason']}"


def _reorganized(chain: str, data: JsonObject) -> str:
    return f"{chain} from height {data['first']}: {data['why']}"


_SENTENCES: Mapping[str, Sentence] = {
    "validator.status": _status,
    "validator.confirmed": _confirmed,
    "validator.retracted": _retracted,
    "validator.conflict": _conflict,
    "validator.history": _history,
    "validator.risk": _risk,
    "chain.halted": _chain("HALTED"),
    "chain.resumed": _chain("goes on"),
    "chain.stale": _chain("is not known"),
    "chain.fresh": _chain("is known again"),
    "chain.node.quarantined": _quarantined,
    "chain.node.released": _released,
    "chain.missed": _missed,
    "chain.reorganized": _reorganized,
}
