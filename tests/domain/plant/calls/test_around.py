import pytest

from domain import Event, Priority
from domain.plant.calls import Around


def event(type_, path="acme/line3/press3", id_="s1"):
    return Event("e1", f"/{path}", type_, {"id": id_}, 1_800_000_000.0, Priority.NORMAL)


@pytest.fixture
def around():
    return Around()


def test_a_place_has_the_stop_and_the_job_that_began_there_until_they_end(around):
    path, begun, rows = around.hear(event("downtime.started"))
    assert (path, begun, rows[0].value) == ("acme/line3/press3", {"stop": "s1"}, {"stop": "s1"})
    around.hear(event("job.started", id_="j1"))
    assert around.at("acme/line3/press3") == {"stop": "s1", "job": "j1"}
    assert around.hear(event("downtime.ended"))[2][0].value == {"job": "j1"}
    assert around.hear(event("job.completed", id_="j1"))[2][0].value is None
    assert around.at("acme/line3/press3") == {}


def test_the_end_of_another_one_ends_nothing_and_what_is_known_is_not_kept_again(around):
    around.hear(event("downtime.started"))
    assert around.hear(event("downtime.ended", id_="s0")) == ("acme/line3/press3", {}, ())
    assert around.hear(event("downtime.started")) == ("acme/line3/press3", {"stop": "s1"}, ())
    assert around.hear(event("equipment.state.changed"))[2] == ()


def test_a_place_is_in_the_job_of_the_nearest_place_above(around):
    around.hear(event("job.started", "acme/line3", "far"))
    around.hear(event("job.started", "acme/line3/cell1", "near"))
    around.hear(event("downtime.started", "acme/line3", "s3"))
    assert around.at("acme/line3/cell1/st4") == {"job": "near", "stop": "s3"}
    assert around.at("acme/line4") == {}


def test_it_is_known_after_a_restart(around):
    rows = [row for one in ("downtime.started", "job.started") for row in around.hear(event(one))[2]]
    again = Around()
    again.restore([(row.key, row.value) for row in rows[-1:]])
    assert again.at("acme/line3/press3") == around.at("acme/line3/press3")
