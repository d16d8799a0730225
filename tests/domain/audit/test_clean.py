"""What may stand in the audit: no secret, nothing endless."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import HIDDEN, clean, clean_text
from domain.audit.clean import DEPTH, DOCUMENT, LONG_TEXT, TEXT

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"  # noqa: S105 - it signs nothing


@pytest.mark.parametrize("around", ["{}", "see {} please", "Bearer {}", "bearer  {}", "x={}&y=1", "{}." + "a" * 300])
def test_what_looks_like_a_token_is_hidden_wherever_it_stands(around):
    assert TOKEN not in clean_text(around.format(TOKEN), 10_000)
    assert HIDDEN in clean_text(around.format(TOKEN), 10_000)
    assert "signature" not in str(clean({"comment": around.format(TOKEN)}))
    assert "c2lnbmF0dXJl" not in clean_text(around.format(TOKEN), 10_000)


def test_a_token_over_the_end_is_not_half_shown():
    assert TOKEN[:10] not in clean_text("x" * (TEXT - 10) + TOKEN)


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "Secret", "client_secret", "token", "refresh_token", "Authorization", "api_key"],
)
def test_a_member_that_is_named_as_a_secret_is_hidden(name):
    assert clean({"a": [{name: "swordfish"}]}) == {"a": [{name: HIDDEN}]}
    assert clean({name: {"x": "swordfish"}}) == {name: HIDDEN}


def test_a_limit_under_such_a_name_and_the_moment_of_a_change_are_shown():
    kept = {"token_life": 60, "password": None, "secret": True, "password_changed": "2026-11-21", "token_id": "abc"}
    assert clean(kept) == kept


def test_who_logs_in_at_a_host_is_hidden_in_its_address():
    assert clean_text("amqp://anna:swordfish@host/x") == f"amqp://{HIDDEN}@host/x"
    assert clean_text("http://host/a@b") == "http://host/a@b"


def test_long_texts_are_cut():
    assert len(clean_text("x" * 10_000)) == TEXT
    cut = clean(["x" * 10_000])
    assert isinstance(cut, list)
    assert len(str(cut[0])) == LONG_TEXT


def test_of_a_huge_document_its_size_and_hash_are_kept():
    cleaned = clean([{"n": number, "text": "x" * 100} for number in range(1000)])
    assert isinstance(cleaned, dict)
    assert set(cleaned) == {"omitted", "size", "sha256"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_it_is_can_be_written_and_is_not_large(value):
    assert len(json.dumps(clean(value), allow_nan=False, separators=(",", ":"))) <= DOCUMENT


def test_what_is_nested_too_deep_ends():
    value: object = "end"
    for _ in range(DEPTH + 500):
        value = [value]
    assert "too deep" in json.dumps(clean(value))
