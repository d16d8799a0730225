from __future__ import annotations

from types import SimpleNamespace

import trio

from actors.connections.prompter import Prompter
from transport import Frame, Prompt

AT = 1_800_000_000.0


class Link:
    """A link that keeps what it was sent, with the time."""

    def __init__(self) -> None:
        self.closing = None
        self.told: list[tuple[float, bytes]] = []
        self.stream = SimpleNamespace(send=lambda frame: self.told.append((trio.current_time() - START[0], frame.data)))


START = [0.0]


def prompt(after: float) -> Prompt:
    return Prompt(after, lambda at: Frame(str(at).encode()))


async def run(nursery: trio.Nursery) -> Prompter:
    START[0] = trio.current_time()
    prompter = Prompter(lambda: AT + trio.current_time() - START[0])
    nursery.start_soon(prompter.watch)
    return prompter


async def test_who_says_nothing_is_spoken_to_again_and_again(nursery, autojump_clock):
    prompter, link = await run(nursery), Link()
    prompter.enter(link, prompt(300))
    await trio.sleep(1000)
    assert link.told == [(at, str(AT + at).encode()) for at in (300, 600, 900)]


async def test_a_word_of_the_client_begins_its_silence_anew(nursery, autojump_clock):
    prompter, link = await run(nursery), Link()
    prompter.enter(link, prompt(300))
    await trio.sleep(299)
    prompter.heard(link)
    await trio.sleep(301)
    assert [at for at, _ in link.told] == [599]


async def test_who_is_gone_is_not_spoken_to(nursery, autojump_clock):
    prompter, gone, closing = await run(nursery), Link(), Link()
    prompter.enter(gone, prompt(300))
    prompter.enter(closing, prompt(300))
    closing.closing = (1000, "")
    prompter.leave(gone)
    prompter.leave(gone)
    prompter.heard(gone)
    assert len(prompter) == 1
    await trio.sleep(1000)
    assert gone.told == closing.told == []


async def test_whoever_has_less_patience_does_not_wait_for_others(nursery, autojump_clock):
    prompter, slow, fast = await run(nursery), Link(), Link()
    prompter.enter(slow, prompt(300))
    await trio.sleep(10)
    prompter.enter(fast, prompt(20))
    await trio.sleep(55)
    assert [at for at, _ in fast.told] == [30, 50]
    prompter.enter(fast, prompt(1000))
    await trio.sleep(300)
    assert [at for at, _ in slow.told] == [300]
    assert len(fast.told) == 2
