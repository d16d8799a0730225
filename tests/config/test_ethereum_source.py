"""The settings of a source of kind ethereum: what is right, and what is said of what is not."""

from __future__ import annotations

import pytest

from config import EthereumNode, EthereumSource, SettingsError, load

KEY = "0x" + 96 * "A"
WHOLE = f"""
[sources.mainnet]
kind = "ethereum"
chain = "1"
watched = [123, "456", "{KEY}"]
nodes = [
  {{ execution = "ws://10.0.0.5:8546", beacon = "http://10.0.0.5:5052" }},
  {{ execution = "https://10.0.0.6/rpc", name = "second" }},
]
"""


def read(tmp_path, text: str):
    path = tmp_path / "andond.toml"
    path.write_text(text)
    return load(path, {}, {}).settings.sources["mainnet"]


def test_a_table_says_all(tmp_path):
    source = read(tmp_path, WHOLE)
    assert isinstance(source, EthereumSource)
    assert source.watched == (123, "456", KEY)
    first, second = source.nodes
    assert (first.execution_called, first.beacon_called) == ("10.0.0.5:8546", "10.0.0.5:5052")
    assert (second.execution_called, second.beacon) == ("second", "")
    assert source.transactions


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('chain = "mainnet"', "number of the chain"),
        ('chain = "0"', "number of the chain"),
        ("watched = [-1]", "validators"),
        ('watched = ["0xabc"]', "validators"),
        ("nodes = []", "1 to 16 nodes"),
        ('nodes = [{ name = "a" }]', "execution, beacon or both"),
        ('nodes = [{ execution = "tcp://a:1" }]', "address"),
        ('nodes = [{ beacon = "ws://a:1" }]', "address"),
        ('nodes = [{ execution = "ws://me:secret@a:1" }]', "without a name and a password"),
        ('nodes = [{ beacon = "http://a:1" }, { beacon = "http://a:1/x" }]', "different names"),
        (
            'nodes = [{ name = "a", execution = "ws://a:1" }, { name = "b", execution = "http://a:1" }]',
            "one node cannot confirm itself",
        ),
        ('watched = [1, "1"]', "1 is there more than once"),
        ("gap_limit = 0", "1 to 10000"),
        ("requests = 0", "1 to 64"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, line, expected):
    right = {"chain": 'chain = "1"', "nodes": 'nodes = [{ execution = "ws://a:1" }]'}
    lines = [text for name, text in right.items() if not line.startswith(name)]
    text = "\n".join(["[sources.mainnet]", 'kind = "ethereum"', *lines, line])
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert [fault for fault in caught.value.faults if expected in fault.expected], caught.value.faults


def test_a_layer_without_an_address_goes_by_the_name_alone():
    assert EthereumNode(beacon="http://a:1", name="x").beacon_called == "x"
