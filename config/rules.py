"""What one value must look like. Each rule returns what was expected, or None when the value is right.

Rules of this file: a rule sees one value of the right type and nothing else; what two settings owe each other is in
``relations``.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Rule = Callable[[object], str | None]

PORT_LIMIT = 65_535
PATH_LIMIT = 200
SOURCE_LIMIT = 1024
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_EQUIPMENT = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}")
_TYPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*")
_MEMBER = re.compile(r"[^\s.]+(?:\.[^\s.]+)*")
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9.])?")


class AddressFault(ValueError):
    """A text is no ``HOST:PORT``; the message says what one is."""


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT`` or ``[IPv6]:PORT``.

    Raises:
        AddressFault: if it is neither.
    """
    host, colon, digits = text.rpartition(":")
    if not colon or not digits.isascii() or not digits.isdigit() or int(digits[:6]) > PORT_LIMIT:
        raise AddressFault(f"HOST:PORT with a port from 0 to {PORT_LIMIT}, such as 127.0.0.1:9003 or [::1]:9003")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise AddressFault("an IPv6 address between the brackets, such as [::1]:9003")
    elif ":" in host:
        raise AddressFault("brackets around an IPv6 address, such as [::1]:9003")
    elif not _HOST.fullmatch(host):
        raise AddressFault("a host before the colon, such as 127.0.0.1:9003")
    return host, int(digits)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def listen_address(value: object) -> str | None:
    """Expect an address to listen on; port 0 lets the kernel choose."""
    try:
        split_address(str(value))
    except AddressFault as fault:
        return str(fault)
    return None


def remote_address(value: object) -> str | None:
    """Expect an address to connect to."""
    try:
        _, port = split_address(str(value))
    except AddressFault as fault:
        return str(fault)
    return None if port else "HOST:PORT with a port from 1"


def networks(value: object) -> str | None:
    """Expect addresses or networks in CIDR notation."""
    for text in _texts(value):
        try:
            ipaddress.ip_network(text)
        except ValueError:
            return f"addresses or networks such as 10.0.0.7 or 10.0.0.0/8{_network_hint(text)}"
    return None


def origins(value: object) -> str | None:
    """Expect origins of web pages, or a star alone."""
    texts = list(_texts(value))
    if texts == ["*"] or all(_ORIGIN.fullmatch(text) for text in texts):
        return None
    return 'origins such as ["https://portal.example", "http://10.0.0.9:3000"] in lower case, or ["*"] for any'


def _network_hint(text: str) -> str:
    try:
        return f" ({text} should be {ipaddress.ip_network(text, strict=False)})"
    except ValueError:
        return f" ({text!r} is neither)"


def equipment(value: object) -> str | None:
    """Expect an ISA-95 path, from the enterprise down, or nothing."""
    if value == "" or (len(str(value)) <= PATH_LIMIT and _EQUIPMENT.fullmatch(str(value))):
        return None
    return (
        "an ISA-95 path of one to eight names such as acme/plant1/line3/press3 (letters, digits, dot, dash, underscore)"
    )


def named_equipment(value: object) -> str | None:
    """Expect an ISA-95 path that is not empty."""
    return equipment(value or "/")


def source_name(value: object) -> str | None:
    """Expect a source's name: it is part of metrics, actor paths and variables."""
    if _SOURCE.fullmatch(str(value)):
        return None
    return "a name of lower-case letters, digits, dashes and underscores, at most 63"


def readable_file(value: object) -> str | None:
    """Expect a file that this process may read, or None."""
    if value is None or (Path(str(value)).is_file() and os.access(str(value), os.R_OK)):
        return None
    return "a file that can be read"


def writable_directory(value: object) -> str | None:
    """Expect a directory that this process may write to, or nothing."""
    if value == "" or (Path(str(value)).is_dir() and os.access(str(value), os.W_OK | os.X_OK)):
        return None
    return "a directory that exists and can be written to (create it: mkdir -p)"


def directories(value: object) -> str | None:
    """Expect absolute paths, at least one."""
    paths = list(_texts(value))
    if paths and all(path.startswith("/") for path in paths):
        return None
    return 'a list of absolute paths such as ["/"]'


def positive(value: object) -> str | None:
    """Expect a whole number above zero, or None."""
    return None if value is None or (isinstance(value, int) and value > 0) else "a whole number, at least 1"


# The words of domain.plant.mtconnect.Role, which this package may not know; a test compares the two.
ROLES = (
    "execution", "availability", "mode", "emergency_stop", "condition", "message", "series", "value", "ignored",
)  # fmt: skip


def roles(value: object) -> str | None:
    """Expect a table of data items to roles."""
    if isinstance(value, dict) and all(key.strip() and role in ROLES for key, role in value.items()):
        return None
    return f'a table such as {{ exec = "execution" }}, each role one of {", ".join(ROLES)}'


def rule_name(value: object) -> str | None:
    """Expect what a rule is called; those that are built in have dots in their names."""
    if _SOURCE.fullmatch(str(value)):
        return None
    return "a name of lower-case letters, digits, dashes and underscores, at most 63"


def type_prefix(value: object) -> str | None:
    """Expect a type of events, or its first words, or nothing."""
    if value == "" or _TYPE.fullmatch(str(value)):
        return None
    return "a type of events, or its first words, such as andon.call (lower case, dots between)"


def source_pattern(value: object) -> str | None:
    """Expect a source, or the beginning of one and a star, or nothing."""
    text = str(value)
    if not text.isspace() and "*" not in text[:-1] and len(text) <= SOURCE_LIMIT and text == text.strip():
        return None
    return "a source such as /acme/plant1/press3, or the beginning of one and a star at its end, /acme/plant1/*"


def conditions(value: object) -> str | None:
    """Expect members of the data and the value of each."""
    if isinstance(value, Mapping) and all(_MEMBER.fullmatch(str(member)) for member in value):
        return None
    return 'a table such as { level = "FAULT", "press.armed" = true } of members and the value of each'


def rule_list(value: object) -> str | None:
    """Expect rules with different names, each of which says of what it speaks."""
    found = [rule for rule in value if isinstance(rule, Mapping)] if isinstance(value, tuple | list) else []
    names = [str(rule["name"]) for rule in found if "name" in rule]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"rules that have different names, and {twice!r} is there more than once"
    vague = next((rule for rule in found if not any(rule.get(key) for key in ("type", "where", "source"))), None)
    if vague is not None:
        return f"rules that say a type, a source or where of the events, and {vague.get('name')!r} says none"
    return None


def hook_part(value: object) -> str | None:
    """Expect the name of a hook and of one of its parts."""
    hook, slash, part = str(value).partition("/")
    if slash and _SOURCE.fullmatch(hook) and _SOURCE.fullmatch(part):
        return None
    return "a hook and a part of it, such as line4/gauge (`andond hooks` lists them)"


def hook_options(value: object) -> str | None:
    """Expect a table of single values."""
    if isinstance(value, Mapping) and all(str(key).strip() for key in value):
        return None
    return 'a table such as { port = 4001, unit = "bar" }'


def _texts(value: object) -> Iterable[str]:
    return (str(item) for item in value) if isinstance(value, tuple | list) else ()
