from __future__ import annotations

import shutil
import ssl

import pytest
import trio
import trustme

from config import ServerSettings
from telemetry import counters, events
from transport.certificates import fingerprint
from transport.renewal import INTERVAL
from transport.tls import server_context, subject_of

GET = b"GET /items/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def files(authority, tmp_path):
    """Writes a certificate of this name, and its key, to the same two files."""

    class Files:
        chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"

        def write(self, name, *, key=True):
            issued = authority.issue_cert("127.0.0.1", common_name=name)
            self.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
            if key:
                self.key.write_bytes(issued.private_key_pem.bytes())

    made = Files()
    made.write("first")
    return made


async def connect(house, context):
    plain = await house.connect()
    stream = trio.SSLStream(plain, context, server_hostname="127.0.0.1")
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError:
        await plain.aclose()
        raise
    return stream


async def name_shown(house, context):
    stream = await connect(house, context)
    subject = dict(each for names in stream.getpeercert()["subject"] for each in names)
    await stream.transport_stream.aclose()
    return subject["commonName"]


@pytest.fixture
def said(monkeypatch):
    """The words on certificates, as they are written to the log."""
    found = []
    for name in ("certificate_taken", "certificate_refused"):
        written = getattr(events, name)

        def note(*, _name=name, _written=written, **fields):
            found.append((_name, fields))
            _written(**fields)

        monkeypatch.setattr(events, name, note)
    return found


async def test_a_renewed_certificate_is_taken_without_a_word_and_connections_go_on(
    serve, files, client_context, wire, patient_clock, said
):
    house = await serve(certificate=str(files.chain), key=str(files.key), ping_interval=500.0, dead_after=1000.0)
    before = await connect(house, client_context)
    await before.send_all(wire.upgrade_head())
    assert (await before.receive_some(1000)).startswith(b"HTTP/1.1 101")
    files.write("second")
    await trio.sleep(3 * INTERVAL)
    assert await name_shown(house, client_context) == "second"
    assert said == [("certificate_taken", {"path": str(files.chain), "fingerprint": fingerprint(str(files.chain))})]
    await before.send_all(wire.frame(0x81, b"still here"))
    while (frame := await wire.read_frame(before))[0] == 0x89:
        pass
    assert frame == (0x81, b"still here")
    await before.transport_stream.aclose()


async def test_files_that_do_not_fit_each_other_are_refused_once_and_the_old_ones_stay(
    serve, files, client_context, patient_clock, said
):
    house = await serve(certificate=str(files.chain), key=str(files.key))
    refused = counters.certificates_refused
    files.write("second", key=False)
    await trio.sleep(10 * INTERVAL)
    assert await name_shown(house, client_context) == "first"
    assert [name for name, _ in said] == ["certificate_refused"]
    assert said[0][1]["reason"] == f"{files.key} is the key of another certificate than {files.chain}"
    assert counters.certificates_refused == refused + 1
    files.write("third")
    await trio.sleep(3 * INTERVAL)
    assert await name_shown(house, client_context) == "third"


async def test_a_certificate_that_is_away_for_a_moment_is_waited_for(
    serve, files, client_context, patient_clock, said, tmp_path
):
    house = await serve(certificate=str(files.chain), key=str(files.key))
    shutil.move(files.chain, tmp_path / "aside")
    await trio.sleep(3 * INTERVAL)
    assert await name_shown(house, client_context) == "first"
    files.write("second")
    await trio.sleep(3 * INTERVAL)
    assert await name_shown(house, client_context) == "second"
    assert [name for name, _ in said] == ["certificate_refused", "certificate_taken"]


async def test_files_that_are_being_written_are_not_taken_half(serve, files, client_context, patient_clock, said):
    house = await serve(certificate=str(files.chain), key=str(files.key))
    for number in range(5):
        files.write(f"try {number}", key=number == 4)
        await trio.sleep(INTERVAL * 0.9)
    await trio.sleep(2 * INTERVAL)
    assert await name_shown(house, client_context) == "try 4"
    assert [name for name, _ in said] == ["certificate_taken"]


async def test_a_server_that_gets_tls_by_a_reload_watches_its_files_from_then_on(
    serve, files, client_context, patient_clock, said
):
    house = await serve()
    await trio.sleep(100)
    house.server.apply(ServerSettings(certificate=str(files.chain), key=str(files.key)))
    assert await name_shown(house, client_context) == "first"
    files.write("second")
    await trio.sleep(3 * INTERVAL)
    assert await name_shown(house, client_context) == "second"


# -- certificates of clients ------------------------------------------------------------------------------------------


