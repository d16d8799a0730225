"""What others can see of what they should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from andond import exposed
from andond.exposed import IN_CLEAR, comes_in_clear, exposures
from config import AccessSettings, IssuerSettings, OwnTokenSettings, Secret, ServerSettings, Settings, read_secret

ISSUERS = AccessSettings(issuers={"plant": IssuerSettings(issuer="https://id.example", audience="andond")})
LONG = "a secret of at least thirty-two bytes"
FAR = ("10.0.0.7:9003",)


def test_passwords_and_tokens_come_in_clear_where_others_reach_a_guarded_gateway_without_tls():
    assert comes_in_clear(Settings(access=ISSUERS), FAR)
    assert not comes_in_clear(Settings(access=ISSUERS), ())
    assert not comes_in_clear(Settings(), FAR)
    assert not comes_in_clear(Settings(access=ISSUERS, server=ServerSettings(certificate="a.pem", key="a.key")), FAR)


def test_it_is_a_doubt_by_where_it_is_to_listen():
    far = Settings(access=ISSUERS, server=ServerSettings(listen="0.0.0.0:9003"))
    assert list(exposures(far)) == [f"server.listen: {IN_CLEAR}"]
    assert list(exposures(Settings(access=ISSUERS))) == []


def kept(path: Path) -> Settings:
    return Settings(access=AccessSettings(own=OwnTokenSettings(secret=read_secret(path))))


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
def test_a_secret_that_others_can_use_is_named_with_what_mends_it(tmp_path, mode, is_told):
    path = tmp_path / "secret"
    path.write_text(LONG)
    path.chmod(mode)
    told = list(exposures(kept(path)))
    assert bool(told) is is_told
    if is_told:
        assert told[0].startswith("access.own.secret_file: ")
        assert str(path) in told[0]
        assert LONG not in told[0]


def test_a_secret_of_a_table_by_name_and_the_key_of_the_certificate_are_looked_at_too(tmp_path):
    for name in ("secret", "key.pem"):
        (tmp_path / name).write_text(LONG)
        (tmp_path / name).chmod(0o644)
    issuer = IssuerSettings(issuer="plant", audience="andond", secret=read_secret(tmp_path / "secret"))
    settings = Settings(
        access=AccessSettings(issuers={"plant": issuer}), server=ServerSettings(key=str(tmp_path / "key.pem"))
    )
    assert [line.partition(":")[0] for line in exposures(settings)] == [
        "access.issuers.plant.secret_file",
        "server.key",
    ]


def test_what_the_service_manager_hands_over_is_its_own_matter(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_text(LONG)
    path.chmod(0o644)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert list(exposures(kept(path))) == []
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    monkeypatch.setattr(exposed, "CREDENTIALS", str(tmp_path))
    assert list(exposures(kept(path))) == []


def test_a_secret_of_no_file_or_of_one_that_is_gone_is_no_doubt(tmp_path):
    path = tmp_path / "secret"
    path.write_text(LONG)
    settings = kept(path)
    path.unlink()
    assert list(exposures(settings)) == []
    assert list(exposures(Settings(access=AccessSettings(own=OwnTokenSettings(secret=Secret(LONG)))))) == []
