"""What is in the file of our own certificate: its fingerprint, and until when it is good.

Rules of this file: it reads, and says; what is in force is nobody's business here. Of a certificate no more is taken
apart than leads to its end (RFC 5280, section 4.1): the handshake looks at the rest.
"""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"
_VERSION = 0xA0
_SHORT_TIME = 0x17
_LONG_LENGTH = 0x80
_CENTURY_ENDS = "50"


def fingerprint(certificate: str) -> str:
    """The SHA-256 of the first certificate in the file ``certificate`` (PEM), as tools show it.

    Raises:
        OSError: if it cannot be read.
        ValueError: if there is none in it.
    """
    return hashlib.sha256(_first(certificate)).hexdigest()


def ends_at(certificate: str) -> float:
    """Until when the first certificate in the file ``certificate`` (PEM) is good, in Unix seconds.

    Raises:
        OSError: if it cannot be read.
        ValueError: if there is none in it.
    """
    der = _first(certificate)
    try:
        text = _end_of(der)
    except IndexError:
        raise ValueError("it is cut off") from None
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _first(certificate: str) -> bytes:
    text = Path(certificate).read_text(encoding="ascii", errors="replace")
    return ssl.PEM_cert_to_DER_cert(text[text.find(_BEGIN) :].partition(_END)[0] + _END)


def _end_of(der: bytes) -> str:
    """The end of its validity as it is written, with four digits of the year."""
    at = _element(der, _element(der, 0)[1])[1]
    tag, _, behind = _element(der, at)
    at = behind if tag == _VERSION else at
    for _serial_signature_issuer in range(3):
        at = _element(der, at)[2]
    at = _element(der, _element(der, at)[1])[2]
    tag, begin, end = _element(der, at)
    text = der[begin:end].decode("ascii", "replace")
    if tag != _SHORT_TIME:
        return text
    return f"{'20' if text < _CENTURY_ENDS else '19'}{text}"


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the element ``at`` this place, where its content begins, and what comes after it."""
    length, begin = der[at + 1], at + 2
    if length >= _LONG_LENGTH:
        digits = length - _LONG_LENGTH
        length, begin = int.from_bytes(der[begin : begin + digits], "big"), begin + digits
    return der[at], begin, begin + length
