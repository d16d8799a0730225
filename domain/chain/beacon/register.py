"""The validators that are watched at one node: how to ask for them, and which of them it knows.

Rules of this file:

* Watched are indices and public keys, as the configuration names them; public keys in lower case.
* One round of questions is under way at a time. What asks for another meanwhile gets it when the round is over.
* A node that refuses a repeated list is asked with a joined one from then on.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.chain.beacon import queries
from domain.chain.beacon.queries import Query
from domain.chain.observations import ValidatorRow


class Register:
    """The watched validators of one node."""

    def __init__(self, watched: Iterable[int | str]) -> None:
        self.ids = tuple(dict.fromkeys(str(id_).lower() for id_ in watched))
        self.watched = frozenset(self.ids)
        self._keys: dict[str, str] = {}
        self._open: set[Query] = set()
        self._again = False
        self._is_joined = False

    @property
    def indices(self) -> tuple[str, ...]:
        """The indices of those that were read."""
        return tuple(self._keys)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The ids that no answer has been about yet."""
        known = {*self._keys, *self._keys.values()}
        return tuple(id_ for id_ in self.ids if id_ not in known)

    def concerns(self, index: str) -> bool:
        """Whether the validator with this index is watched."""
        return index in self._keys or index in self.watched

    def key(self, index: str) -> str | None:
        """The public key of the validator with this index, if it is watched and was read."""
        return self._keys.get(index)

    def begin(self) -> None:
        """A new connection: nothing is under way."""
        self._open.clear()
        self._again = self._is_joined = False

    def ask(self, height: int | None) -> tuple[Query, ...]:
        """The questions of a round about ``height``; none while one is under way."""
        if self._open:
            self._again = True
            return ()
        asked = queries.validators(self.ids, height, is_joined=self._is_joined)
        self._open = set(asked)
        return asked

    def close(self, query: Query) -> bool:
        """``query`` was answered or refused: whether it is time for another round."""
        self._open.discard(query)
        again, self._again = self._again and not self._open, self._again and bool(self._open)
        return again

    def join(self) -> bool:
        """The node refused a repeated list: whether a joined one is still to be tried."""
        tried, self._is_joined = self._is_joined, True
        self._again = self._again or not tried
        return not tried

    def take(self, rows: Iterable[tuple[str, ValidatorRow]]) -> None:
        """The node knows the validators of these ``rows``, each with its index."""
        self._keys |= {index: row.address for index, row in rows}
