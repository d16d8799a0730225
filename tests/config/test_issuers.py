"""The settings of tokens: what is understood, and what is refused."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from config import HIDDEN, IssuerSettings, OwnTokenSettings, Secret, SettingsError, changed, load
from config import issuer_relations as relations
from config.issuers import HMAC, PUBLIC
from domain.access import ClaimRules
from transport.tokens import ALGORITHMS
from transport.verifier import rules_of

SECRET = "correct-horse-battery-staple-0123456789-and-more-of-it-for-the-longer-ones"  # noqa: S105 - of a test
JWKS = 'jwks = "https://id.example/jwks"'


@pytest.fixture
def given(tmp_path: Path):
    """The access settings that a text makes; ``SECRET`` stands for a file that holds one."""

    def given(text: str, environ: dict[str, str] | None = None):
        secret = tmp_path / "token.secret"
        secret.write_text(SECRET + "\n", encoding="utf-8")
        path = tmp_path / "andond.toml"
        path.write_text(text.replace("SECRET", f'secret_file = "{secret}"'), encoding="utf-8")
        return load(path, environ or {}, {}).settings.access

    return given


@pytest.fixture
def faults(given):
    """What is wrong with one issuer: the keys below its table, and what is expected."""

    def faults(text: str) -> dict[str, str]:
        with pytest.raises(SettingsError) as raised:
            given(f"[access.issuers.id]\n{text}\n")
        return {fault.key.removeprefix("access.issuers.id."): fault.expected for fault in raised.value.faults}

    return faults


def test_without_a_word_nobody_s_tokens_are_taken(given):
    access = given("")
    assert dict(access.issuers) == {}
    assert access.own == OwnTokenSettings()
    assert access.query_tokens is False


def test_an_issuer_is_read_with_all_that_it_says(given):
    access = given(
        "[access]\nquery_tokens = true\n"
        '[access.issuers.keycloak]\nissuer = "https://id.example/realms/acme"\ndiscovery = true\n'
        'algorithms = ["RS256", "PS512"]\nroles = ["groups"]\nrole_map = { "/plant/leads" = "shift_manager" }\n'
        'tenant_claim = "org"\ntenants = ["acme"]\nplaces_claim = "lines"\nleeway = 5\nrequires_type = true\n'
        '[access.issuers.floor]\nSECRET\naudience = []\ntenant = "acme"\n'
    )
    keycloak, floor = access.issuers["keycloak"], access.issuers["floor"]
    assert keycloak.taken == ("RS256", "PS512")
    assert floor.taken == ("HS256",)
    assert floor.secret == Secret(SECRET)
    assert access.query_tokens
    assert rules_of(keycloak) == ClaimRules(
        issuer="https://id.example/realms/acme",
        audience=frozenset({"andond"}),
        leeway=5.0,
        roles=("groups",),
        role_map={"/plant/leads": "shift_manager"},
        tenant_claim="org",
        tenants=frozenset({"acme"}),
        places_claim="lines",
        requires_type=True,
    )


def test_public_keys_are_for_no_algorithm_of_a_secret_unless_somebody_says_so_and_then_it_is_refused(given, faults):
    issuer = given(f"[access.issuers.id]\n{JWKS}\n").issuers["id"]
    assert not set(issuer.taken) & set(HMAC)
    assert set(faults(f'{JWKS}\nalgorithms = ["RS256", "HS256"]')) == {"algorithms"}
    assert set(faults('SECRET\nalgorithms = ["HS256", "RS256"]')) == {"algorithms"}
    assert set(faults('SECRET\nalgorithms = ["EdDSA"]')) == {"algorithms"}


def test_the_algorithms_that_can_be_set_are_those_that_are_known():
    assert set(HMAC) | set(PUBLIC) == ALGORITHMS


WRONG = {
    "no way to check": ('issuer = "x"', {"jwks"}),
    "two ways to check": (f"SECRET\n{JWKS}", {"secret"}),
    "discovery of nobody": ("discovery = true", {"issuer"}),
    "discovery of a word": ('issuer = "andon"\ndiscovery = true', {"issuer"}),
    "the algorithm none": (f'{JWKS}\nalgorithms = ["none"]', {"algorithms"}),
    "no TLS": ('jwks = "http://id.example/jwks"', {"jwks"}),
    "discovery without TLS": ('issuer = "http://id.example"\ndiscovery = true', {"issuer"}),
    "a password in the address": ('jwks = "https://a:b@id.example/jwks"', {"jwks"}),
    "a file that is not there": ('jwks = "/nowhere/keys.json"', {"jwks"}),
    "the gateway's own name": (f'issuer = "andond"\n{JWKS}', {"issuer"}),
    "a short secret": ('secret = "0123456789012345678901234567890"', {"secret"}),
    "a secret of one letter": (f'secret = "{"x" * 64}"', {"secret"}),
    "a secret too short for its algorithm": ('secret = "01234567890123456789012345678901"\nalgorithms = ["HS512"]',
                                             {"secret"}),
    "a public key for a secret": ('secret = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZI"', {"secret"}),
    "a JWK for a secret": ("secret = '{\"kty\": \"oct\", \"k\": \"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQ\"}'", {"secret"}),
    "a claim that is none": (f'{JWKS}\nroles = ["a..b"]', {"roles"}),
    "no claim for roles": (f"{JWKS}\nroles = []", {"roles"}),
    "a role that is none": (f'{JWKS}\nrole_map = {{ "x" = "" }}', {"role_map"}),
    "a certificate that is not there": (f'{JWKS}\nauthority = "/nowhere.pem"', {"authority"}),
    "too much leeway": (f"{JWKS}\nleeway = 301", {"leeway"}),
    "fetching without a pause": (f"{JWKS}\nrefresh = 1", {"refresh"}),
    "a client of keys alone": (f'{JWKS}\nclient = "andond"', {"client", "access.page.address"}),
    "a client that nobody can be sent back to": (
        'issuer = "https://id.example"\ndiscovery = true\nclient = "andond"', {"access.page.address"}),
    "a secret of no client": (f'{JWKS}\nclient_secret = "0123456789"', {"client_secret"}),
    "scopes that are none": (f'{JWKS}\nscopes = ["open id"]', {"scopes"}),
    "a setting that there is not": (f"{JWKS}\nverify = false", {"verify"}),
}  # fmt: skip


@pytest.mark.parametrize("why", WRONG)
def test_what_would_let_somebody_in_is_refused(faults, why):
    text, keys = WRONG[why]
    found = faults(text)
    assert set(found) == keys
    assert "MFkw" not in json.dumps(found)
    assert "0123456789" not in json.dumps(found)


@pytest.mark.parametrize(
    "text",
    [
        'jwks = "http://127.0.0.1:8080/jwks"',
        'jwks = "http://[::1]:8080/jwks"',
        'issuer = "http://localhost:8080"\ndiscovery = true',
        'jwks = "http://id.example/jwks"\nplain_http = true',
    ],
)
def test_keys_come_without_tls_from_this_machine_or_by_a_word_of_the_operators(given, text):
    assert given(f"[access.issuers.id]\n{text}\n").issuers["id"]


@pytest.mark.parametrize("address", ["https://andond.example", "http://192.0.2.7:9003/", "https://a.example/andon"])
def test_people_sign_in_with_a_provider_that_can_send_them_back(given, address):
    access = given(
        f'[access.page]\naddress = "{address}"\n'
        '[access.issuers.id]\nissuer = "https://id.example"\ndiscovery = true\nclient = "andond"\ntitle = "Plant ID"\n'
    )
    assert access.page.address == address
    assert access.issuers["id"].client == "andond"


@pytest.mark.parametrize(
    "address",
    ["andond.example", "ftp://andond.example", "https://", "https://a:b@a.example", "https://a.example/?x", "https://a/#x",
     "https://a.example:0", "https://a.example:x", "https://a.example/ b", "https://[::1"],
)  # fmt: skip
def test_the_page_s_address_is_one_that_a_browser_can_open(given, address):
    with pytest.raises(SettingsError) as raised:
        given(f'[access.page]\naddress = "{address}"\n')
    assert [fault.key for fault in raised.value.faults] == ["access.page.address"]


def test_two_issuers_have_two_names(given):
    with pytest.raises(SettingsError) as raised:
        given(f"[access.issuers.a]\n{JWKS}\n[access.issuers.b]\n{JWKS}\n")
    assert [fault.key for fault in raised.value.faults] == ["access.issuers.b.issuer"]


def test_no_issuer_has_the_name_under_which_the_gateway_s_own_users_are_known(given):
    with pytest.raises(SettingsError) as raised:
        given(f"[access.issuers.andond]\n{JWKS}\n")
    assert [fault.key for fault in raised.value.faults] == ["access.issuers.andond"]


def test_a_secret_of_our_own_is_as_strong_as_one_of_others(given):
    assert given("[access.own]\nSECRET\n").own.secret == Secret(SECRET)
    with pytest.raises(SettingsError) as raised:
        given('[access.own]\nsecret = "too short"\n')
    assert [fault.key for fault in raised.value.faults] == ["access.own.secret"]


def test_a_box_without_the_libraries_is_told_the_command_that_mends_it(faults, given, monkeypatch):
    monkeypatch.setattr(relations, "find_spec", lambda name: None if name == "jwt" else importlib.util.find_spec(name))
    with pytest.raises(SettingsError) as raised:
        given(f"[access.issuers.id]\n{JWKS}\n")
    assert "pip install 'andond[auth]'" in raised.value.faults[0].expected
    assert given("")


def test_a_secret_is_shown_nowhere(given):
    access = given("[access.issuers.floor]\nSECRET\n")
    assert SECRET not in repr(access)
    assert HIDDEN in repr(access)


def test_a_reload_applies_issuers(given):
    from config import Settings  # noqa: PLC0415 - of one test

    before = Settings(access=given(f"[access.issuers.a]\n{JWKS}\n"))
    after = Settings(access=given(f'[access.issuers.a]\n{JWKS}\naudience = ["page"]\n'))
    assert changed(before, after) == (["access.issuers"], [])


def test_an_issuer_by_hand_takes_what_the_table_says():
    assert IssuerSettings(secret=Secret(SECRET)).taken == ("HS256",)
    assert IssuerSettings(jwks="x").taken == ("RS256", "PS256", "ES256", "EdDSA")
