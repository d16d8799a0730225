"""What settings owe each other. A single value's rule is in ``rules``.

Rules of this file: a relation looks at valid values only and names every key it looked at; a relation of which one key
is faulty already is not reported. The first key takes the blame.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence

from config.alarm_relations import ALARM_RELATIONS
from config.certificate_files import file_at_fault
from config.issuer_relations import ISSUER_RELATIONS
from config.node_access import access_faults
from config.notification_relations import NOTIFICATION_RELATIONS
from config.outgoing_relations import certificates_fit
from config.product_relations import PRODUCT_RELATIONS
from config.relation import Broken
from config.settings import HostSource, HttpSource, Settings
from config.site_relations import SITE_RELATIONS

Relation = Callable[[Settings], Iterator[Broken]]


def broken(settings: Settings, more: Sequence[Relation] = ()) -> list[Broken]:
    """Return every relation that does not hold; ``more`` are those that rules above this package know."""
    return [fault for relation in (*RELATIONS, *more) for fault in relation(settings)]


def _dead_after_a_ping(settings: Settings) -> Iterator[Broken]:
    server = settings.server
    if server.dead_after <= server.ping_interval:
        expected = f"more than server.ping_interval, which is {server.ping_interval} (seconds)"
        yield Broken(("server.dead_after", "server.ping_interval"), expected)


def _certificate_with_key(settings: Settings) -> Iterator[Broken]:
    server = settings.server
    names = ("server.certificate", "server.key", "server.key_password")
    if server.certificate and not server.key:
        yield Broken((names[1], names[0]), "the private key that belongs to server.certificate")
    elif server.key and not server.certificate:
        yield Broken((names[0], names[1]), "the certificate that belongs to server.key")
    elif server.certificate and server.key:
        password = server.key_password.reveal() if server.key_password else ""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(server.certificate, server.key, password)
        except (OSError, ValueError) as error:
            reason = file_at_fault(server.certificate, server.key, error)
            yield Broken(names, f"a certificate chain and the private key that fits it, both PEM ({reason})")


def _clients_with_authority(settings: Settings) -> Iterator[Broken]:
    server = settings.server
    names = ("server.client_certificates", "server.client_ca", "server.certificate")
    if server.client_certificates == "none":
        return
    if not server.client_ca:
        yield Broken(
            (names[1], names[0]), "who signs the certificates of clients, where server.client_certificates asks"
        )
    elif not server.certificate:
        yield Broken(
            (names[0], names[2]), "none, as long as there is no server.certificate: only TLS shows certificates"
        )
    else:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(server.client_ca)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            yield Broken((names[1],), f"certificates of authorities, PEM ({reason})")


def _address_within_all(settings: Settings) -> Iterator[Broken]:
    server = settings.server
    if server.connections_per_address > server.connections:
        expected = f"at most server.connections, which is {server.connections}"
        yield Broken(("server.connections_per_address", "server.connections"), expected)


def _one_of_a_kind(settings: Settings) -> Iterator[Broken]:
    for kind, word in ((HostSource, "host"), (HttpSource, "http")):
        names = [name for name, source in settings.sources.items() if isinstance(source, kind)]
        for name in names[1:]:
            keys = (f"sources.{name}.kind", f"sources.{names[0]}.kind")
            yield Broken(keys, f"at most one source of kind {word}, and {names[0]} is one")


def _nodes_let_us_in(settings: Settings) -> Iterator[Broken]:
    yield from access_faults(settings.sources)


RELATIONS: tuple[Relation, ...] = (
    _dead_after_a_ping,
    _certificate_with_key,
    _clients_with_authority,
    _address_within_all,
    _one_of_a_kind,
    certificates_fit,
    _nodes_let_us_in,
    *SITE_RELATIONS,
    *PRODUCT_RELATIONS,
    *ALARM_RELATIONS,
    *NOTIFICATION_RELATIONS,
    *ISSUER_RELATIONS,
)
