"""What is asked of a node, as values: who sends them needs to know nothing of chains.

Rules of this file: a ``Call`` is JSON-RPC, posted to the node's RPC address; a ``Fetch`` is a GET at its REST address.
Whatever a node may answer to a call comes through ``answer_to``, which tells a result from a refusal.

Source: CometBFT ``rpc/openapi/openapi.yaml``; Cosmos SDK ``proto/cosmos/*/v1beta1/query.proto`` (the HTTP paths).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from domain.chain.cosmos.fault import CosmosFault, NodeRefused, excerpt
from domain.chain.cosmos.member import as_object, words
from domain.json import JsonObject, JsonValue

SET_PAGE_SIZE = 100
"""Most rows that CometBFT puts on a page."""
REST_PAGE_SIZE = 200
HEADERS_LIMIT = 20
"""Most headers that CometBFT puts into one answer to ``blockchain``."""
POOL_SIZE = 100
"""Most transactions that CometBFT puts into one answer to ``unconfirmed_txs``."""

HEIGHT_HEADER = "grpc-metadata-x-cosmos-block-height"
"""The header of a REST answer that names the height of what it says."""

STAKING = "/cosmos/staking/v1beta1/validators"
SIGNING_INFOS = "/cosmos/slashing/v1beta1/signing_infos"
SLASHING_PARAMS = "/cosmos/slashing/v1beta1/params"


class Call(msgspec.Struct, frozen=True):
    """A JSON-RPC call of ``method``."""

    method: str
    params: Mapping[str, JsonValue] = msgspec.field(default_factory=dict)

    def body(self, number: int) -> JsonObject:
        """What is posted; ``number`` is the id that the answer must carry."""
        return {"jsonrpc": "2.0", "id": number, "method": self.method, "params": dict(self.params)}


class Fetch(msgspec.Struct, frozen=True):
    """A GET of ``path`` with ``params`` in its query string, not yet encoded."""

    path: str
    params: Mapping[str, str] = msgspec.field(default_factory=dict)


Request = Call | Fetch

STATUS = Call("status")
HEALTH = Call("health")
NET_INFO = Call("net_info")
CONSENSUS_STATE = Call("consensus_state")
UNCONFIRMED = Call("unconfirmed_txs", {"limit": str(POOL_SIZE)})
SLASHING_RULES = Fetch(SLASHING_PARAMS)


def block(height: int | None = None) -> Call:
    """The block at ``height``, the newest by default."""
    return Call("block", _at(height))


def block_results(height: int | None = None) -> Call:
    """What the block at ``height`` did, the newest by default."""
    return Call("block_results", _at(height))


def blockchain(first: int, last: int) -> Call:
    """The headers from ``first`` to ``last``; the node answers with the ``HEADERS_LIMIT`` highest of them."""
    return Call("blockchain", {"minHeight": str(first), "maxHeight": str(last)})


def active_set(page: int = 1, height: int | None = None) -> Call:
    """The set that validates the block at ``height``, the next one by default."""
    return Call("validators", {**_at(height), "page": str(page), "per_page": str(SET_PAGE_SIZE)})


def staking(key: str | None = None) -> Fetch:
    """All validators that the staking module knows, bonded or not, from the ``key`` of a page on."""
    return Fetch(STAKING, _from(key))


def signing_infos(key: str | None = None) -> Fetch:
    """What the slashing module keeps of each validator, from the ``key`` of a page on."""
    return Fetch(SIGNING_INFOS, _from(key))


def answer_to(number: int, value: JsonValue) -> JsonValue:
    """The result in the answer to call ``number``.

    Raises:
        NodeRefused: if the node answers with an error; the text is the node's own.
        CosmosFault: if it is no JSON-RPC answer, or that to another call.
    """
    answer = as_object(value, "an answer")
    refused = refusal(answer)
    if refused is not None:
        raise refused
    if not is_number(answer.get("id"), number):
        raise CosmosFault(f"the answer to call {excerpt(answer.get('id'))}, not to {number}")
    if "result" not in answer:
        raise CosmosFault("an answer with neither result nor error")
    return answer["result"]


def refusal(answer: JsonObject) -> NodeRefused | None:
    """The error that ``answer`` carries, in the node's words; None if it carries none."""
    error = answer.get("error")
    # Old nodes say "" where there is none.
    if error is None or error == "":
        return None
    # An error is one, whatever shape it has.
    if not isinstance(error, Mapping):
        return NodeRefused(excerpt(error))
    said = [part for part in (words(error, "message"), words(error, "data")) if part]
    code = error.get("code")
    return NodeRefused(": ".join(said) or "no reason given", code if isinstance(code, int) else None)


def is_number(found: JsonValue, number: int) -> bool:
    """Whether ``found`` is the id ``number``; true is no number."""
    return isinstance(found, int) and not isinstance(found, bool) and found == number


def _at(height: int | None) -> dict[str, JsonValue]:
    return {} if height is None else {"height": str(height)}


def _from(key: str | None) -> dict[str, str]:
    size = {"pagination.limit": str(REST_PAGE_SIZE)}
    return size if key is None else {**size, "pagination.key": key}
