from __future__ import annotations

import pytest

from andond.portal_streams import PORTAL_STREAMS
from domain import Event, Priority, channel_of, conflation_key, newest_suffices
from domain.chain import ChainView, Now, Surroundings
from transport.dialects.portal import DOORS

AT = 1_800_000_000.0


def test_every_stream_that_a_door_of_the_portal_follows_is_published():
    published = {channel_of(Event("1", "/p", type_, None, AT, Priority.NORMAL)) for type_ in PORTAL_STREAMS}
    followed = {channel for door in DOORS.values() for channel in door.channels if not channel.startswith("chain/")}
    assert followed <= published
    assert published - followed <= {
        "portal/blocks", "portal/network", "portal/validators", "panels/performance", "panels/analytics",
    }  # fmt: skip


@pytest.mark.parametrize("type_", PORTAL_STREAMS)
def test_of_every_stream_the_newest_value_wins(type_):
    event = Event("1", "/p", type_, None, AT, Priority.NORMAL)
    assert conflation_key(event) is not None


@pytest.mark.parametrize("type_", ["portal.dashboard", "portal.nodes", "portal.performance"])
def test_the_dashboard_s_objects_say_where_they_are_from_and_are_not_piled_up(type_):
    view = ChainView(60.0, 30.0)
    view.take(Event("1", "/chain", "chain.peer", {"peerId": "p", "connected": True}, AT, Priority.NORMAL), AT)
    told = PORTAL_STREAMS[type_].document(Now(view, AT), Surroundings())
    assert told["provenance"]["source"] == "/chain"
    assert newest_suffices(channel_of(Event("1", "/p", type_, None, AT, Priority.NORMAL)))
