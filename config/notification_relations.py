"""What the settings of notifications owe each other: senders, logins, keys, names that are known.

Rules of this file: as in ``relations``: valid values only, and every key that was looked at is named, the one to blame
first. A password does not leave the machine in the clear.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from ipaddress import ip_address

from config.faults import one_of
from config.relation import Broken
from config.rules import source_name, split_address
from config.settings import Settings

BUILT_IN = ("websocket", "mail", "webhook", "mqtt")
"""The kinds of channels that are there without a hook."""

PREFIX = "whsec_"
KEY_SIZES = range(24, 65)
"""Bytes of a key (Standard Webhooks, section "Webhook signing")."""


def channels_of(settings: Settings) -> tuple[str, ...]:
    """Every channel that can be named."""
    return (*BUILT_IN, *settings.notifications.hooks)


def mail_is_whole(settings: Settings) -> Iterator[Broken]:
    """Mails come from somebody."""
    mail = settings.notifications.mail
    if mail.server and not mail.sender:
        yield Broken(("notifications.mail.sender", "notifications.mail.server"), "the address that mails come from")


def logins_are_whole(settings: Settings) -> Iterator[Broken]:
    """Who logs in has a password, and does not shout it."""
    told = settings.notifications
    ways = (
        ("mail", told.mail.server, told.mail.user, told.mail.password, told.mail.security != "none"),
        ("mqtt", told.mqtt.broker, told.mqtt.user, told.mqtt.password, told.mqtt.tls),
    )
    for name, address, user, password, is_secret in ways:
        key = f"notifications.{name}"
        if user and password is None:
            yield Broken((f"{key}.password_file", f"{key}.user"), "the password of the user")
        elif password is not None and not user:
            yield Broken((f"{key}.user", f"{key}.password"), "the user whose password is given")
        elif user and address and not is_secret and not _is_loopback(address):
            what = "security" if name == "mail" else "tls"
            yield Broken((f"{key}.{what}", f"{key}.user"), "TLS, since a password is sent to another machine")


def signature_has_a_key(settings: Settings) -> Iterator[Broken]:
    """The key of the signature is one."""
    secret = settings.notifications.webhook.secret
    if secret is not None and signing_key(secret.reveal()) is None:
        expected = f"{PREFIX} and the base64 of {KEY_SIZES.start} to {KEY_SIZES.stop - 1} bytes"
        yield Broken(("notifications.webhook.secret",), expected)


def signing_key(text: str) -> bytes | None:
    """The bytes of the key that ``text`` writes; None if it writes none."""
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        return None
    return key if text.startswith(PREFIX) and len(key) in KEY_SIZES else None


def names_are_known(settings: Settings) -> Iterator[Broken]:
    """Channels that are named are there, lists of people are not empty."""
    told = settings.notifications
    known = channels_of(settings)
    for name in told.hooks:
        if name in BUILT_IN or source_name(name):
            expected = f"a name that is not one of {', '.join(BUILT_IN)}: lower-case letters, digits, - and _"
            yield Broken((f"notifications.hooks.{name}",), expected)
    for name in told.channels:
        if name not in known:
            yield Broken(("notifications.channels", "notifications.hooks"), one_of(known, name))
    if not told.channels or len(set(told.channels)) < len(told.channels):
        yield Broken(("notifications.channels",), "at least one channel, and each once")
    lists: Mapping[str, tuple[str, ...]] = {
        **{f"groups.{name}": people for name, people in told.groups.items()},
        **{f"schedules.{name}.people": schedule.people for name, schedule in told.schedules.items()},
    }
    for key, people in lists.items():
        if not people or not all(map(str.strip, people)):
            yield Broken((f"notifications.{key}",), "the names of at least one person, team or role")


def mqtt_is_installed(settings: Settings) -> Iterator[Broken]:
    """What speaks MQTT is an extra."""
    if settings.notifications.mqtt.broker and find_spec("paho") is None:
        yield Broken(("notifications.mqtt.broker",), "paho-mqtt beside andond (pip install 'andond[mqtt]')")


def _is_loopback(address: str) -> bool:
    host, _ = split_address(address)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


NOTIFICATION_RELATIONS = (
    mail_is_whole,
    logins_are_whole,
    signature_has_a_key,
    names_are_known,
    mqtt_is_installed,
)
