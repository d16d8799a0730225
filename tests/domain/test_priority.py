from __future__ import annotations

from domain.priority import Priority

CRITICAL, HIGH, NORMAL, LOW = Priority


def test_critical_goes_before_all_others():
    assert sorted([LOW, NORMAL, CRITICAL, HIGH]) == [CRITICAL, HIGH, NORMAL, LOW]
    assert [int(priority) for priority in Priority] == [0, 1, 2, 3]


def test_the_words_and_numbers_of_the_wire():
    assert [priority.wire for priority in Priority] == ["critical", "high", "normal", "low"]
    assert [priority.seed for priority in Priority] == [1, 2, 3, 4]


def test_a_word_names_its_priority_and_no_other_word_does():
    assert [Priority.from_wire(priority.wire) for priority in Priority] == list(Priority)
    assert [Priority.from_wire(word) for word in ("", "CRITICAL", "urgent", "0")] == [None] * 4
