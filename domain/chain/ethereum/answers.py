"""One JSON-RPC message of a node: an answer, a refusal, or a notice of a subscription.

Rules of this file:

* A node that does not have a method has told nothing, which is no fault of anybody: ``not_offered``. Nodes say it in
  different ways, measured: -32601 (geth, anvil), -32004 (hardhat), -32700 with a sentence (ganache), -32603 "Not
  implemented" (anvil, for a subscription), -32602 and its parser's words (anvil over a WebSocket).
* What else a node refuses is ``pruned`` (it has thrown the height away), ``limited`` (asked too often), ``absent`` (no
  such thing) or ``failed``.

Source: JSON-RPC 2.0, section 5; EIP-1474 and EIP-4444 for the codes.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from domain.chain.ethereum.reading import AnswerFault, members, words
from domain.json import JsonObject, JsonValue

RefusalKind = Literal["not_offered", "pruned", "limited", "absent", "failed"]

_NO_METHOD = -32601
_NO_RESOURCE = -32001
_TOO_OFTEN = -32005
_PRUNED = 4444

_NOT_OFFERED = re.compile(
    r"method\b.*\b(not found|not exist|not supported|not available|not implemented|disabled|unavailable)"
    r"|does not exist/is not available|not implemented|unsupported method|unknown method|notifications not supported"
    r"|did not match any variant of .*RpcCall",
    re.IGNORECASE,
)
_GONE = re.compile(r"pruned|missing trie node|historical state|state .*not available", re.IGNORECASE)
_LIMITED = re.compile(r"rate limit|too many requests|limit exceeded|request limit|exceeded .*quota", re.IGNORECASE)
_ABSENT = re.compile(r"\b(unknown|not found|could not be found)\b", re.IGNORECASE)


class Refused(msgspec.Struct, frozen=True):
    """A node did not answer: of what ``kind`` that is, its own ``code``, and its ``reason`` in words."""

    kind: RefusalKind
    reason: str
    code: int | None = None


class Reply(msgspec.Struct, frozen=True):
    """The answer to request ``id``: what it asked for (null included), or a refusal."""

    id: int
    result: JsonValue | Refused


class Notice(msgspec.Struct, frozen=True):
    """What a subscription brought: ``subscription`` is the number the node gave it."""

    subscription: str
    value: JsonValue


def read_message(message: JsonValue) -> Reply | Notice:
    """What one message of a node is.

    Raises:
        AnswerFault: if it is neither an answer to a numbered request nor a notice.
    """
    told = members(message, "the message")
    if told.get("method") == "eth_subscription":
        return _notice(members(told.get("params"), "/params"))
    number = told.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise AnswerFault("/id", "must be the number of the request")
    if told.get("error") is not None:
        return Reply(number, read_refusal(told["error"]))
    if "result" not in told:
        raise AnswerFault("/result", "must be there when there is no error")
    return Reply(number, told["result"])


def read_refusal(error: JsonValue) -> Refused:
    """What the ``error`` of an answer means; whatever it is, it is a refusal."""
    said: JsonObject = error if isinstance(error, dict) else {"message": error}
    code, reason = said.get("code"), words(said.get("message")) or "no reason given"
    number = code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 2**31 else None
    return Refused(_kind(number, reason), reason, number)


def _kind(code: int | None, reason: str) -> RefusalKind:
    if code == _NO_METHOD or _NOT_OFFERED.search(reason):
        return "not_offered"
    if code == _PRUNED or _GONE.search(reason):
        return "pruned"
    if code == _TOO_OFTEN or _LIMITED.search(reason):
        return "limited"
    if code == _NO_RESOURCE or _ABSENT.search(reason):
        return "absent"
    return "failed"


def _notice(params: JsonObject) -> Notice:
    subscription = params.get("subscription")
    if not isinstance(subscription, str):
        raise AnswerFault("/params/subscription", "must be a string")
    if "result" not in params:
        raise AnswerFault("/params/result", "must be there")
    return Notice(subscription, params["result"])
