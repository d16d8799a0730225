"""Certificates in the settings: ours, those of clients, and those that we show to others."""

from __future__ import annotations

import pytest
import trustme

from config import SettingsError, load


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    authority, issued = trustme.CA(), trustme.CA().issue_cert("127.0.0.1")
    other = trustme.CA().issue_cert("127.0.0.1")
    made = {name: directory / name for name in ("ca", "certificate", "key", "other", "text")}
    authority.cert_pem.write_to_path(made["ca"])
    issued.cert_chain_pems[0].write_to_path(made["certificate"])
    issued.private_key_pem.write_to_path(made["key"])
    other.private_key_pem.write_to_path(made["other"])
    made["text"].write_text("nothing\n")
    return made


@pytest.fixture
def faults(tmp_path, files):
    """The keys that have a fault, and what was expected; a word in braces is a file."""

    def faults(text):
        path = tmp_path / "andond.toml"
        path.write_text(text.format(**files))
        try:
            load(path, {}, {})
        except SettingsError as error:
            return {fault.key: fault.expected for fault in error.faults}
        return {}

    return faults


TLS = '[server]\ncertificate = "{certificate}"\nkey = "{key}"\n'


def test_certificates_of_clients_need_an_authority_and_tls(faults):
    assert faults(f'{TLS}client_ca = "{{ca}}"\nclient_certificates = "optional"\n') == {}
    assert list(faults(f'{TLS}client_certificates = "required"\n')) == ["server.client_ca"]
    found = faults('[server]\nclient_ca = "{ca}"\nclient_certificates = "required"\n')
    assert list(found) == ["server.client_certificates"]
    assert list(faults(f'{TLS}client_ca = "{{text}}"\nclient_certificates = "optional"\n')) == ["server.client_ca"]


@pytest.mark.parametrize(
    ("origins", "is_right"),
    [
        ('["https://portal.example", "http://10.0.0.9:3000", "http://[::1]:9000"]', True),
        ('["*"]', True),
        ("[]", True),
        ('["*", "https://portal.example"]', False),
        ('["portal.example"]', False),
        ('["https://portal.example/"]', False),
        ('["https://Portal.example"]', False),
        ('["https://*.example"]', False),
        ('["null"]', False),
    ],
)
def test_origins_are_written_as_browsers_write_them(faults, origins, is_right):
    assert list(faults(f"[server]\norigins = {origins}\n")) == ([] if is_right else ["server.origins"])


PRESS = '[sources.press3]\nkind = "mtconnect"\naddress = "127.0.0.1:7878"\nequipment = "acme/press3"\n'


@pytest.mark.parametrize(
    "table", ["notifications.mail", "notifications.webhook", "notifications.mqtt", "sources.press3"]
)
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('certificate = "{certificate}"\nkey = "{key}"\nauthority = "{ca}"\n', None),
        ('certificate = "{certificate}"\n', "key"),
        ('key = "{key}"\n', "certificate"),
        ('certificate = "{certificate}"\nkey = "{other}"\n', "certificate"),
        ('authority = "{text}"\n', "authority"),
        ('authority = "/lost"\n', "authority"),
    ],
)
def test_a_certificate_that_we_show_has_its_key(faults, table, text, key):
    found = faults((PRESS if table.startswith("sources") else f"[{table}]\n") + text)
    assert list(found) == ([] if key is None else [f"{table}.{key}"])


def test_a_client_with_a_certificate_has_a_subject_and_roles(faults):
    good = (
        '[access.certificates.press3]\nsubject = "CN=press3,O=Acme"\nroles = ["operator"]\nplaces = ["acme/press3"]\n'
    )
    assert faults(good) == {}
    assert list(faults('[access.certificates.x]\nsubject = "press3"\nroles = []\n')) == [
        "access.certificates.x.subject"
    ]
    assert list(faults('[access.certificates.x]\nsubject = "CN=x"\n')) == ["access.certificates.x.roles"]


def test_limits_of_one_kind_are_set_and_the_rest_stays(faults):
    assert faults("[server.limits.user]\nconnections = 5\n") == {}
    assert list(faults("[server.limits.user]\nconnections = -1\n")) == ["server.limits.user.connections"]
    assert list(faults("[server.limits.tenants]\n")) == ["server.limits.tenants"]
