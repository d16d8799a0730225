"""The file of the local users under its keeper: one thread at a time, opened when it is needed.

Rules of this file: it knows no message. What fails is a ``StorageError``, and the next use opens the file anew. Where
there is no directory there are no users, and nothing of them outlives the process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import trio

from actors.recorder.disk import Run
from domain.access import User
from storage import StorageError, Users

T = TypeVar("T")

Stamp = tuple[float, float]
"""When a user was changed, and when its password was."""


class UsersFile:
    """The users in ``directory`` (None: in memory); ``run`` calls what blocks."""

    def __init__(self, directory: Path | None, run: Run) -> None:
        self._directory = directory
        self._run = run
        self._turn = trio.Lock()
        self._users: Users | None = None
        self._version: int | None = None
        self._stamps: dict[str, Stamp] | None = None
        self.fault = ""

    @property
    def is_empty(self) -> bool:
        """Whether there never was a user, so that there is nothing to look at."""
        return self._users is None and (self._directory is None or not Users.are_in(self._directory))

    async def use(self, act: Callable[[Users], T]) -> T:
        """What ``act`` makes of the users.

        Raises:
            StorageError: if the file cannot be used.
        """
        async with self._turn:
            try:
                made = await self._run(lambda: act(self._opened()))
            except StorageError as error:
                self.fault = str(error)
                await self._close()
                raise
            self.fault = ""
            return made

    async def has_changed(self) -> bool:
        """Whether another process has changed something since this was last asked; at first, whether there is any.

        Raises:
            StorageError: if the file cannot be used.
        """
        if self._directory is None or self.is_empty:
            return False
        version = await self.use(lambda users: users.version())
        before, self._version = self._version, version
        return version != before

    async def changed_users(self) -> tuple[User, ...]:
        """Whom somebody has changed, or given a password, since this was last asked; at first nobody.

        Raises:
            StorageError: if the file cannot be used.
        """
        known = await self.use(lambda users: users.all())
        before, self._stamps = self._stamps, {user.id: (user.changed_at, user.password_at) for user in known}
        return () if before is None else tuple(user for user in known if before.get(user.id) != self._stamps[user.id])

    async def close(self) -> None:
        """Close the file, once nobody uses it any more."""
        async with self._turn:
            await self._close()

    async def _close(self) -> None:
        users, self._users, self._version = self._users, None, None
        if users is not None:
            with suppress(StorageError):
                await self._run(users.close)

    def _opened(self) -> Users:
        if self._users is None:
            self._users = Users.open(self._directory)
        return self._users
