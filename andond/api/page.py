"""The live page: ``/`` and the files it is made of, under ``/page/``.

Rules of this file: the files are read once, at the start, so that serving them touches no disk; nothing outside the
package's own folder can be asked for. The page may run its own scripts and speak to its own origin, nothing else: what
strangers send it as text stays text. A browser asks again each time and mostly hears that nothing changed.
"""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files

import msgspec

from transport import Request, Response, Routes

FRONT = "index.html"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

_MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
}


class PageFile(msgspec.Struct, frozen=True):
    """One file of the page, as it is and compressed."""

    media: str
    plain: bytes
    packed: bytes
    mark: str

    @classmethod
    def of(cls, name: str, content: bytes) -> PageFile:
        """The file ``name`` with ``content``."""
        media = _MEDIA[name[name.rindex(".") :]]
        return cls(media, content, gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:24])

    async def get(self, request: Request) -> Response:
        """The file; or 304, if the browser's copy is the same."""
        packed = _takes_gzip(request.headers.get("accept-encoding", ""))
        # Two encodings of one file are two representations (RFC 9110, section 8.8.3.3).
        etag = f'"{self.mark}-gzip"' if packed else f'"{self.mark}"'
        headers = {**_HEADERS, "etag": etag}
        if _matches(request.headers.get("if-none-match", ""), etag):
            return Response(304, headers)
        headers["content-type"] = self.media
        if not packed:
            return Response(200, headers, self.plain)
        return Response(200, {**headers, "content-encoding": "gzip"}, self.packed)


def load() -> dict[str, PageFile]:
    """Every file of the page, by its name."""
    folder = files("andond") / "page"
    return {entry.name: PageFile.of(entry.name, entry.read_bytes()) for entry in folder.iterdir() if entry.is_file()}


def register(routes: Routes) -> None:
    """Add the page to ``routes``."""
    loaded = load()
    routes.add("GET", "/", loaded.pop(FRONT).get)
    for name, file in sorted(loaded.items()):
        routes.add("GET", f"/page/{name}", file.get)


def _matches(wanted: str, etag: str) -> bool:
    """Whether If-None-Match names ``etag``; compared weakly, as RFC 9110 section 13.1.2 says."""
    return wanted.strip() == "*" or etag in [item.strip().removeprefix("W/") for item in wanted.split(",")]


def _takes_gzip(accepted: str) -> bool:
    for item in accepted.lower().split(","):
        coding, _, weight = item.replace(" ", "").partition(";")
        if coding in ("gzip", "*"):
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
