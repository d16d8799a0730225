"""What a provider of OpenID Connect says of itself."""

from __future__ import annotations

import pytest

from domain.access import ProviderFault, provider_of

ISSUER = "https://id.example/realms/acme"
GOOD = {
    "issuer": ISSUER,
    "jwks_uri": f"{ISSUER}/certs",
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "code_challenge_methods_supported": ["plain", "S256", 7],
}


def test_a_document_tells_where_everything_is():
    provider = provider_of(GOOD, ISSUER)
    assert provider.jwks == f"{ISSUER}/certs"
    assert (provider.authorization, provider.token, provider.end_session) == (f"{ISSUER}/auth", f"{ISSUER}/token", "")
    assert provider.challenges == {"plain", "S256"}


BAD = {
    "nothing": None,
    "a list": [GOOD],
    "another issuer": {**GOOD, "issuer": "https://evil.example"},
    "an issuer with a slash more": {**GOOD, "issuer": f"{ISSUER}/"},
    "no keys": {name: value for name, value in GOOD.items() if name != "jwks_uri"},
    "keys without TLS": {**GOOD, "jwks_uri": "http://id.example/certs"},
    "keys in a file": {**GOOD, "jwks_uri": "file:///etc/passwd"},
    "keys at a relative address": {**GOOD, "jwks_uri": "/certs"},
    "keys that are a number": {**GOOD, "jwks_uri": 7},
    "keys with a password": {**GOOD, "jwks_uri": "https://a:b@id.example/certs"},
    "keys at half an address": {**GOOD, "jwks_uri": "https://[::1"},
    "keys behind a line's end": {**GOOD, "jwks_uri": "https://id.example/\r\ncerts"},
    "keys very far away": {**GOOD, "jwks_uri": f"https://id.example/{'x' * 3000}"},
    "a sign-in without TLS": {**GOOD, "authorization_endpoint": "http://id.example/auth"},
    "a sign-in that is a script": {**GOOD, "authorization_endpoint": "javascript:alert(1)"},
}


@pytest.mark.parametrize("why", BAD)
def test_a_document_that_cannot_be_used_is_refused(why):
    with pytest.raises(ProviderFault):
        provider_of(BAD[why], ISSUER)


def test_a_provider_without_tls_may_have_its_keys_without_it():
    document = {"issuer": "http://127.0.0.1:8080", "jwks_uri": "http://127.0.0.1:8080/jwks"}
    assert provider_of(document, "http://127.0.0.1:8080").jwks == "http://127.0.0.1:8080/jwks"


@pytest.mark.parametrize(("said", "names_itself"), [(True, True), (False, False), ("true", False), (None, False)])
def test_a_provider_that_names_itself_in_each_answer_says_so(said, names_itself):
    document = {
        "issuer": "https://id.example",
        "jwks_uri": "https://id.example/jwks",
        "authorization_response_iss_parameter_supported": said,
    }
    assert provider_of(document, "https://id.example").names_itself is names_itself
