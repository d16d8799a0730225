"""When a supervisor is set up: what it takes, and what must not keep it from it."""

from __future__ import annotations

import trio

from actors.runtime import ActorSystem, ChildSpec, ListChildren, Policy, Restart, Supervisor, TrioActor, ask


class Doomed(TrioActor):
    has_tasks = True

    async def setup(self):
        self.start_task(self.fail)

    async def fail(self):
        raise OSError("no device")


async def test_children_that_always_fail_do_not_keep_what_comes_after_them_from_starting(autojump_clock):
    doomed = [ChildSpec(name, Doomed) for name in ("x", "y", "z")]
    inner = ChildSpec("inner", Supervisor, (doomed, Policy(intensity=1_000_000)))
    async with ActorSystem.open() as system:
        with trio.fail_after(60):
            root = system.start(Supervisor, "root", [inner, ChildSpec("after", TrioActor)])
            await system.settled(root)
        assert [child.state for child in await ask(root, ListChildren())] == ["running", "running"]


async def test_a_supervisor_that_gives_up_while_it_starts_is_never_in_service(autojump_clock):
    states = []

    class Watched(Supervisor):
        def describe(self):
            states.append(self.life.state)
            return {}

    inner = ChildSpec("inner", Watched, ([ChildSpec("x", Doomed)], Policy(intensity=0)), restart=Restart.TEMPORARY)
    async with ActorSystem.open() as system:
        root = system.start(Supervisor, "root", [inner])
        await trio.sleep(1)
        assert await ask(root, ListChildren()) == ()
        assert states == []
