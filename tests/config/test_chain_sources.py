"""The table of a source of kind cosmos: what is right, and what ``andond check`` says of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import CosmosNode, CosmosSource, SettingsError, load, required_chains, watched_of

OPERATOR = "cosmosvaloper1clpqr4nrk4khgkxj78fcwwh6dl3uw4epsluffn"
WHOLE = f"""
[sources.hub]
kind = "cosmos"
chain = "cosmoshub-4"
nodes = [
  {{ rpc = "http://10.0.0.5:26657", rest = "http://10.0.0.5:1317" }},
  {{ rpc = "https://rpc.example.net/hub", name = "backup" }},
]
watched = ["{OPERATOR}", "{"AB" * 20}"]
required = true
"""


def loaded(tmp_path: Path, text: str) -> CosmosSource:
    file = tmp_path / "andond.toml"
    file.write_text(text)
    source = load(file, {}, {}).settings.sources["hub"]
    assert isinstance(source, CosmosSource)
    return source


def faults(tmp_path: Path, **members: str) -> list[str]:
    """What is wrong with a table that has ``members``, written in TOML, instead of what is right."""
    rows = {"chain": '"cosmoshub-4"', "nodes": '[{ rpc = "http://10.0.0.5:26657" }]', **members}
    lines = ["[sources.hub]", 'kind = "cosmos"', *(f"{name} = {value}" for name, value in rows.items() if value)]
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, "\n".join(lines))
    return [str(fault) for fault in refused.value.faults]


def test_a_whole_table_is_read(tmp_path):
    source = loaded(tmp_path, WHOLE)
    assert [node.called for node in source.nodes] == ["10.0.0.5:26657", "backup"]
    assert [node.rest for node in source.nodes] == ["http://10.0.0.5:1317", ""]
    assert (source.poll, source.gap_limit, source.stale_after, source.cadence) == (10.0, 500, 4.0, 30.0)
    assert required_chains({"hub": source}) == {"hub"}
    assert watched_of({"hub": source}) == {OPERATOR, "ab" * 20}


def test_a_chain_and_a_node_are_needed(tmp_path):
    told = faults(tmp_path, chain="", nodes="")
    assert [fault.partition(" ")[0] for fault in told] == ["sources.hub.chain", "sources.hub.nodes"]
    assert "1 to 16 nodes" in faults(tmp_path, nodes="[]")[0]
    assert "sources.hub.nodes[1].rpc" in faults(tmp_path, nodes='[{ rest = "http://10.0.0.5:1317" }]')[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10.0.0.5:26657",
        "tcp://10.0.0.5:26657",
        "ws://10.0.0.5:26657",
        "http://",
        "http://10.0.0.5:0",
        "http://10.0.0.5:99999",
        "http://kim:secret@10.0.0.5:26657",
        "http://10.0.0.5:26657?key=secret",
        "http://10.0.0.5:26657/#there",
        "http://10.0.0.5:26657/a b",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(tmp_path, address):
    (told,) = faults(tmp_path, nodes=f'[{{ rpc = "{address}" }}]')
    assert told.startswith("sources.hub.nodes[1].rpc")
    assert "such as http://10.0.0.5:26657" in told


def test_every_fault_is_told_at_once(tmp_path):
    told = faults(
        tmp_path,
        chain='"two words"',
        nodes='[{ rpc = "http://a:1" }, { rpc = "nowhere", rest = "ftp://a", name = "two words" }]',
        poll="0.1",
        watched='["cosmosvalcons1clpqr4nrk4khgkxj78fcwwh6dl3uw4epsluffn"]',
        gap="1",
    )
    keys = {fault.partition(" ")[0] for fault in told}
    nodes = {f"sources.hub.nodes[2].{name}" for name in ("rpc", "rest", "name")}
    assert keys == {*nodes, *(f"sources.hub.{name}" for name in ("chain", "poll", "watched", "gap"))}


@pytest.mark.parametrize(
    "nodes",
    [
        '[{ rpc = "http://a:1" }, { rpc = "https://a:1" }]',
        '[{ rpc = "http://a:1", name = "b" }, { rpc = "http://c:1", name = "b" }]',
        '[{ rpc = "http://a:1", name = "b:1" }, { rpc = "http://b:1" }]',
    ],
)
def test_two_nodes_do_not_go_by_one_name(tmp_path, nodes):
    (told,) = faults(tmp_path, nodes=nodes)
    assert "different names" in told


def test_a_node_on_an_address_of_version_six_goes_by_it():
    assert CosmosNode(rpc="http://[::1]:26657").called == "[::1]:26657"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.0.0.5:26657", "with http:// or https:// before it"),
        ("http://kim:secret@10.0.0.5:26657", "name it as headers_file"),
        ("kim:secret@10.0.0.5:26657", "name it as headers_file"),
        ("http://10.0.0.5:26657?key=1", "without a query"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_and_no_password_is_shown(tmp_path, address, words):
    (told,) = faults(tmp_path, nodes=f'[{{ rpc = "http://a:1" }}, {{ rpc = "{address}" }}]')
    assert words in told
    assert "secret" not in told


@pytest.mark.parametrize(
    "nodes",
    [
        '[{ name = "a", rpc = "http://x:1" }, { name = "b", rpc = "http://x:1" }]',
        '[{ name = "a", rpc = "http://x" }, { name = "b", rpc = "http://X:80/" }]',
        '[{ name = "a", rpc = "http://localhost:1" }, { name = "b", rpc = "http://127.0.0.1:1" }]',
        '[{ rpc = "http://x:1", rest = "http://z:1" }, { rpc = "http://y:1", rest = "http://z:1/" }]',
    ],
)
def test_one_node_under_two_names_is_refused_because_it_would_confirm_itself(tmp_path, nodes):
    (told,) = faults(tmp_path, nodes=nodes)
    assert "one node cannot confirm itself" in told


@pytest.mark.parametrize("watched", ['["alice"]', '["AB"]', '["cosmosvaloper1short"]'])
def test_who_is_watched_is_named_by_address(tmp_path, watched):
    (told,) = faults(tmp_path, watched=watched)
    assert "such as cosmosvaloper1..." in told


def test_who_is_watched_and_is_wrong_or_there_twice_is_named(tmp_path):
    right = ", ".join(f'"{number:040x}"' for number in range(20))
    (told,) = faults(tmp_path, watched=f'[{right}, "rubbish"]')
    assert "number 21, 'rubbish', is none" in told
    (told,) = faults(tmp_path, watched=f'["{"AB" * 20}", "{"ab" * 20}"]')
    assert f"{'ab' * 20} is there more than once" in told
