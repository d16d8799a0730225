"""What the settings of TLS towards others owe each other.

Rules of this file: as in ``relations``.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from config.certificate_files import file_at_fault
from config.chain_sources import CosmosSource, EthereumSource
from config.outgoing import OutgoingTlsSettings
from config.relation import Broken
from config.settings import Settings


def certificates_fit(settings: Settings) -> Iterator[Broken]:
    """A certificate that we show has its key, and what is trusted is certificates."""
    told = settings.notifications
    tables = {f"notifications.{name}": getattr(told, name) for name in ("mail", "webhook", "mqtt")}
    tables |= {f"sources.{name}": source for name, source in settings.sources.items()}
    for name, table in tables.items():
        if isinstance(table, OutgoingTlsSettings):
            yield from _faults(f"{name}.", table)
        nodes = table.nodes if isinstance(table, CosmosSource | EthereumSource) else ()
        for number, node in enumerate(nodes, 1):
            for broken in _faults("", node):
                yield Broken((f"{name}.nodes",), f"of node {number}, {broken.keys[0]}: {broken.expected}")


def _faults(prefix: str, table: OutgoingTlsSettings) -> Iterator[Broken]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificate, key = f"{prefix}certificate", f"{prefix}key"
    if bool(table.certificate) != bool(table.key):
        missing, given = (key, certificate) if table.certificate else (certificate, key)
        yield Broken((missing, given), f"the file that belongs to {given}")
    elif table.certificate:
        try:
            # Without a password OpenSSL would ask the terminal, where nobody sits.
            context.load_cert_chain(table.certificate, table.key, "")
        except (OSError, ValueError) as error:
            why = file_at_fault(table.certificate, table.key, error)
            yield Broken((certificate, key), f"a certificate chain and the private key that fits it ({why})")
    if table.authority:
        try:
            context.load_verify_locations(table.authority)
        except (OSError, ValueError) as error:
            yield Broken((f"{prefix}authority",), f"certificates, PEM ({_why(error)})")


def _why(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)
