"""The REST interface of the Cosmos SDK, for a node of ``comet``: staking and slashing, in pages.

Rules of this file: what is answered is the state after the block that the node stands at, or after the one that the
request's header names; the answer's header says which. Unbonded validators and those in jail are listed too.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

from domain import rfc3339
from tests.nodes.comet_chain import FOREVER, NEVER, Chain, Member
from tests.nodes.serving import Answer, Asked

HEIGHT = "x-cosmos-block-height"
STATUS = {True: "BOND_STATUS_BONDED", False: "BOND_STATUS_UNBONDING"}
PAGE_SIZE = 100


def answer_rest(chain: Chain, asked: Asked, head: int, earliest: int) -> Answer:
    """What a node that stands at ``head`` and has kept all from ``earliest`` on answers to ``asked``."""
    height = int(asked.headers.get(HEIGHT, head))
    if height > head:
        return _error(400, 3, f"cannot query with height {height} in the future; please provide a valid height")
    if height < earliest:
        return _error(400, 18, f"height {height} is not available, lowest height is {earliest}")
    members = list(chain.blocks[height].members.values()) if height in chain.blocks else list(chain.genesis.values())
    value = _value(chain, asked, members)
    if value is None:
        return _error(501, 12, "Not Implemented")
    return Answer(value, headers={f"Grpc-Metadata-{HEIGHT}": str(height)})


def _value(chain: Chain, asked: Asked, members: Sequence[Member]) -> object:
    kind, _, name = asked.path.removeprefix("/cosmos/").partition("/v1beta1/")
    if kind == "staking" and name == "validators":
        status = asked.value("status")
        rows = [_staked(member) for member in members if status in {"", STATUS[member.is_bonded]}]
        return _page("validators", rows, asked)
    if kind == "slashing" and name == "signing_infos":
        return _page("info", [_signing(member) for member in members], asked)
    if kind == "slashing" and name == "params":
        return {
            "params": {
                "signed_blocks_window": str(chain.window),
                "min_signed_per_window": f"{chain.least_signed:.18f}",
                "downtime_jail_duration": "600s",
                "slash_fraction_double_sign": "0.050000000000000000",
                "slash_fraction_downtime": "0.010000000000000000",
            }
        }
    return None


def _page(name: str, rows: Sequence[object], asked: Asked) -> object:
    """The rows of one page; its key is where it begins, as nobody but this node needs to know."""
    key = asked.value("pagination.key")
    first = int(b64decode(key)) if key else int(asked.value("pagination.offset", "0"))
    size = int(asked.value("pagination.limit", str(PAGE_SIZE)))
    following = b64encode(str(first + size).encode()).decode() if first + size < len(rows) else None
    total = "0" if key else str(len(rows))
    return {name: list(rows[first : first + size]), "pagination": {"next_key": following, "total": total}}


def _staked(member: Member) -> object:
    tokens = str(max(member.power, 1) * 1_000_000)
    return {
        "operator_address": member.operator,
        "consensus_pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": b64encode(member.key).decode()},
        "jailed": member.is_jailed,
        "status": STATUS[member.is_bonded],
        "tokens": tokens,
        "delegator_shares": f"{tokens}.000000000000000000",
        "description": {"moniker": member.name, "identity": "", "website": "", "security_contact": "", "details": ""},
        "unbonding_height": "0",
        "unbonding_time": NEVER,
        "min_self_delegation": "1",
    }


def _signing(member: Member) -> object:
    until = FOREVER if member.is_tombstoned else NEVER if member.until is None else rfc3339(member.until)
    return {
        "address": member.consensus,
        "start_height": str(member.since),
        "index_offset": "0",
        "jailed_until": until,
        "tombstoned": member.is_tombstoned,
        "missed_blocks_counter": str(member.missed),
    }


def _error(status: int, code: int, message: str) -> Answer:
    return Answer({"code": code, "message": message, "details": []}, status)
