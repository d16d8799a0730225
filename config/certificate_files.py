"""Which of the two files of a certificate is at fault when they cannot be used.

Rules of this file: words alone; whoever loads the two says whether they can be used.
"""

from __future__ import annotations

import ssl


def file_at_fault(certificate: str, key: str, error: Exception) -> str:
    """Which file is to be mended, where loading ``certificate`` and ``key`` (PEM) came to ``error``."""
    if not isinstance(error, ssl.SSLError):
        return str(error)
    if "MISMATCH" in (error.reason or ""):
        return f"{key} is the key of another certificate than {certificate}"
    if not _holds_certificate(certificate):
        return f"{certificate}, the certificate, cannot be used: it is no certificate in PEM"
    return f"{key}, the key, cannot be used: it is no private key in PEM, or its password is another"


def _holds_certificate(file: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError:
        return False
    return True
