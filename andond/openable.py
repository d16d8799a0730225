"""Where a gateway that listens can be opened from this machine.

Rules of this file: pure. Whoever listens on every address of the machine is reached at its own.
"""

from __future__ import annotations

from config import split_address

_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


def url_at(address: str, *, is_secure: bool) -> str:
    """The URL of what listens on ``address``, which is ``HOST:PORT``, or the path of a socket, told as it is."""
    if address.startswith(("/", "@")):
        return address
    host, port = split_address(address)
    host = _HERE.get(host, host)
    return f"{'https' if is_secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
