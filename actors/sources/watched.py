"""Whether the validators that are to be watched can be any: a typing mistake would be watched for ever, and never seen.

Rules of this file: of any prefix, because chains have their own; that a chain has no such validator is told by its
source (``unknownValidators``), because only its nodes know.
"""

from __future__ import annotations

from collections.abc import Iterator

from config import Broken, CosmosSource, Settings

_HEXADECIMAL = 40


def watched_faults(settings: Settings) -> Iterator[Broken]:
    """What is wrong with the addresses in ``watched``: each has a checksum, which finds every mistyped letter."""
    for name, source in settings.sources.items():
        watched = source.watched if isinstance(source, CosmosSource) else ()
        for number, address in enumerate(watched, 1):
            if len(address) != _HEXADECIMAL and not _fits(address):
                expected = f"addresses without a mistake, and the checksum of number {number}, {address}, does not fit"
                yield Broken((f"sources.{name}.watched",), expected)


def _fits(address: str) -> bool:
    # Here, because who reads no such chain pays for none.
    from domain.chain.cosmos import CosmosFault, bech32  # noqa: PLC0415

    try:
        bech32.decode(address)
    except CosmosFault:
        return False
    return True
