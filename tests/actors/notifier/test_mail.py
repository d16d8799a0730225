"""The channel mail, against a real mail server."""

from __future__ import annotations

import email
from email.policy import default

import pytest
import trio
from aiosmtpd.smtp import AuthResult

from actors.notifier import NotificationFailed, NotificationSent
from actors.notifier.mail import MailChannel
from actors.runtime import ChildSpec
from config import MailSettings, Secret

NOW = 1_800_000_000.0


def _spec(at=NOW, **settings):
    found = MailSettings(**{"security": "none", "sender": "andond@acme.example", "timeout": 2.0, **settings})
    return ChildSpec("mail", MailChannel, (lambda: found, "gateway/desk", lambda: at))


@pytest.fixture
def mail(make_notification):
    return make_notification(addresses=("anna@acme.example", "ben@acme.example"))


async def test_a_mail_is_sent_when_the_server_has_taken_it(rig, mail_server, mail):
    with mail_server() as server:
        async with rig(_spec(server=server.address)) as channel:
            channel.send(mail)
            assert await channel.hear() == [NotificationSent(mail.id, "250 OK: queued as 4711")]
    ((sender, to, content),) = server.taken
    assert (sender, to) == ("andond@acme.example", ["anna@acme.example", "ben@acme.example"])
    message = email.message_from_bytes(content, policy=default)
    assert message["Subject"] == mail.subject
    assert message["To"] == "anna@acme.example, ben@acme.example"
    assert message["Message-ID"] == "<c1-1.0.0.0-mail@acme.example>"
    assert message["Importance"] == "high"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n").strip() == mail.text


async def test_a_mail_that_is_sent_again_is_marked_and_has_the_same_id(rig, mail_server, make_notification):
    again = make_notification(addresses=("anna@acme.example",), attempt=2)
    with mail_server() as server:
        async with rig(_spec(server=server.address)) as channel:
            channel.send(again)
            await channel.hear()
    message = email.message_from_bytes(server.taken[0][2], policy=default)
    assert message["X-Andond-Repeated"] == "yes"
    assert message["Message-ID"] == "<c1-1.0.0.0-mail@acme.example>"


async def test_a_server_that_refuses_the_mail_has_not_sent_it(rig, mail_server, mail):
    with mail_server() as server:
        server.answer = "554 this is spam"
        async with rig(_spec(server=server.address)) as channel:
            channel.send(mail)
            assert await channel.hear() == [NotificationFailed(mail.id, "refused: 554 this is spam")]


@pytest.mark.parametrize("refused", [{"ben@acme.example"}, {"anna@acme.example", "ben@acme.example"}])
async def test_a_mail_that_does_not_reach_everybody_has_failed(rig, mail_server, mail, refused):
    with mail_server() as server:
        server.refuses = refused
        async with rig(_spec(server=server.address)) as channel:
            channel.send(mail)
            (failed,) = await channel.hear()
    assert isinstance(failed, NotificationFailed)
    assert "ben@acme.example: 550 no such user here" in failed.reason


async def test_a_server_that_is_not_there_fails_at_once_and_those_that_wait_with_it(rig, closed, make_notification):
    async with rig(_spec(server=closed, timeout=30.0)) as channel:
        with trio.fail_after(10.0):
            for number in range(5):
                channel.send(make_notification(id=f"n{number}", addresses=("anna@acme.example",)))
            heard = await channel.hear(5)
    assert [each.id for each in heard] == [f"n{number}" for number in range(5)]
    assert all("cannot be used" in each.reason for each in heard)


async def test_a_server_that_says_nothing_fails_in_time_and_those_that_wait_with_it(rig, deaf, make_notification):
    async with rig(_spec(server=deaf, timeout=0.3)) as channel:
        for number in range(5):
            channel.send(make_notification(id=f"n{number}", addresses=("anna@acme.example",)))
        # Five times the timeout would be more.
        with trio.fail_after(10.0):
            heard = await channel.hear(5)
    assert len(heard) == 5
    assert all("timed out" in each.reason for each in heard)


async def test_starttls_is_used_and_the_certificate_is_checked(rig, mail_server, mail, served, trusted):
    with mail_server(tls_context=served, require_starttls=True) as server:
        async with rig(_spec(server=server.address, security="starttls", authority=trusted)) as channel:
            channel.send(mail)
            assert isinstance((await channel.hear())[0], NotificationSent)
        async with rig(_spec(server=server.address, security="starttls")) as channel:
            channel.send(mail)
            (failed,) = await channel.hear()
    assert "certificate verify failed" in failed.reason
    assert len(server.taken) == 1


async def test_a_server_without_starttls_gets_no_mail_in_the_clear(rig, mail_server, mail):
    with mail_server() as server:
        async with rig(_spec(server=server.address, security="starttls")) as channel:
            channel.send(mail)
            (failed,) = await channel.hear()
    assert "STARTTLS" in failed.reason
    assert server.taken == []


async def test_tls_from_the_first_byte(rig, mail_server, mail, served, trusted):
    with mail_server(tls=served) as server:
        async with rig(_spec(server=server.address, security="tls", authority=trusted)) as channel:
            channel.send(mail)
            assert isinstance((await channel.hear())[0], NotificationSent)


@pytest.mark.parametrize(("password", "is_right"), [("right", True), ("wrong", False)])
async def test_whoever_is_to_log_in_does(rig, mail_server, mail, served, trusted, password, is_right):
    def check(_server, _session, _envelope, _mechanism, given):
        return AuthResult(success=(given.login, given.password) == (b"andond", b"right"), handled=False)

    with mail_server(tls_context=served, authenticator=check, auth_required=True) as server:
        spec = _spec(
            server=server.address, security="starttls", authority=trusted, user="andond", password=Secret(password)
        )
        async with rig(spec) as channel:
            channel.send(mail)
            (heard,) = await channel.hear()
    assert isinstance(heard, NotificationSent) is is_right
    if not is_right:
        assert "535" in heard.reason
        assert "wrong" not in heard.reason


async def test_without_a_server_or_an_address_there_is_a_reason(rig, closed, make_notification):
    async with rig(_spec()) as channel:
        channel.send(make_notification(addresses=("anna@acme.example",)))
        assert "notifications.mail.server is empty" in (await channel.hear())[0].reason
    async with rig(_spec(server=closed)) as channel:
        channel.send(make_notification())
        assert (await channel.hear())[0].reason == "no mail address of anna is known"


async def test_what_nobody_needs_any_more_is_not_sent(rig, mail_server, mail):
    with mail_server() as server:
        async with rig(_spec(at=mail.expires, server=server.address)) as channel:
            channel.send(mail)
            assert "too late" in (await channel.hear())[0].reason
    assert server.taken == []


async def test_a_line_break_in_a_subject_makes_no_header(rig, mail_server, make_notification):
    sly = make_notification(addresses=("anna@acme.example",), subject="Andon\r\nBcc: eve@evil.example")
    with mail_server() as server:
        async with rig(_spec(server=server.address)) as channel:
            channel.send(sly)
            await channel.hear()
    message = email.message_from_bytes(server.taken[0][2], policy=default)
    assert message["Bcc"] is None
    assert message["Subject"] == "Andon Bcc: eve@evil.example"
