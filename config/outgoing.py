"""The settings of TLS towards others: whom we trust, and the certificate that we show.

Rules of this file: it is a table that others have in them. An empty one trusts whom the system trusts and shows none.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.meta import means
from config.rules import readable_file


def maybe_file(value: object) -> str | None:
    """Expect a file that this process may read, or nothing."""
    return readable_file(str(value) or None)


class OutgoingTlsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whom we trust, and what we show, where we connect to others."""

    authority: Annotated[
        str,
        means("Certificates that are trusted, PEM; empty: the system's", unit="path", reload=True, rule=maybe_file),
    ] = ""
    certificate: Annotated[
        str, means("Certificate chain that we show, PEM; with `key`", unit="path", reload=True, rule=maybe_file)
    ] = ""
    key: Annotated[str, means("Private key of the certificate, PEM", unit="path", reload=True, rule=maybe_file)] = ""
