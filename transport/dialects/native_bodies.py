"""Parts of messages of the native protocol: acts, their answers, newer tokens, errors, and what several have.

Rules of this file: as in ``native_frames``, of which these words are a part. What an act's own members are is the
business of who does it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

_MOMENT = {"format": "date-time"}
_NAME = 200


class Nothing(Struct):
    """No members."""


class Limits(Struct):
    """What one session may do."""

    message_size: Annotated[int, Meta(description="Bytes of a message to the gateway")]
    subscriptions: int
    commands_per_second: int


class Unsubscribed(Struct):
    """The channel that is followed no more."""

    channel: str


class Act(Struct):
    """What a person did; `type` says which further members there are, here or in `arguments`."""

    type: Annotated[str, Meta(min_length=1, max_length=128, description="andon.acknowledge")]
    key: Annotated[str, Meta(min_length=1, max_length=128, description="The same key is the same act, done once")]
    by: Annotated[str, Meta(min_length=1, max_length=_NAME, description="Who; else connect's client")] | None = None
    at: Annotated[str, Meta(description="By the device's clock; else now", extra_json_schema=_MOMENT)] | None = None
    station: Annotated[str, Meta(min_length=1, max_length=_NAME, description="Where the person was")] | None = None


class Acted(Struct):
    """The act is done."""

    kept: Annotated[bool, Meta(description="It is on disk; false: everybody was told, the disk does not take it")]
    result: Annotated[object, Meta(description="What it is about, as it is now", extra_json_schema={})]


class Refresh(Struct):
    """A newer token of the same client."""

    token: Annotated[str, Meta(max_length=8192)]


class Refreshed(Struct):
    """Until when the client may stay."""

    expires: Annotated[str | None, Meta(description="null: for ever", extra_json_schema=_MOMENT)]


class Error(Struct):
    """Why a command was not done; `code` is of the table of errors."""

    code: int
    message: str
    temporary: Annotated[bool, Meta(description="The same command may succeed later, unchanged")]
    retry_after_ms: Annotated[int, Meta(ge=0)]
    details: (
        dict[str, Annotated[object, Meta(description="Why an act is not done", extra_json_schema={})]] | UnsetType
    ) = UNSET
