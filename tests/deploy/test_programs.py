"""What docs/access.md has an operator do for programs, done: the token that its command makes opens the metrics."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actors import access_faults, access_policy_of
from config import load
from domain.access import TokenRefused
from transport import TokenVerifier

ROOT = Path(__file__).parents[2]
PROGRAMS = re.search(r"\n## Programs\n(.+?)\n## ", (ROOT / "docs/access.md").read_text(encoding="utf-8"), re.DOTALL)[1]
TABLES = re.findall(r"```toml\n(.+?)```", PROGRAMS, re.DOTALL)
COMMAND = re.search(r"```\n(python -c .+?)\n```", PROGRAMS)[1]
TENANT = '[access.tenants.acme]\nplaces = ["acme"]\n'
SECRET = "/etc/andond/programs.secret"  # noqa: S105 - a path


@pytest.fixture
def gateway(tmp_path):
    """The settings that the page has, with the secret in a file of the test."""
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef\n", encoding="utf-8")

    def gateway(*tables):
        file = tmp_path / "andond.toml"
        file.write_text("\n".join(tables).replace(SECRET, str(tmp_path / "secret")), encoding="utf-8")
        settings = load(file, {}, {}).settings
        assert not list(access_faults(settings))
        return settings.access

    return gateway


def made(tmp_path, *words):
    """The token that the command of the page makes with ``words`` in place of its own."""
    line = COMMAND.replace(SECRET, str(tmp_path / "secret")).partition(" > ")[0]
    command = shlex.split(line)
    assert command[0] == "python"
    done = subprocess.run([sys.executable, *command[1:3], *(words or command[3:])], capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("tables", [TABLES, [*TABLES, TENANT]], ids=["one", "tenants"])
def test_the_token_that_the_page_makes_opens_the_metrics_and_nothing_else(tmp_path, gateway, tables):
    access = gateway(*tables)
    verifier, policy = TokenVerifier(), access_policy_of(access)
    verifier.apply(access.issuers)
    rights = policy.rights(verifier.verify(made(tmp_path), time.time()))
    assert rights.identity.name == "prometheus"
    assert rights.may("metrics.read", None).is_allowed
    assert not rights.may("event.publish", "acme/line3").is_allowed
    publisher = policy.rights(verifier.verify(made(tmp_path, "press3", "publisher", "1", "acme/line3"), time.time()))
    assert publisher.may("event.publish", "acme/line3").is_allowed
    assert not publisher.may("event.publish", "acme/line4").is_allowed
    with pytest.raises(TokenRefused):
        verifier.verify(made(tmp_path), time.time() + 366 * 86400)
