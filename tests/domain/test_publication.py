import pytest

from domain.event import Event
from domain.priority import Priority
from domain.publication import Publication


def test_a_position_is_epoch_and_offset():
    event = Event("1", "/press3", "alarm.raised", None, 0.0, Priority.HIGH)
    assert Publication("alarms/press3", "e7", 512, 1.5, event).position == "e7:512"


def test_a_publication_cannot_be_changed():
    event = Event("1", "/press3", "alarm.raised", None, 0.0, Priority.HIGH)
    publication = Publication("alarms/press3", "e7", 512, 1.5, event)
    with pytest.raises(AttributeError):
        publication.offset = 513


def test_it_is_critical_only_where_it_has_a_place_in_the_critical_log():
    event = Event("1", "/press3", "alarm.raised", None, 0.0, Priority.CRITICAL)
    assert Publication("alarms/press3", "e7", 512, 1.5, event).critical is None
