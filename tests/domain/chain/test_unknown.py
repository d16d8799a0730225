from __future__ import annotations

from domain.chain.unknown import Unknown, carried, document, milliseconds


def test_what_is_not_known_is_null_with_its_reason() -> None:
    assert document({"tps": 5, "latency": Unknown("nobody told")}) == {
        "tps": 5,
        "latency": None,
        "reasons": {"latency": "nobody told"},
    }


def test_a_document_that_knows_everything_gives_no_reasons() -> None:
    assert document({"tps": 0, "name": ""}) == {"tps": 0, "name": ""}


def test_a_member_that_is_null_or_absent_was_not_carried() -> None:
    assert carried({"a": 0}, "a") == 0
    assert carried({"a": None}, "a") == carried({}, "a") == Unknown("the event carried none")


def test_moments_are_whole_milliseconds() -> None:
    assert milliseconds(1730000000.0004) == 1730000000000
