"""First pass yield and defects."""

from hypothesis import given
from hypothesis import strategies as st

from domain.plant.quality import Defect, Inspection, Inspections, Yield, first_pass, pareto

CELL = "acme/plant1/line3/st4"


def inspection(id_, inspected=None, passed=None, *, at=0.0, is_again=False, defects=(), equipment=CELL, product="a"):  # noqa: PLR0913
    return Inspection(id_, at, equipment, product, None, inspected, passed, is_again, tuple(defects))


def test_what_was_inspected_again_is_no_first_pass():
    assert first_pass([inspection("1", 10, 8), inspection("2", 2, 2, is_again=True)]) == Yield(10, 8)
    assert first_pass([inspection("1", 10, 8)]).ratio == 0.8


def test_nothing_inspected_is_no_yield():
    assert first_pass([inspection("1")]).ratio is None


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1))
def test_the_yield_of_many_is_made_of_their_sums(pairs):
    many = [inspection(str(number), max(pair), min(pair)) for number, pair in enumerate(pairs)]
    assert first_pass(many).ratio == sum(min(pair) for pair in pairs) / sum(max(pair) for pair in pairs)


def test_defects_are_ranked_and_equal_ones_are_in_the_order_of_their_codes():
    found = [inspection("1", defects=[Defect("SCR", 2), Defect("DNT")]), inspection("2", defects=[Defect("BUR", 2)])]
    assert pareto(found) == [("BUR", 2), ("SCR", 2), ("DNT", 1)]


def test_a_window_is_half_open_and_a_place_has_what_is_below_it():
    known = Inspections()
    for number, place in enumerate((CELL, "acme/plant1/line3", "acme/plant1/line30")):
        known.add(inspection(str(number), at=float(number), equipment=place))
    assert [one.id for one in known.within(0, 2)] == ["0", "1"]
    assert [one.id for one in known.within(0, 9, "acme/plant1/line3")] == ["0", "1"]
    assert [one.id for one in known.within(0, 9, product="b")] == []


def test_the_oldest_leaves_when_there_is_no_room():
    known = Inspections(capacity=2)
    assert [known.add(inspection(str(number))) for number in range(3)] == [None, None, "0"]
    assert len(known) == 2
