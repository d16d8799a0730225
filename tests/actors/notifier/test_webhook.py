"""The channel webhook, against a real web server."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode

import pytest
import trio

from actors.notifier import NotificationFailed, NotificationSent
from actors.notifier.webhook import AT_A_TIME, WebhookChannel, signed
from actors.runtime import ChildSpec
from config import Secret, WebhookSettings

NOW = 1_800_000_000.0
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + b64encode(KEY).decode()


def _spec(**settings):
    found = WebhookSettings(**{"timeout": 2.0, **settings})
    return ChildSpec("webhook", WebhookChannel, (lambda: found, "gateway/desk", lambda: NOW))


async def test_a_web_hook_is_sent_when_it_is_answered_with_2xx(rig, hook_server, make_notification):
    notification = make_notification()
    with hook_server() as hook:
        async with rig(_spec(url=hook.url)) as channel:
            channel.send(notification)
            assert await channel.hear() == [NotificationSent(notification.id, "204 No Content")]
    ((path, headers, body),) = hook.posted
    assert path == "/hook?a=b"
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert told["type"] == "andond.notification"
    assert (told["call"], told["target"], told["level"], told["repeated"]) == ("c1", "anna", 1, False)


async def test_it_is_signed_as_standard_webhooks_says(rig, hook_server, make_notification):
    with hook_server() as hook:
        async with rig(_spec(url=hook.url, secret=Secret(SECRET))) as channel:
            channel.send(make_notification())
            await channel.hear()
    ((_, headers, body),) = hook.posted
    assert headers["webhook-id"] == "c1-1.0.0.0-mail"
    assert headers["webhook-timestamp"] == "1800000000"
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1"
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert hmac.compare_digest(b64decode(signature), hmac.digest(KEY, content, "sha256"))


def test_the_signature_is_that_of_the_specifications_example():
    # Standard Webhooks 1.0.0, the example of its reference libraries.
    settings = WebhookSettings(secret=Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', settings)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_what_is_sent_again_has_the_same_id_and_says_so(rig, hook_server, make_notification):
    with hook_server() as hook:
        async with rig(_spec(url=hook.url)) as channel:
            channel.send(make_notification(attempt=2))
            await channel.hear()
    ((_, headers, body),) = hook.posted
    assert headers["webhook-id"] == "c1-1.0.0.0-mail"
    assert json.loads(body)["repeated"] is True


@pytest.mark.parametrize("status", [302, 400, 410, 500, 503])
async def test_any_other_answer_is_a_failure_at_once(rig, hook_server, make_notification, status):
    with hook_server() as hook:
        hook.status, hook.headers = status, {"Location": "/elsewhere"}
        async with rig(_spec(url=hook.url)) as channel:
            channel.send(make_notification())
            with trio.fail_after(10.0):
                (failed,) = await channel.hear()
    assert failed == NotificationFailed("c1-1.0.0.0-mail", failed.reason)
    assert failed.reason.startswith(f"answered {status}")
    assert len(hook.posted) == 1


async def test_a_server_that_is_not_there_fails_at_once(rig, closed, make_notification):
    async with rig(_spec(url=f"http://{closed}/", timeout=30.0)) as channel:
        with trio.fail_after(10.0):
            channel.send(make_notification())
            (failed,) = await channel.hear()
    assert isinstance(failed, NotificationFailed)
    assert "refused" in failed.reason


async def test_a_server_that_says_nothing_fails_in_time_and_holds_nobody_up(rig, deaf, hook_server, make_notification):
    with hook_server() as hook:
        async with rig(_spec(url=hook.url, timeout=0.5)) as channel:
            channel.send(make_notification(id="slow", addresses=(f"http://{deaf}/",)))
            channel.send(make_notification(id="quick"))
            heard = await channel.hear(2)
    assert heard == [NotificationSent("quick", "204 No Content"), NotificationFailed("slow", "no answer within 0.5 s")]


async def test_past_the_limit_one_more_fails_at_once(rig, deaf, make_notification):
    async with rig(_spec(url=f"http://{deaf}/", timeout=1.0)) as channel:
        for number in range(AT_A_TIME + 1):
            channel.send(make_notification(id=f"n{number}"))
        (first, *_) = await channel.hear()
        assert first == NotificationFailed(f"n{AT_A_TIME}", f"{AT_A_TIME} others are not answered yet")
        await channel.hear(AT_A_TIME + 1)


async def test_tls_is_checked(rig, hook_server, make_notification, served, trusted):
    with hook_server(served) as hook:
        async with rig(_spec(url=hook.url, authority=trusted)) as channel:
            channel.send(make_notification())
            assert isinstance((await channel.hear())[0], NotificationSent)
        async with rig(_spec(url=hook.url)) as channel:
            channel.send(make_notification())
            (failed,) = await channel.hear()
    assert "certificate" in failed.reason.lower()
    assert len(hook.posted) == 1


async def test_it_goes_to_the_targets_own_address_then_to_the_name_then_to_all_others(
    rig, hook_server, make_notification
):
    with hook_server() as own, hook_server() as named, hook_server() as other:
        async with rig(_spec(url=other.url, names={"erp": named.url})) as channel:
            channel.send(make_notification(addresses=(own.url,)))
            channel.send(make_notification(target="erp"))
            channel.send(make_notification(target="dora"))
            await channel.hear(3)
        assert [len(hook.posted) for hook in (own, named, other)] == [1, 1, 1]


async def test_without_an_address_there_is_a_reason(rig, make_notification):
    async with rig(_spec()) as channel:
        channel.send(make_notification())
        assert "no web hook of anna is known" in (await channel.hear())[0].reason
