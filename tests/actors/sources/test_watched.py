"""Validators that are to be watched and can be none."""

from __future__ import annotations

from actors.sources import watched_faults
from config import CosmosNode, CosmosSource, Settings

OPERATOR = "cosmosvaloper1clpqr4nrk4khgkxj78fcwwh6dl3uw4epsluffn"


def test_an_address_with_a_mistyped_letter_is_refused_and_named():
    wrong = OPERATOR.replace("clp", "clq")
    nodes = (CosmosNode(rpc="http://a:1"),)
    source = CosmosSource(chain="test-1", nodes=nodes, watched=(OPERATOR, "AB" * 20, wrong))
    (broken,) = watched_faults(Settings(sources={"hub": source}))
    assert broken.keys == ("sources.hub.watched",)
    assert f"number 3, {wrong}" in broken.expected
