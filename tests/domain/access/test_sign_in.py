"""Signing in with a provider: what goes along, and what may be brought back."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.access import (
    Attempt,
    Client,
    Provider,
    SignInFault,
    SignInRefused,
    SignIns,
    asking,
    code_in,
    exchanging,
    is_secret,
    leaving,
    renewing_form,
)
from domain.access.sign_in import LIFE, USED_LIMIT

AT = 1_800_000_000.0
BROWSER, OTHER = "b" * 43, "c" * 43
CHANCE = bytes(16)
CLIENT = Client("andond", "https://andond.example/auth/callback", ("profile",))
PROVIDER = Provider(
    "https://id.example", "https://id.example/jwks", "https://id.example/auth?kind=1", "https://id.example/token",
    "https://id.example/end", frozenset({"S256"}), names_itself=True,
)  # fmt: skip


@pytest.fixture
def sign_ins() -> SignIns:
    return SignIns(bytes(32))


def fault_of(sign_ins: SignIns, state: str, browser: str = BROWSER, at: float = AT) -> SignInFault | None:
    try:
        sign_ins.resume(state, browser, at)
    except SignInRefused as refused:
        return refused.fault
    return None


def test_what_a_browser_began_it_can_finish_and_only_once(sign_ins):
    begun = sign_ins.begin("id", BROWSER, CHANCE, AT)
    assert sign_ins.resume(begun.state, BROWSER, AT + LIFE - 1) == begun
    sign_ins.finish(begun, AT)
    assert fault_of(sign_ins, begun.state) is SignInFault.REPEATED


@pytest.mark.parametrize(
    ("browser", "at", "fault"),
    [
        (OTHER, AT, SignInFault.UNASKED),
        ("", AT, SignInFault.UNASKED),
        ("short", AT, SignInFault.UNASKED),
        (BROWSER, AT + LIFE, SignInFault.LATE),
    ],
)
def test_no_other_browser_and_nobody_late_can(sign_ins, browser, at, fault):
    assert fault_of(sign_ins, sign_ins.begin("id", BROWSER, CHANCE, AT).state, browser, at) is fault


def test_another_run_of_the_gateway_knows_nothing_of_it(sign_ins):
    assert fault_of(SignIns(b"\1" * 32), sign_ins.begin("id", BROWSER, CHANCE, AT).state) is SignInFault.UNASKED


@given(st.text())
def test_no_text_is_a_state_that_was_not_given_out(text):
    assert fault_of(SignIns(bytes(32)), text) is SignInFault.UNASKED


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_state_that_was_changed_anywhere_is_none(place, letter):
    sign_ins = SignIns(bytes(32))
    state = sign_ins.begin("id", BROWSER, CHANCE, AT).state
    place %= len(state)
    changed = state[:place] + letter + state[place + 1 :]
    assert changed == state or fault_of(sign_ins, changed) is SignInFault.UNASKED


def test_a_name_of_a_provider_may_have_any_letters(sign_ins):
    begun = sign_ins.begin("Wörk\nID.1", BROWSER, CHANCE, AT)
    assert sign_ins.resume(begun.state, BROWSER, AT).issuer == "Wörk\nID.1"


def test_two_sign_ins_have_nothing_in_common_and_secrets_are_in_no_repr(sign_ins):
    one, other = (sign_ins.begin("id", BROWSER, bytes([number] * 16), AT) for number in (1, 2))
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}
    assert is_secret(one.verifier)
    assert one.verifier not in repr(one)
    assert one.nonce not in repr(one)


def test_what_was_finished_is_forgotten_when_it_is_late_anyway(sign_ins):
    for number in range(USED_LIMIT + 5):
        sign_ins.finish(Attempt("id", f"a.{number}", "", ""), AT)
    begun = sign_ins.begin("id", BROWSER, CHANCE, AT)
    sign_ins.finish(begun, AT + LIFE + 1)
    assert fault_of(sign_ins, begun.state) is SignInFault.REPEATED


def test_the_browser_is_sent_with_a_challenge_that_the_verifier_answers(sign_ins):
    begun = sign_ins.begin("id", BROWSER, CHANCE, AT)
    there = asking(PROVIDER, CLIENT, begun)
    query = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    assert there.startswith("https://id.example/auth?kind=1&")
    expected = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
    assert query == {
        "kind": "1",
        "response_type": "code",
        "client_id": "andond",
        "redirect_uri": CLIENT.redirect,
        "scope": "openid profile",
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": expected,
        "code_challenge_method": "S256",
    }
    assert begun.verifier not in there
    assert exchanging("c", CLIENT, begun)["code_verifier"] == begun.verifier
    assert renewing_form("r", CLIENT) == {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "andond"}


@pytest.mark.parametrize("lacking", [{"authorization": ""}, {"token": ""}, {"challenges": frozenset({"plain"})}])
def test_nobody_is_sent_to_a_provider_where_nobody_can_sign_in_safely(sign_ins, lacking):
    with pytest.raises(SignInRefused) as refused:
        asking(replace(PROVIDER, **lacking), CLIENT, sign_ins.begin("id", BROWSER, CHANCE, AT))
    assert refused.value.fault is SignInFault.AWAY


HERE = {"code": ["c1"], "iss": [PROVIDER.issuer], "state": ["s"]}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        (HERE, None),
        ({**HERE, "iss": ["https://evil.example"]}, SignInFault.MIXED_UP),
        ({"code": ["c1"]}, SignInFault.MIXED_UP),
        ({**HERE, "iss": [PROVIDER.issuer] * 2}, SignInFault.MALFORMED),
        ({**HERE, "code": ["c1", "c2"]}, SignInFault.MALFORMED),
        ({**HERE, "code": [""]}, SignInFault.MALFORMED),
        ({**HERE, "code": ["c\u00e9"]}, SignInFault.MALFORMED),
        ({**HERE, "code": ["c" * 5000]}, SignInFault.MALFORMED),
        ({"iss": [PROVIDER.issuer]}, SignInFault.MALFORMED),
        ({**HERE, "error": ["access_denied"]}, SignInFault.DENIED),
        ({"error": ["access_denied"], "iss": ["https://evil.example"]}, SignInFault.MIXED_UP),
    ],
)
def test_what_is_brought_back_is_the_answer_of_the_provider_that_was_asked(query, fault):
    if fault is None:
        assert code_in(query, PROVIDER) == "c1"
        return
    with pytest.raises(SignInRefused) as refused:
        code_in(query, PROVIDER)
    assert refused.value.fault is fault


def test_a_provider_that_does_not_name_itself_need_not_and_may_not_name_another():
    older = replace(PROVIDER, names_itself=False)
    assert code_in({"code": ["c1"]}, older) == "c1"
    with pytest.raises(SignInRefused):
        code_in({"code": ["c1"], "iss": ["https://evil.example"]}, older)


def test_of_what_a_provider_says_only_a_word_is_shown():
    for said, shown in (("access_denied", True), ("<b>no</b>", False), ("x" * 65, False)):
        with pytest.raises(SignInRefused) as refused:
            code_in({**HERE, "error": [said]}, PROVIDER)
        assert (said in refused.value.message) is shown


def test_no_token_is_in_the_address_of_the_way_out():
    assert leaving(replace(PROVIDER, end_session=""), CLIENT, "https://andond.example/") == ""
    query = parse_qs(urlsplit(leaving(PROVIDER, CLIENT, "https://andond.example/")).query)
    assert query == {"client_id": ["andond"], "post_logout_redirect_uri": ["https://andond.example/"]}
