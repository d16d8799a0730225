"""What is read from the files of our own certificate, and which of them is told to be at fault."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
import trustme

from config import SettingsError, load
from transport.certificates import ends_at
from transport.tls import server_context


@pytest.fixture
def pair(tmp_path):
    """The paths of a certificate and its key, which is good until the end that is said."""

    def issue(until=datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC), name="one"):
        issued = trustme.CA().issue_cert("a.example", not_after=until)
        chain, key = tmp_path / f"{name}.crt", tmp_path / f"{name}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return chain, key

    return issue


@pytest.mark.parametrize("year", [2031, 2049, 2050, 2120])
def test_the_end_of_a_certificate_is_read_however_it_is_written(pair, year):
    until = datetime(year, 2, 3, 4, 5, 6, tzinfo=UTC)
    chain, _ = pair(until)
    assert ends_at(str(chain)) == until.timestamp()


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"])
def test_where_there_is_no_certificate_there_is_no_end(tmp_path, text):
    (tmp_path / "none").write_text(text, encoding="ascii")
    with pytest.raises(ValueError, match=r".+"):
        ends_at(str(tmp_path / "none"))


def test_the_file_at_fault_is_named(pair):
    chain, key = pair()
    other, other_key = pair(name="other")
    garbage = key.parent / "garbage"
    garbage.write_text("nothing", encoding="ascii")
    for files, words in (
        ((garbage, key), f"{garbage}, the certificate, cannot be used"),
        ((key, key), f"{key}, the certificate, cannot be used"),
        ((chain, garbage), f"{garbage}, the key, cannot be used"),
        ((chain, other_key), f"{other_key} is the key of another certificate than {chain}"),
    ):
        with pytest.raises(ssl.SSLError) as fault:
            server_context(str(files[0]), str(files[1]))
        assert words in str(fault.value)
        config = key.parent / "andond.toml"
        config.write_text(f'[server]\ncertificate = "{files[0]}"\nkey = "{files[1]}"\n', encoding="utf-8")
        with pytest.raises(SettingsError) as told:
            load(config, {}, {})
        assert [words in fault.expected for fault in told.value.faults] == [True]
    assert server_context(str(other), str(other_key))
