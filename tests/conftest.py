"""What every test may ask for, and two things that none may do: sleep in real time, and leave this machine.

Rules of this file: light. A look at the caller for each sleep, one comparison for each audit event.
"""

from __future__ import annotations

import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import hypothesis
import pytest
import trio
import trio.testing
import trustme

TESTS = str(Path(__file__).parent)
PATIENCE = 0.05
LOOPBACK_NAMES = {"", "localhost", "ip6-localhost"}

hypothesis.settings.register_profile("andond", deadline=None, print_blob=True)
hypothesis.settings.load_profile("andond")

_faults: list[str] = []
_guarding = False


class ForbiddenInTests(OSError):
    """A test slept in real time, or reached for another machine."""


def _forbid(what: str) -> None:
    # Kept as well as raised: what is under test may take any OSError for a network that is down.
    _faults.append(what)
    raise ForbiddenInTests(what)


def _check_sleep(name: str, seconds: float) -> None:
    caller = sys._getframe(2)
    if seconds > PATIENCE and caller.f_code.co_filename.startswith(TESTS):
        _forbid(f"{name}({seconds}) in real time at {caller.f_code.co_filename}:{caller.f_lineno}")


def _guarded_sleep(sleep: Callable[[float], None]) -> Callable[[float], None]:
    def guarded(seconds: float) -> None:
        _check_sleep("time.sleep", seconds)
        sleep(seconds)

    return guarded


def _guarded_trio_sleep(sleep: Callable[[float], Awaitable[None]]) -> Callable[[float], Awaitable[None]]:
    def guarded(seconds: float) -> Awaitable[None]:
        if not isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock):
            _check_sleep("trio.sleep", seconds)
        return sleep(seconds)

    return guarded


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in LOOPBACK_NAMES:
        return True
    try:
        address = ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    # A name or socket that is bound to every address is still this machine.
    return address.is_loopback or address.is_unspecified


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if not _guarding or not event.startswith("socket."):
        return
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        # The address of a Unix socket is no tuple.
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            _forbid(f"{event} to {address}")
    elif event == "socket.getaddrinfo" and not _is_loopback(arguments[0]):
        _forbid(f"{event} of {arguments[0]!r}")


def pytest_configure(config: pytest.Config) -> None:
    """Guard the sleeps before any test file can import them; an audit hook stays until the process ends."""
    patch = pytest.MonkeyPatch()
    patch.setattr(time, "sleep", _guarded_sleep(time.sleep))
    patch.setattr(trio, "sleep", _guarded_trio_sleep(trio.sleep))
    config.add_cleanup(patch.undo)
    sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Watch the sockets while tests run, and no longer."""
    global _guarding  # noqa: PLW0603
    _guarding = True
    try:
        return (yield)
    finally:
        _guarding = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fail a test in which something forbidden was tried, whoever may have caught the error."""
    _faults.clear()
    result = yield
    if _faults:
        pytest.fail("; ".join(_faults), pytrace=False)
    return result


@pytest.fixture
def forbidden() -> Iterator[list[str]]:
    """What the guard has objected to so far, for the tests of the guard itself."""
    yield _faults
    _faults.clear()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody but these tests trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """What a TLS server on loopback needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """What a TLS client needs to trust that server."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
