from __future__ import annotations

from transport.dialects.portal_guests import Crowd, Guest, Present, Setting, nothing_waits


def test_who_comes_and_goes_is_counted() -> None:
    crowd = Crowd()
    crowd.enter("a", Present(Guest("anna"), ["transactions", "system"], nothing_waits))
    crowd.enter("b", Present(Guest("anna"), ["transactions"], lambda: 4))
    crowd.enter("c", Present(Guest(), [], nothing_waits))
    assert crowd.statistics(0.0) == {
        "totalSessions": 3,
        "authenticatedSessions": 2,
        "uniqueUsers": 1,
        "activeChannels": 2,
        "queuedMessages": 4,
    }
    for name in "abcd":
        crowd.leave(name)
    assert len(crowd) == 0
    assert crowd.statistics(1.0)["totalSessions"] == 0


def test_everybody_is_counted_once_a_second_at_most() -> None:
    asked = []

    def waiting() -> int:
        asked.append(1)
        return 0

    crowd = Crowd()
    crowd.enter("a", Present(Guest(), [], waiting))
    for at in (10.0, 10.5, 10.999):
        crowd.statistics(at)
    assert len(asked) == 1
    crowd.statistics(11.0)
    assert len(asked) == 2
    # A clock that was set back does not keep what was counted for ever.
    crowd.statistics(5.0)
    assert len(asked) == 3


def test_two_settings_share_no_crowd_unless_they_are_given_one() -> None:
    assert Setting().crowd is not Setting().crowd
    assert Setting().guest == Guest()
