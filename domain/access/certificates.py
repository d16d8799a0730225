"""Clients that prove who they are with a certificate: from its subject to an identity.

Rules of this file: a subject is compared letter for letter, as RFC 4514 writes it; whoever handed it in has checked who
signed it and that the client holds its key. A certificate that nobody has listed proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from domain.access.identity import Identity, Proof


class CertificateHolder(msgspec.Struct, frozen=True):
    """Who shows the certificate of ``subject``: the name that people know, the roles, the tenant, the own places.

    The name is that in the settings, which vouch for it.
    """

    subject: str
    name: str
    roles: tuple[str, ...]
    tenant: str = ""
    places: tuple[str, ...] = ()


class Certificates:
    """The certificates that are listed; of two with one subject the first counts."""

    __slots__ = ("_holders",)

    def __init__(self, holders: Iterable[CertificateHolder] = ()) -> None:
        self._holders: dict[str, Identity] = {}
        for each in holders:
            identity = Identity(
                each.subject,
                each.name,
                frozenset(each.roles),
                Proof.CERTIFICATE,
                each.tenant,
                each.places,
                issuer=each.name,
            )
            self._holders.setdefault(each.subject, identity)

    def __len__(self) -> int:
        return len(self._holders)

    def identity(self, subject: str) -> Identity | None:
        """Who holds the certificate of ``subject``; None if it is not listed."""
        return self._holders.get(subject)
