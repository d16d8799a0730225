"""What lets a source in at a node: the headers of each request, whose certificate is trusted and which one is shown.

Rules of this file: the headers may be secret; nothing here is ever shown. A file of certificates that cannot be read
any more trusts nobody: then the node is refused, which is said, and the others are read.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from config import CosmosNode, EthereumNode, headers_of
from transport import outgoing_context


@dataclass(frozen=True, slots=True)
class Access:
    """``context`` None trusts what the system trusts."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    context: ssl.SSLContext | None = None

    @classmethod
    def of(cls, node: CosmosNode | EthereumNode) -> Access:
        """What the settings of ``node`` say."""
        return cls(headers_of(node.headers), _context(node) if node.authority or node.certificate else None)


def _context(node: CosmosNode | EthereumNode) -> ssl.SSLContext:
    try:
        return outgoing_context(node)
    except OSError:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
