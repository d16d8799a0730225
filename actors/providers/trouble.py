"""What it means that an identity provider could not be asked, in words for who looks after the sign-in.

Rules of this file: words alone. It says where, why and who must act; of an address nothing but where it leads.
"""

from __future__ import annotations

from collections.abc import Mapping

from transport import Refused, Unfetched

_ADVICE: Mapping[str, str] = {
    "unreachable": "is the provider running, and is it at this address for this machine?",
    "unnamed": "is the name in the issuer's settings written right, and can this machine ask a name server?",
    "untrusted": "the provider's certificate must be renewed, or the issuer's `authority` name who signed it",
    "silent": "the provider is overloaded, or something on the way drops packets",
    "cut": "the provider, or a proxy before it, ended the connection",
    "oversized": "what it answers is larger than such a document is: is this the provider's address?",
    "garbled": "is this the provider's address, with its https?",
}


def told(error: Exception) -> str:
    """Why a provider was not heard, by the ``error`` that asking it ended with."""
    if isinstance(error, Unfetched):
        return f"{error.place}: {error.detail}; {_ADVICE[error.trouble]}"
    if isinstance(error, Refused):
        return f"{error.place}: it answers HTTP {error.status}; is the address in the issuer's settings the right one?"
    return str(error)
