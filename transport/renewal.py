"""Our own certificate, renewed under the name that it has: looked for every few seconds.

Rules of this file: the files are compared by what the file system says of them, so that looking costs nothing. A tool
that renews writes several files, one after the other: they are taken when they have been the same for one look. What
cannot be used is said once, and what was in force stays so; connections that there are keep what they have.
"""

from __future__ import annotations

import trio

from telemetry import events
from transport.certificates import fingerprint
from transport.reception import Reception
from transport.tls import mark_of

INTERVAL = 5.0
"""Seconds between two looks."""


class Renewal:
    """Watches the files of the certificate that ``reception`` shows."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._seen = reception.mark

    async def watch(self) -> None:
        """Watch until cancelled."""
        while True:
            if self._reception.tls is None:
                await self._reception.applied.wait()
            await trio.sleep(INTERVAL)
            self.look()

    def look(self) -> None:
        """Take the files if they are not those in force, and have stayed as they are since the last look."""
        now = mark_of(self._reception.settings)
        if now != self._reception.mark and now == self._seen:
            self._take()
        self._seen = now

    def _take(self) -> None:
        certificate = self._reception.settings.certificate or ""
        try:
            self._reception.renew()
            shown = fingerprint(certificate)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            events.certificate_refused(path=certificate, reason=str(reason))
            self._reception.renewed(certificate, "", str(reason))
        else:
            events.certificate_taken(path=certificate, fingerprint=shown)
            self._reception.renewed(certificate, shown, "")
