"""The settings of clients that prove who they are with a certificate, ``[access.certificates.NAME]``.

Rules of this file: it is a table. Who signs such certificates, and whether they are asked for, is said by
``server.client_ca`` and ``server.client_certificates``: a certificate that is not listed here proves nothing.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from config.meta import means
from config.rules import named_equipment

_SUBJECT = re.compile(r"[A-Za-z0-9.]+=.+")


def subject(value: object) -> str | None:
    """Expect the subject of a certificate."""
    if _SUBJECT.fullmatch(str(value)):
        return None
    return "a subject such as CN=press3,O=Acme: openssl x509 -noout -subject -nameopt RFC2253 -in FILE tells it"


def places(value: object) -> str | None:
    """Expect ISA-95 paths."""
    expected = (named_equipment(text) for text in value) if isinstance(value, tuple | list) else ()
    return next((each for each in expected if each), None)


class CertificateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A client that shows a certificate, by the name that it has in the audit: a publisher as a rule."""

    subject: Annotated[
        str, means("The subject of its certificate, as RFC 4514 writes it", reload=True, unit="text", rule=subject)
    ]
    roles: Annotated[tuple[str, ...], means("What it may", unit="names of roles", reload=True)]
    tenant: Annotated[str, means("The tenant that it belongs to; `*`: all", reload=True)] = ""
    places: Annotated[
        tuple[str, ...], means("The places of its own", unit="ISA-95 paths", reload=True, rule=places)
    ] = ()
