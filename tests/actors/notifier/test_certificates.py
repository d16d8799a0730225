"""Whom notifications trust, and the certificate that they show to who asks for one."""

from __future__ import annotations

import ssl

import pytest

from actors.notifier import NotificationFailed, NotificationSent
from actors.notifier.mail import MailChannel
from actors.notifier.mqtt import MqttChannel
from actors.notifier.webhook import WebhookChannel
from actors.runtime import ChildSpec
from config import MailSettings, MqttSettings, WebhookSettings

NOW = 1_800_000_000.0


@pytest.fixture
def shown(authority, tmp_path):
    """The certificate that we show."""
    issued = authority.issue_cert("andond.example")
    paths = tmp_path / "own.pem", tmp_path / "own.key"
    issued.cert_chain_pems[0].write_to_path(paths[0])
    issued.private_key_pem.write_to_path(paths[1])
    return {"certificate": str(paths[0]), "key": str(paths[1])}


@pytest.fixture
def demanding(authority, served):
    """A server's context that serves nobody who shows no certificate."""
    authority.configure_trust(served)
    served.verify_mode = ssl.CERT_REQUIRED
    # A client of TLS 1.3 hears of a refusal only when it reads.
    served.maximum_version = ssl.TLSVersion.TLSv1_2
    return served


def _spec(kind, settings):
    return ChildSpec("channel", kind, (lambda: settings, "gateway/desk", lambda: NOW))


async def test_a_web_hook_that_asks_for_a_certificate_is_shown_ours(
    rig, hook_server, make_notification, demanding, trusted, shown
):
    with hook_server(demanding) as hook:
        for own, kind in ((shown, NotificationSent), ({}, NotificationFailed)):
            settings = WebhookSettings(url=hook.url, authority=trusted, timeout=2.0, **own)
            async with rig(_spec(WebhookChannel, settings)) as channel:
                channel.send(make_notification())
                assert isinstance((await channel.hear())[0], kind)
    assert len(hook.posted) == 1


async def test_a_broker_that_asks_for_a_certificate_is_shown_ours(
    rig, mosquitto, make_notification, authority, trusted, shown, tmp_path
):
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "broker.pem")
    issued.private_key_pem.write_to_path(tmp_path / "broker.key")
    lines = ["allow_anonymous true", "require_certificate true", f"cafile {trusted}", "tls_version tlsv1.2"]
    lines += [f"certfile {tmp_path}/broker.pem", f"keyfile {tmp_path}/broker.key"]
    with mosquitto(*lines) as broker:
        for own, kind in ((shown, NotificationSent), ({}, NotificationFailed)):
            settings = MqttSettings(broker=broker, tls=True, authority=trusted, timeout=2.0, **own)
            async with rig(_spec(MqttChannel, settings)) as channel:
                channel.send(make_notification())
                assert isinstance((await channel.hear())[0], kind)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_server_that_asks_for_a_certificate_is_shown_ours(
    rig, mail_server, make_notification, demanding, trusted, shown, security
):
    mail = make_notification(addresses=("anna@acme.example",))
    how = {"tls": demanding} if security == "tls" else {"tls_context": demanding, "require_starttls": True}
    with mail_server(**how) as server:
        for own, kind in ((shown, NotificationSent), ({}, NotificationFailed)):
            told = {"server": server.address, "security": security, "authority": trusted, "timeout": 2.0}
            settings = MailSettings(sender="andond@acme.example", **told, **own)
            async with rig(_spec(MailChannel, settings)) as channel:
                channel.send(mail)
                assert isinstance((await channel.hear())[0], kind)
    assert len(server.taken) == 1
