"""Who may not stay: an expired token, a revoked one, other rights."""

from __future__ import annotations

from types import SimpleNamespace

import trio

from actors.connections.warden import EXPIRED, LOOK_INTERVAL, REVOKED, Warden, review
from domain.access import OPEN_RIGHTS, AccessPolicy, Identity, Proof
from transport import RIGHTS_CHANGED

AT = 1_800_000_000.0
POLICY = AccessPolicy()


def rights(expires_at: float | None = None, role: str = "viewer"):
    return POLICY.rights(Identity("u1", "lee", frozenset({role}), Proof.TOKEN, expires_at=expires_at))


class Link:
    """A link that keeps how it was closed, and when, and its last words."""

    def __init__(self, of=OPEN_RIGHTS, door: str = "stream", *, has_words: bool = True) -> None:
        self.rights = of
        self.closed: list[tuple[float, int]] = []
        self.closing: tuple[int, str] | None = None
        self.door = SimpleNamespace(name=door)
        self.words: list[tuple[int, str, float, None]] = []
        self.stream = SimpleNamespace(send=self.words.append)
        self.farewell = (lambda *words: words) if has_words else None

    def close(self, code: int, reason: str) -> None:
        assert reason
        self.closed.append((trio.current_time(), code))


class Clock:
    """Unix seconds that go with trio's clock, until they are set."""

    def __init__(self) -> None:
        self.offset = AT - trio.current_time()

    def __call__(self) -> float:
        return trio.current_time() + self.offset


async def test_who_has_an_expired_token_is_closed_and_who_has_a_newer_one_stays(nursery, autojump_clock):
    clock = Clock()
    warden, begin = Warden(clock), trio.current_time()
    nursery.start_soon(warden.watch)
    leaves, renews, stays = Link(rights(AT + 60)), Link(rights(AT + 60)), Link()
    for link in (leaves, renews, stays):
        warden.enter(link)
    await trio.sleep(30)
    renews.rights = rights(AT + 600)
    warden.enter(renews)
    await trio.sleep(500)
    assert leaves.closed == [(begin + 60, EXPIRED[0])]
    assert renews.closed == stays.closed == []
    await trio.sleep(500)
    assert renews.closed == [(begin + 600, EXPIRED[0])]
    assert len(warden) == 0


async def test_one_whose_token_ends_sooner_is_not_waited_for_behind_one_that_came_before(nursery, autojump_clock):
    warden, begin = Warden(Clock()), trio.current_time()
    nursery.start_soon(warden.watch)
    late, soon = Link(rights(AT + 3600)), Link(rights(AT + 5))
    warden.enter(late)
    await trio.sleep(1)
    warden.enter(soon)
    await trio.sleep(100)
    assert soon.closed == [(begin + 5, EXPIRED[0])]
    assert late.closed == []


async def test_a_clock_that_is_set_is_noticed_within_half_a_minute(nursery, autojump_clock):
    clock = Clock()
    warden, begin = Warden(clock), trio.current_time()
    nursery.start_soon(warden.watch)
    link = Link(rights(AT + 86_400))
    warden.enter(link)
    await trio.sleep(1)
    clock.offset += 86_400
    await trio.sleep(LOOK_INTERVAL + 1)
    assert [code for _, code in link.closed] == [EXPIRED[0]]
    assert link.closed[0][0] - begin <= LOOK_INTERVAL + 1


async def test_who_is_gone_is_not_closed_and_nothing_is_kept_of_it(nursery, autojump_clock):
    warden = Warden(Clock())
    nursery.start_soon(warden.watch)
    links = [Link(rights(AT + 10 + number)) for number in range(5000)]
    for link in links:
        warden.enter(link)
        warden.leave(link)
    assert len(warden) == 0
    last = Link(rights(AT + 5))
    warden.enter(last)
    await trio.sleep(10_000)
    assert not any(link.closed for link in links)
    assert len(last.closed) == 1


async def test_a_review_closes_those_whose_rights_are_others_now_and_no_one_else():
    revoked, demoted, same = Link(rights()), Link(rights(role="operator")), Link(rights())
    now = {id(revoked.rights.identity): None, id(demoted.rights.identity): rights()}
    closed = review([revoked, demoted, same], lambda identity: now.get(id(identity), rights()))
    assert closed == 2
    assert [code for _, code in revoked.closed] == [REVOKED[0]]
    assert [code for _, code in demoted.closed] == [RIGHTS_CHANGED[0]]
    assert same.closed == []


async def test_who_has_other_rights_is_told_when_to_come_back_if_it_knows_what_that_is():
    told, late = Link(rights()), Link(rights())
    floor, guest, parting = Link(rights(), "floor"), Link(rights(), has_words=False), Link(rights())
    parting.closing = (1000, "bye")
    assert review([told, floor, guest, parting, late], lambda _identity: OPEN_RIGHTS) == 5
    for link in (told, late):
        ((code, reason, delay, position),) = link.words
        assert ((code, reason), position) == (RIGHTS_CHANGED, None)
        assert 0 < delay < 2
    assert told.words != late.words
    assert floor.words == guest.words == parting.words == []
    assert {code for link in (told, floor, guest, late) for _, code in link.closed} == {4201}
