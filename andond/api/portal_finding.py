"""Which validator is meant by a name that people have for it.

Rules of this file: a validator chooses what it is called, so its name comes last, and only if nobody else has it. An
address in Bech32 is that of the consensus under any prefix (``cosmosvalcons1...``), or the operator's as it is written.
"""

from __future__ import annotations

from domain.chain import Entry, Validators

_ALIASES = ("operator", "publicKey", "name")


def found(validators: Validators, name: str) -> Entry | None:
    """The one of ``validators`` whose address, operator, index, public key or name is ``name``; None if none is."""
    entry = validators.get(name) or validators.get(_address(name))
    if entry is not None:
        return entry
    for alias in _ALIASES:
        wanted = name if alias == "publicKey" else name.lower()
        same = [each for each in validators if _told(each, alias) == wanted]
        if same:
            return same[0] if len(same) == 1 else None
    return None


def _told(entry: Entry, alias: str) -> str:
    told = str(entry.members.get(alias, ""))
    # In base64 capital and small letters differ.
    return told if alias == "publicKey" else told.lower()


def _address(name: str) -> str:
    # Here, because who reads no such chain pays for none.
    from domain.chain.cosmos import CosmosFault, address_of  # noqa: PLC0415

    try:
        return address_of(name)
    except CosmosFault:
        return name.lower()
