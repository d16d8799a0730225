"""Where a measurement takes place: starts servers and loads, and ends them.

Rules of this file: servers run on the first core we may use, loads on the last; everything listens on 127.0.0.1 on a
port that the kernel chose. The default configuration is used, but for what a caller names.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.bench.build import Tools
from tests.bench.figures import Result
from tests.bench.machine import LOAD_CORE, SERVER_CORE, Others
from tests.bench.processes import Load, Server

STREAM = "/stream?channel=events/bench&latest=0"
SIZE = 300

OURS = "andond"
LIMIT = "C send() loop"
# Whatever a client answers costs every later send() on a loopback some tenths more: its kernel then holds ACKs back.
PINGED_LIMIT = "C, with the same Pings"
LIMITS = (LIMIT, PINGED_LIMIT)
# Seven eighths of the credit's window, as our server has it at its most.
BETWEEN_PINGS = 28 * 1024
ASYNCIO = "websockets, asyncio"
UVLOOP = "websockets, uvloop"

# Beside the peers, who send none, pings would be work that only we do.
NO_PINGS = {"ANDOND__SERVER__PING_INTERVAL": "3600", "ANDOND__SERVER__DEAD_AFTER": "7200"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of a certificate and its key."""

    chain: str
    key: str


class Stage:
    """Starts what a section needs; ``quick`` asks for fewer and shorter rounds."""

    def __init__(self, directory: Path, tools: Tools, *, quick: bool) -> None:
        self.directory = directory
        self.tools = tools
        self.quick = quick
        self._numbers = itertools.count(1)
        self._certificate: Certificate | None = None

    def pick(self, usual: int, quick: int) -> int:
        """One of two amounts."""
        return quick if self.quick else usual

    def daemon(
        self,
        environ: Mapping[str, str] | None = None,
        certificate: Certificate | None = None,
        config: Path | None = None,
    ) -> Server:
        """The daemon with a publisher, listening."""
        settings = dict(environ or {})
        if certificate is not None:
            settings |= {"ANDOND__SERVER__CERTIFICATE": certificate.chain, "ANDOND__SERVER__KEY": certificate.key}
        command = [sys.executable, "-m", "tests.bench.daemon", "--listen", "127.0.0.1:0"]
        command += [] if config is None else ["-c", str(config)]
        return self._server("andond", command, settings).await_port(STREAM)

    def certificate(self) -> Certificate:
        """A certificate for 127.0.0.1, made once for the run."""
        if self._certificate is None:
            issued = trustme.CA().issue_cert("127.0.0.1")
            chain, key = self.directory / "tls.crt", self.directory / "tls.key"
            for blob in issued.cert_chain_pems:
                blob.write_to_path(chain, append=True)
            issued.private_key_pem.write_to_path(key)
            self._certificate = Certificate(str(chain), str(key))
        return self._certificate

    def limit(self, between_pings: int = 0) -> Server | None:
        """The C limit, if there is a compiler; with a Ping behind each so many bytes to a client, if any."""
        if self.tools.limit is None:
            return None
        words = (str(between_pings),) if between_pings else ()
        return self._server("limit", (*self.tools.limit, *words)).await_port("/")

    def peer(self, name: str, ping_interval: float = 0.0, certificate: Certificate | None = None) -> Server:
        """A server of the ``websockets`` library."""
        paths = [] if certificate is None else [certificate.chain, certificate.key]
        loop = "uvloop" if name == UVLOOP else "asyncio"
        command = [sys.executable, "-m", "tests.bench.peer", loop, f"{ping_interval:g}", *paths]
        return self._server(loop, command).await_port("/")

    def load(self, server: Server, *words: str, path: str | None = None, nice: int = 0) -> Load:
        """Clients for ``server``, none open yet."""
        command = [*self.tools.load, str(server.port), path or server.path, *words]
        return Load(command, LOAD_CORE, self._log("load"), nice=nice)

    def tls_word(self) -> str | None:
        """What tells a load to speak TLS; None if it cannot."""
        return None if self.tools.tls_library is None else f"tls={self.tools.tls_library}"

    def _server(self, name: str, command: Sequence[str], environ: Mapping[str, str] | None = None) -> Server:
        return Server(command, SERVER_CORE, self._log(name), environ)

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}-{next(self._numbers)}.log"


def note_others(result: Result, what: str, others: Others) -> None:
    """Say what others took of the machine, if it was more than a figure drifts by itself."""
    server, load = others.so_far()
    is_first = not any(note.startswith(f"{what}:") for note in result.notes)
    if is_first and max(server, load) > 0.03:
        result.notes.append(f"{what}: others took {server:.0%} of the servers' core and {load:.0%} of the loads' core")
