"""A certified provider of OpenID Connect, for tests that have it installed: the npm package ``oidc-provider``.

Rules of this file: nothing is fetched for a test. The package is looked for where ``npm install --global`` puts it.
Whoever is started here is ended here; it also ends when this process does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

PACKAGE = "oidc-provider"
VERSION = "8.8.1"
MISSING = f"{PACKAGE} is not installed: npm install --global {PACKAGE}@{VERSION}"
SCRIPT = Path(__file__).with_name("provider.mjs")
LIMIT = 20.0

_LISTENING = re.compile(r"listening at (\S+)")

PEOPLE: Mapping[str, Mapping[str, object]] = {
    "lee": {"roles": ["operator"], "places": ["acme/plant1/line3"]},
    "ann": {"realm_access": {"roles": ["plant-lead", "offline_access"]}, "resource_access": {"andond": {"roles": []}}},
    "ole": {"roles": []},
}


@cache
def module() -> Path | None:
    """Where the package begins, if it is installed."""
    folders = [Path(each) for each in os.environ.get("NODE_PATH", "").split(os.pathsep) if each]
    npm = shutil.which("npm")
    if npm is not None and shutil.which("node") is not None:
        asked = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=False, timeout=LIMIT)
        folders += [Path(asked.stdout.strip())] if asked.returncode == 0 else []
    found = (folder / PACKAGE / "lib" / "index.js" for folder in folders)
    return next((path for path in found if path.is_file()), None)


# In words, so that nobody looks for it but a test that is about to run.
needs_provider = pytest.mark.skipif(
    "not __import__('tests.providers.provider').providers.provider.module()", reason=MISSING
)


class Provider:
    """A running provider at ``url``."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self._process = process

    def do(self, what: str, **more: object) -> dict[str, object]:
        """``rotate`` its keys, ``change`` what it was told, or ``tell`` what it was asked."""
        with closing(HTTPConnection("127.0.0.1", urlsplit(self.url).port, timeout=LIMIT)) as link:
            link.request("POST", "/test", json.dumps({"do": what, **more}))
            found: dict[str, object] = json.loads(link.getresponse().read())
            return found

    def hang(self) -> None:
        """Stop the process: its kernel goes on taking connections."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let the process run again."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Be gone."""
        self._process.kill()
        self._process.wait(LIMIT)


@contextmanager
def running(*redirects: str, client: str = "andond", secret: str | None = None, **told: object) -> Iterator[Provider]:
    """A provider that sends people back to ``redirects``. A test that calls this has the mark ``needs_provider``."""
    found = module()
    assert found is not None, MISSING
    one = {
        "client_id": client,
        "redirect_uris": list(redirects),
        "post_logout_redirect_uris": [each.replace("auth/callback", "") for each in redirects],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none" if secret is None else "client_secret_basic",
        **({} if secret is None else {"client_secret": secret}),
    }
    words = {"clients": [one], "people": PEOPLE, **told}
    environ = {**os.environ, "OIDC_MODULE": str(found), "OIDC_TOLD": json.dumps(words), "NODE_NO_WARNINGS": "1"}
    with subprocess.Popen(
        ["node", str(SCRIPT)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            said = next((match for line in process.stdout if (match := _LISTENING.search(line))), None)
            assert said is not None, "the provider ended without listening"
            yield Provider(process, said[1])
        finally:
            process.kill()
