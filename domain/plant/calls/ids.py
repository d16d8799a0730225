"""Names for calls that sort by time and that no two gateways make alike.

Rules of this file: pure; the chance is given. The form is that of a ULID: 48 bits of milliseconds and 80 bits of
chance, in 26 letters and digits of Crockford's base 32, which nobody misreads on a tablet.
"""

from __future__ import annotations

NOISE_BITS = 80

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_TIME_BITS = 48


def ulid(at: float, noise: int) -> str:
    """The name of something that happened at ``at`` (Unix seconds); ``noise`` has ``NOISE_BITS`` of chance."""
    value = (int(at * 1000) % (1 << _TIME_BITS)) << NOISE_BITS | noise % (1 << NOISE_BITS)
    return "".join(_DIGITS[value >> 5 * place & 31] for place in reversed(range(_LENGTH)))
