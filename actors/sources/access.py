"""What lets a source in at a node: the headers of each request, and which certificates are trusted.

Rules of this file: the headers may be secret; nothing here is ever shown. A file of certificates that cannot be read
any more trusts nobody: then the node is refused, which is said, and the others are read.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from config import CosmosNode, EthereumNode, headers_of


@dataclass(frozen=True, slots=True)
class Access:
    """``context`` None trusts what the system trusts."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    context: ssl.SSLContext | None = None

    @classmethod
    def of(cls, node: CosmosNode | EthereumNode) -> Access:
        """What the settings of ``node`` say."""
        return cls(headers_of(node.headers), None if node.authority is None else _trusting(node.authority))


def _trusting(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