@pytest.fixture
def clients(tmp_path):
    """The authority of the clients' certificates, and the file that names it."""
    authority = trustme.CA()
    path = tmp_path / "clients.pem"
    authority.cert_pem.write_to_path(path)
    return authority, str(path)


@pytest.fixture
def gated(serve, certificate, clients):
    async def start(asked):
        chain, key = certificate
        return await serve(certificate=chain, key=key, client_ca=clients[1], client_certificates=asked)

    return start


def holder(context, authority, name="press3", company="Acme, Inc."):
    issued = authority.issue_cert("press3@example.test", common_name=name, organization_name=company)
    issued.configure_cert(context)
    return context


async def ask(house, context):
    stream = await connect(house, context)
    try:
        await stream.send_all(GET)
        return await stream.receive_some(65536)
    finally:
        await stream.transport_stream.aclose()


@pytest.mark.parametrize("asked", ["optional", "required"])
async def test_who_shows_a_certificate_of_the_clients_authority_is_known_by_its_subject(
    gated, client_context, clients, asked, wire
):
    house = await gated(asked)
    holder(client_context, clients[0])
    assert (await ask(house, client_context)).startswith(b"HTTP/1.1 200")
    assert house.seen[-1].certificate.startswith("CN=press3,")
    assert "O=Acme\\, Inc." in house.seen[-1].certificate
    stream = await connect(house, client_context)
    await stream.send_all(wire.upgrade_head())
    assert (await stream.receive_some(1000)).startswith(b"HTTP/1.1 101")
    assert house.gate.requests[-1].certificate == house.seen[-1].certificate
    await stream.transport_stream.aclose()


async def test_where_it_is_optional_who_shows_none_is_nobody(gated, client_context):
    house = await gated("optional")
    assert (await ask(house, client_context)).startswith(b"HTTP/1.1 200")
    assert house.seen[-1].certificate == ""


async def test_where_it_is_required_who_shows_none_is_not_let_in(gated, client_context):
    house = await gated("required")
    failed = counters.handshakes_failed["tls"]
    with pytest.raises(trio.BrokenResourceError):
        await ask(house, client_context)
    await house.is_empty()
    assert house.seen == []
    assert counters.handshakes_failed["tls"] == failed + 1


@pytest.mark.parametrize("asked", ["optional", "required"])
async def test_a_certificate_of_somebody_elses_authority_is_refused(gated, client_context, asked):
    house = await gated(asked)
    holder(client_context, trustme.CA())
    with pytest.raises(trio.BrokenResourceError):
        await ask(house, client_context)
    assert house.seen == []


async def test_where_none_is_asked_for_none_is_looked_at(gated, client_context, clients):
    house = await gated("none")
    holder(client_context, clients[0])
    assert (await ask(house, client_context)).startswith(b"HTTP/1.1 200")
    assert house.seen[-1].certificate == ""


def test_a_subject_is_written_as_the_rfc_says():
    class Shown(ssl.SSLSocket):
        def __del__(self):
            pass

        def getpeercert(self, **_options):
            return self.subject and {"subject": self.subject}

    subject = ((("countryName", "DE"),), (("organizationName", '#A+"b"'),), (("commonName", " x "), ("userId", "1")))
    made = Shown.__new__(Shown)
    made.subject = subject
    assert subject_of(made) == 'CN=\\ x\\ +UID=1,O=\\#A\\+\\"b\\",C=DE'
    made.subject = None
    assert subject_of(made) == ""


# -- ciphers ----------------------------------------------------------------------------------------------------------


def test_every_cipher_is_forward_secret_and_authenticates_what_it_encrypts(certificate):
    ciphers = server_context(*certificate).get_ciphers()
    assert ciphers
    for cipher in ciphers:
        assert cipher["aead"], cipher["name"]
        assert cipher["protocol"] == "TLSv1.3" or cipher["name"].startswith("ECDHE"), cipher["name"]


@pytest.mark.parametrize(
    "cipher", ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"]
)
async def test_a_client_that_knows_only_weak_ciphers_is_not_served(serve, certificate, client_context, cipher):
    house = await serve(certificate=certificate[0], key=certificate[1])
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2
    client_context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with pytest.raises(trio.BrokenResourceError):
        await ask(house, client_context)


async def test_over_tls_a_browser_is_told_to_come_no_other_way(serve, certificate, client_context):
    house = await serve(certificate=certificate[0], key=certificate[1])
    assert b"strict-transport-security: max-age=" in await ask(house, client_context)
    plain = await serve()
    assert "strict-transport-security" not in (await plain.get("/up")).headers
