"""What lets us in at a node: a file of headers that nothing shows, and a file of certificates."""

from __future__ import annotations

import argparse

import msgspec
import pytest

from andond.checks import show
from andond.doubts import doubts
from config import SettingsError, headers_of, load, nodes_by_chain
from config.secrets import Secret

RPC = "http://127.0.0.1:26657"
KEY = "s3cr3t-of-the-node"


def loaded(tmp_path, node, kind="cosmos", chain="hub-1"):
    file = tmp_path / "andond.toml"
    file.write_text(f'[sources.hub]\nkind = "{kind}"\nchain = "{chain}"\nnodes = [{{ {node} }}]\n')
    return load(file, {}, {}).settings


def faults(tmp_path, node):
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, node)
    return [str(fault) for fault in refused.value.faults]


def written(tmp_path, text):
    file = tmp_path / "headers"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(("kind", "chain", "rpc"), [("cosmos", "hub-1", "rpc"), ("ethereum", "1", "beacon")])
def test_headers_come_from_a_file_and_are_shown_nowhere(tmp_path, capsys, kind, chain, rpc):
    file = written(tmp_path, f"Authorization: Bearer {KEY}\r\n\nx-api-key:  {KEY} two \n")
    settings = loaded(tmp_path, f'{rpc} = "{RPC}", headers_file = "{file}"', kind, chain)
    (node,) = settings.sources["hub"].nodes
    assert headers_of(node.headers) == {"authorization": f"Bearer {KEY}", "x-api-key": f"{KEY} two"}
    assert show(argparse.Namespace(config=str(tmp_path / "andond.toml"))) == 0
    told = capsys.readouterr()
    assert KEY not in told.out + told.err + repr(settings)
    assert "(hidden)" in told.out


def test_headers_that_stand_in_the_settings_are_refused_and_not_repeated(tmp_path):
    (fault,) = faults(tmp_path, f'rpc = "{RPC}", headers = "X: {KEY}"')
    assert "sources.hub.nodes[1].headers" in fault
    assert "headers_file" in fault
    assert KEY not in fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KEY, "line 1 is none"),
        (f"A: b\n{KEY}", "line 2 is none"),
        (f"A: {KEY}\nb c: d", "line 2 is none"),
        (f"A: {KEY}\u00e9", "line 1 is none"),
        (f"A: {KEY}\na: b", "a is there twice"),
        (f"Host: {KEY}", "as host does"),
        (f"Sec-WebSocket-Protocol: {KEY}", "as sec-websocket-protocol does"),
        ("".join(f"a{number}: {KEY}\n" for number in range(33)), "at most 32"),
    ],
)
def test_what_is_no_header_is_a_fault_that_repeats_nothing_of_it(tmp_path, text, expected):
    (fault,) = faults(tmp_path, f'rpc = "{RPC}", headers_file = "{written(tmp_path, text)}"')
    assert fault.startswith("sources.hub.nodes ")
    assert "of node 1, headers_file" in fault
    assert expected in fault
    assert KEY not in fault


def test_a_file_that_is_not_there_or_holds_no_certificate_is_a_fault(tmp_path):
    (fault,) = faults(tmp_path, f'rpc = "{RPC}", headers_file = "{tmp_path}/none"')
    assert "sources.hub.nodes[1].headers_file" in fault
    (fault,) = faults(tmp_path, f'rpc = "{RPC}", authority = "{tmp_path}/none"')
    assert "sources.hub.nodes[1].authority" in fault
    (fault,) = faults(tmp_path, f'rpc = "{RPC}", authority = "{written(tmp_path, "no certificate")}"')
    assert "of node 1, authority: certificates, PEM" in fault


def test_a_file_of_certificates_is_taken(tmp_path, authority):
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    (node,) = loaded(tmp_path, f'rpc = "https://10.0.0.5", authority = "{file}"').sources["hub"].nodes
    assert (node.authority, node.headers) == (str(file), None)


def test_a_certificate_that_a_node_is_shown_has_its_key(tmp_path, authority):
    issued = authority.issue_cert("andond.example")
    files = [str(tmp_path / "own.pem"), str(tmp_path / "own.key")]
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    here = f'rpc = "https://10.0.0.5", certificate = "{files[0]}"'
    (node,) = loaded(tmp_path, f'{here}, key = "{files[1]}"').sources["hub"].nodes
    assert [node.certificate, node.key] == files
    (fault,) = faults(tmp_path, here)
    assert "of node 1, key: the file that belongs to certificate" in fault
    (fault,) = faults(tmp_path, f'{here}, key = "{files[0]}"')
    assert "of node 1, certificate: a certificate chain and the private key that fits it" in fault


def test_no_headers_are_no_headers():
    assert headers_of(None) == {}
    assert headers_of(Secret("\n\n")) == {}


def test_the_nodes_of_each_chain_are_known_by_their_names(tmp_path):
    cosmos = loaded(tmp_path, f'rpc = "{RPC}", name = "one"').sources["hub"]
    both = loaded(tmp_path, f'execution = "ws://a:1", beacon = "{RPC}"', "ethereum", "1").sources["hub"]
    found = nodes_by_chain({"a": cosmos, "b": both})
    assert found == {"hub-1": {"one"}, "1": {"a:1"}, "1/beacon": {"127.0.0.1:26657"}}


# -- what is probably a mistake ---------------------------------------------------------------------------------------


def test_one_node_alone_is_a_doubt_and_two_are_none(tmp_path):
    (doubt,) = doubts(loaded(tmp_path, f'rpc = "{RPC}"'))
    assert doubt.startswith("sources.hub.nodes: ")
    assert "one node" in doubt
    assert not list(doubts(loaded(tmp_path, f'rpc = "{RPC}" }}, {{ rpc = "http://127.0.0.1:1"')))


def test_of_an_ethereum_chain_each_layer_is_looked_at(tmp_path):
    node = 'execution = "ws://a:1", beacon = "http://a:2" }, { execution = "ws://b:1"'
    (doubt,) = doubts(loaded(tmp_path, node, "ethereum", "1"))
    assert "beacon" in doubt


def test_two_sources_of_one_chain_are_a_doubt(tmp_path):
    settings = loaded(tmp_path, f'rpc = "{RPC}" }}, {{ rpc = "http://127.0.0.1:1"')
    hub = settings.sources["hub"]
    (doubt,) = doubts(msgspec.structs.replace(settings, sources={"a": hub, "b": hub}))
    assert "a and b" in doubt


def test_a_secret_that_goes_to_another_machine_in_clear_text_is_a_doubt(tmp_path):
    file = written(tmp_path, f"A: {KEY}")
    for address, count in (("http://10.0.0.5:1", 1), ("https://10.0.0.5:1", 0), ("http://127.0.0.1:2", 0)):
        found = doubts(loaded(tmp_path, f'rpc = "{address}", headers_file = "{file}" }}, {{ rpc = "{RPC}"'))
        assert len([doubt for doubt in found if "clear text" in doubt]) == count
