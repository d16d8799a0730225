"""What anybody can cause in mass is counted together, and nothing of it is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.audit import OTHERS, Crowd, Entry, Outcome, Whence, Who
from domain.audit.crowd import LIMIT, PERIOD

AT = 1_800_000_000.0


def refusal(at=AT, address="10.0.0.7", what="login", word="credentials", who=""):
    return Entry(at, what, Outcome.REFUSED, Who(who), Whence(address), why=word, together=word)


def test_what_is_not_of_a_crowd_is_written_each_time():
    crowd, entry = Crowd(), replace(refusal(), together="")
    assert [crowd.take(entry), crowd.take(entry)] == [entry, entry]


def test_the_first_is_written_at_once_and_the_rest_as_one_after_a_minute():
    crowd = Crowd()
    assert crowd.take(refusal()) is not None
    assert [crowd.take(refusal(AT + second)) for second in range(1, 50)] == [None] * 49
    assert len(crowd) == 49
    assert crowd.due(AT + PERIOD - 1) == []
    (counted,) = crowd.due(AT + PERIOD)
    assert (counted.count, counted.since, counted.at) == (49, AT + 1, AT + 49)
    assert crowd.take(refusal(AT + PERIOD)) is not None


def test_one_alone_is_not_told_again():
    crowd = Crowd()
    crowd.take(refusal())
    assert crowd.due(AT + PERIOD) == []


def test_another_address_reason_or_deed_is_another_kind():
    crowd = Crowd()
    for entry in (refusal(), refusal(address="10.0.0.8"), refusal(word="held_off"), refusal(what="token")):
        assert crowd.take(entry) is entry


def test_different_people_of_one_kind_are_others():
    crowd = Crowd()
    for who in ("a", "b", "c"):
        crowd.take(refusal(who=who))
    (counted,) = crowd.flush()
    assert counted.who == Who(name=OTHERS)


def test_a_clock_that_was_set_back_does_not_keep_them():
    crowd = Crowd()
    crowd.take(refusal())
    crowd.take(refusal())
    assert len(crowd.due(AT - 3600)) == 1


def test_a_million_addresses_write_no_more_than_the_limit_in_a_minute():
    crowd, written = Crowd(), 0
    for number in range(20_000):
        written += (
            crowd.take(refusal(AT + number / 1000, f"10.{number >> 8}.{number & 255}.1", who=str(number))) is not None
        )
    assert written == LIMIT + 1
    (counted,) = crowd.due(AT + PERIOD + 30)
    assert counted.whence.address == OTHERS
    assert counted.count + written == 20_000


def test_a_million_words_write_no_more_than_twice_the_limit_in_a_minute():
    crowd = Crowd()
    taken = [crowd.take(refusal(AT, f"10.0.0.{number % 250}", what=f"andon.{number}")) for number in range(20_000)]
    written = [entry for entry in taken if entry is not None]
    assert len(written) == 2 * LIMIT + 1
    assert written[-1].what == OTHERS
    assert len(crowd) == 20_000 - len(written)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 90), st.sampled_from("ab")), max_size=300))
def test_what_is_written_adds_up_to_what_was_told(told):
    crowd, written, at = Crowd(), 0, AT
    for after, address, word in told:
        at += after
        written += sum(entry.count for entry in crowd.due(at))
        taken = crowd.take(refusal(at, str(address), word=word))
        written += 0 if taken is None else taken.count
    written += sum(entry.count for entry in crowd.flush())
    assert written == len(told)
    assert len(crowd) == 0
