from __future__ import annotations

import pytest

from andond.openable import url_at


@pytest.mark.parametrize(
    ("address", "is_secure", "url"),
    [
        ("0.0.0.0:9103", False, "http://127.0.0.1:9103"),
        ("[::]:9103", True, "https://[::1]:9103"),
        ("10.0.0.7:9103", True, "https://10.0.0.7:9103"),
        ("/run/andond.sock", False, "/run/andond.sock"),
    ],
)
def test_what_listens_everywhere_is_opened_at_this_machine(address, is_secure, url):
    assert url_at(address, is_secure=is_secure) == url
