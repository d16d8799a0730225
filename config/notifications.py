"""The settings of notifications: how each channel reaches people, where each of them is reached, who is on call.

Rules of this file: a channel without its address is not used; what is to be sent by it fails at once, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from config import rules
from config.meta import means
from config.outgoing import OutgoingTlsSettings
from config.secrets import Secret

_MAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_TOPIC = re.compile(r"[^#+\x00]{1,200}")
_WALL = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d")


def _timeout(meaning: str) -> msgspec.Meta:
    return means(meaning, unit="seconds", within=(0.1, 300), reload=True)


def maybe_address(value: object) -> str | None:
    """Expect an address to connect to, or nothing."""
    return None if value == "" else rules.remote_address(value)


def maybe_mail(value: object) -> str | None:
    """Expect a mail address, or nothing."""
    return None if value == "" or _MAIL.fullmatch(str(value)) else "a mail address such as andond@acme.example"


def mails(value: object) -> str | None:
    """Expect mail addresses."""
    return next((fault for each in _texts(value) if (fault := maybe_mail(each or " "))), None)


def maybe_url(value: object) -> str | None:
    """Expect the address of a web hook, or nothing."""
    if value == "":
        return None
    try:
        parts = urlsplit(str(value))
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        is_url = False
    is_plain = str(value).isascii() and not any(sign <= " " for sign in str(value))
    return None if is_url and is_plain else "a URL that begins with https:// or http://"


def urls(value: object) -> str | None:
    """Expect addresses of web hooks, as a list or by name."""
    found = value.values() if isinstance(value, Mapping) else _texts(value)
    return next((fault for each in found if (fault := maybe_url(each or " "))), None)


def topic(value: object) -> str | None:
    """Expect the beginning of MQTT topics."""
    return None if _TOPIC.fullmatch(str(value)) else "an MQTT topic without + and #"


def topics(value: object) -> str | None:
    """Expect MQTT topics."""
    return next((fault for each in _texts(value) if (fault := topic(each))), None)


def wall_time(value: object) -> str | None:
    """Expect a day and a time of the clock on the wall."""
    return None if _WALL.fullmatch(str(value)) else "a day and a time such as 2026-11-23T06:00"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, tuple | list) else []


class MailSettings(OutgoingTlsSettings, frozen=True, kw_only=True):
    """Mail, by SMTP. A mail counts as sent when the server has taken it for each address (250)."""

    server: Annotated[
        str, means("The mail server; empty: no mail is sent", unit="HOST:PORT", reload=True, rule=maybe_address)
    ] = ""
    security: Annotated[
        Literal["starttls", "tls", "none"], means("How the way to the server is kept secret", reload=True)
    ] = "starttls"
    user: Annotated[str, means("Who logs in; empty: nobody does", reload=True)] = ""
    password: Annotated[Secret | None, means("Their password", reload=True)] = None
    sender: Annotated[str, means("The address that mails come from", reload=True, rule=maybe_mail)] = ""
    timeout: Annotated[float, _timeout("Time for each answer of the server")] = 10.0


class WebhookSettings(OutgoingTlsSettings, frozen=True, kw_only=True):
    """Web hooks: a POST of JSON, signed after Standard Webhooks. It counts as sent when it is answered with 2xx."""

    url: Annotated[
        str, means("Where those go who have no address of their own; empty: nowhere", reload=True, rule=maybe_url)
    ] = ""
    names: Annotated[
        Mapping[str, str], means("The web hooks that chains name, by name", unit="URL", reload=True, rule=urls)
    ] = msgspec.field(default_factory=dict)
    secret: Annotated[
        Secret | None, means("Key of the signature, `whsec_` and base64; none: it is not signed", reload=True)
    ] = None
    timeout: Annotated[float, _timeout("Time for the whole of it")] = 10.0


class MqttSettings(OutgoingTlsSettings, frozen=True, kw_only=True):
    """MQTT with QoS 1. A message counts as sent when the broker has acknowledged it (PUBACK)."""

    broker: Annotated[
        str, means("The broker; empty: nothing is published", unit="HOST:PORT", reload=True, rule=maybe_address)
    ] = ""
    tls: Annotated[bool, means("Whether the way to the broker is kept secret", reload=True)] = False
    user: Annotated[str, means("Who logs in; empty: nobody does", reload=True)] = ""
    password: Annotated[Secret | None, means("Their password", reload=True)] = None
    topic: Annotated[
        str,
        means("Beginning of the topic of those who have none of their own; path and name follow", reload=True,
              rule=topic),
    ] = "andond/notifications"  # fmt: skip
    timeout: Annotated[float, _timeout("Time for each answer of the broker")] = 5.0


class WebSocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Connected clients of the native protocol. It counts as sent when one of them has given its receipt."""

    receipt: Annotated[
        Literal["received", "shown"], means("Which receipt it takes: of the program, or of its screen", reload=True)
    ] = "received"
    timeout: Annotated[float, _timeout("Time for the receipt")] = 10.0


class HookChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that a hook adds; chains call it by the name of its table."""

    hook: Annotated[
        str, means("Which one: the hook, and the channel in it, as in `line4/horn`", reload=True, rule=rules.hook_part)
    ]
    options: Annotated[
        Mapping[str, str | int | float | bool],
        means("What the hook's own documents say that it takes", reload=True, rule=rules.hook_options),
    ] = msgspec.field(default_factory=dict)


class AddressSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person, a team or a role is reached. A role without an address is reached by its people on duty."""

    mail: Annotated[tuple[str, ...], means("Mail addresses", reload=True, rule=mails)] = ()
    webhook: Annotated[tuple[str, ...], means("Web hooks", unit="URL", reload=True, rule=urls)] = ()
    mqtt: Annotated[tuple[str, ...], means("MQTT topics", reload=True, rule=topics)] = ()
    websocket: Annotated[
        tuple[str, ...], means("Clients, by the names that they connect with; none: any client", reload=True)
    ] = ()
    hooks: Annotated[
        Mapping[str, tuple[str, ...]], means("Addresses for channels that hooks add, by channel", reload=True)
    ] = msgspec.field(default_factory=dict)


class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on call: one after the other, handed over by the clock on the wall of the site."""

    people: Annotated[tuple[str, ...], means("Their names, in their order", reload=True)]
    begins: Annotated[
        str, means("When the turn of the first one begins", unit="YYYY-MM-DDTHH:MM", reload=True, rule=wall_time)
    ]
    days: Annotated[int, means("How long a turn is", unit="days", within=(1, 366), reload=True)] = 7


class NotificationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How people are told of calls. When they are told, and who, is in `[floor.escalation]`."""

    channels: Annotated[
        tuple[str, ...], means("Channels in the order in which they are tried, where no chain says", reload=True)
    ] = ("websocket", "mail")
    patience: Annotated[
        float, means("Time after which no receipt is no receipt", unit="seconds", within=(1, 3600), reload=True)
    ] = 60.0
    mail: Annotated[MailSettings, means("Mail", reload=True)] = MailSettings()
    webhook: Annotated[WebhookSettings, means("Web hooks", reload=True)] = WebhookSettings()
    mqtt: Annotated[MqttSettings, means("MQTT", reload=True)] = MqttSettings()
    websocket: Annotated[WebSocketSettings, means("Connected clients", reload=True)] = WebSocketSettings()
    hooks: Annotated[Mapping[str, HookChannelSettings], means("Channels that hooks add, by name", reload=False)] = (
        msgspec.field(default_factory=dict)
    )
    addresses: Annotated[
        Mapping[str, AddressSettings], means("Where people, teams and roles are reached, by name", reload=True)
    ] = msgspec.field(default_factory=dict)
    groups: Annotated[Mapping[str, tuple[str, ...]], means("Names that stand for several, by name", reload=True)] = (
        msgspec.field(default_factory=lambda: {"all_managers": ("shift_manager", "production_manager")})
    )
    schedules: Annotated[Mapping[str, ScheduleSettings], means("Who is on call when, by name", reload=True)] = (
        msgspec.field(default_factory=dict)
    )
