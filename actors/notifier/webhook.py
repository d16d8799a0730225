"""The channel webhook: a POST of JSON, signed after Standard Webhooks.

Rules of this file: it is sent when it is answered with 2xx, whatever else the other side does with it. One that is sent
again has the same ``webhook-id``, so that a receiver can tell, and says that it is repeated.

The headers and the signature are those of the Standard Webhooks specification 1.0.0, sections "Webhook metadata" and
"Signature scheme": HMAC-SHA256 over ``id.timestamp.body``, in base64, marked ``v1``.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable

from actors.notifier.couriers import Office
from actors.notifier.words import Deliver, NotDelivered
from actors.places import CALLS_DESK
from actors.runtime import TrioActor
from config import WebhookSettings, signing_key
from domain.plant.escalation import Notification
from transport import Unanswered, encode_json, outgoing_context, post

AT_A_TIME = 16


class WebhookChannel(TrioActor):
    """Posts by the settings that ``present`` returns, ``AT_A_TIME`` at a time."""

    has_tasks = True

    def __init__(
        self,
        present: Callable[[], WebhookSettings],
        answers: str = CALLS_DESK,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._present = present
        self._office = Office(self.life.environment, answers)
        self._clock = clock
        self._posting = 0

    def on_receive(self, message: object) -> None:
        """Begin to post a notification."""
        if not isinstance(message, Deliver):
            return
        if self._posting >= AT_A_TIME:
            # Those are slow already, and this one has another channel to try.
            self._office.failed(message.notification, f"{AT_A_TIME} others are not answered yet")
            return
        self._posting += 1
        self.start_task(self._see_to, message.notification)

    async def _see_to(self, notification: Notification) -> None:
        try:
            receipt = await self._deliver(notification)
        except NotDelivered as failure:
            self._office.failed(notification, str(failure))
        else:
            self._office.sent(notification, receipt)
        finally:
            self._posting -= 1

    async def _deliver(self, notification: Notification) -> str:
        settings = self._present()
        addresses = addresses_of(notification, settings)
        if not addresses:
            raise NotDelivered(f"no web hook of {notification.target} is known, and notifications.webhook.url is empty")
        body = encode_json({"type": "andond.notification", **notification.members()})
        headers = signed(notification.id, int(self._clock()), body, settings)
        return "; ".join([await self._post(url, headers, body, settings) for url in addresses])

    async def _post(self, url: str, headers: dict[str, str], body: bytes, settings: WebhookSettings) -> str:
        try:
            own = outgoing_context(settings) if settings.authority or settings.certificate else None
            answer = await post(url, headers, body, settings.timeout, own)
        except (Unanswered, OSError) as error:
            raise NotDelivered(str(error)) from error
        words = f"{answer.status} {answer.reason}".strip()
        if not answer.is_taken:
            raise NotDelivered(f"answered {words}")
        return words


def addresses_of(notification: Notification, settings: WebhookSettings) -> tuple[str, ...]:
    """Where it goes: to the addresses of its target, the web hook of this name, or where all others go."""
    if notification.addresses:
        return notification.addresses
    url = settings.names.get(notification.target, settings.url)
    return (url,) if url else ()


def signed(id_: str, at: int, body: bytes, settings: WebhookSettings) -> dict[str, str]:
    """The headers of the post ``id_`` of ``body`` at ``at`` (Unix seconds)."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "andond",
        "webhook-id": id_,
        "webhook-timestamp": str(at),
    }
    key = None if settings.secret is None else signing_key(settings.secret.reveal())
    if key is not None:
        content = b".".join((id_.encode(), str(at).encode(), body))
        signature = b64encode(hmac.digest(key, content, "sha256")).decode()
        headers["webhook-signature"] = f"v1,{signature}"
    return headers
