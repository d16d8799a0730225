"""The names of pykka that are not promised to anyone, and that the runtime stands on.

If one of these fails after an upgrade, the runtime has to be looked at before the pin is moved.
"""

from __future__ import annotations

import inspect
import threading

import pykka
import pytest
from pykka import messages


@pytest.mark.parametrize("hook", ["_create_actor_inbox", "_create_future", "_start_actor_loop"])
def test_the_hooks_for_implementors_are_there(hook):
    assert "implementors of new actor types" in inspect.getdoc(getattr(pykka.Actor, hook))


def test_the_hooks_are_called_on_the_object_and_on_the_class():
    source = inspect.getsource(pykka.Actor.__init__)
    assert "self._create_actor_inbox()" in source
    assert "self.actor_class._create_future()" in inspect.getsource(pykka.ActorRef.ask)
    assert "_start_actor_loop()" in inspect.getsource(pykka.Actor.start)


def test_proxy_messages_are_dispatched_by_handle_receive():
    assert list(inspect.signature(pykka.Actor._handle_receive).parameters) == ["self", "message"]


def test_a_stop_is_a_message_without_a_priority():
    stop = messages._ActorStop()
    assert not hasattr(stop, "priority")
    assert "_ActorStop()" in inspect.getsource(pykka.ActorRef.stop)


def test_a_ref_takes_its_parts_from_the_actor_and_can_be_made_to_mean_another():
    class Part:
        actor_urn, actor_inbox, actor_stopped = "urn:1", object(), threading.Event()

    first, second = Part(), Part()
    ref = pykka.ActorRef(first)
    second.actor_urn = "urn:2"
    ref.__init__(second)
    assert (ref.actor_urn, ref.actor_inbox, ref.actor_stopped) == ("urn:2", Part.actor_inbox, Part.actor_stopped)


def test_an_envelope_can_be_rewritten():
    from pykka._envelope import Envelope  # noqa: PLC0415

    envelope = Envelope("m", reply_to=None)
    envelope.message = "n"
    assert (envelope.message, envelope.reply_to) == ("n", None)


def test_a_future_keeps_its_hook_where_we_look():
    assert pykka.Future()._get_hook is None
