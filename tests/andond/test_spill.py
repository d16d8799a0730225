"""Rows that do not fit into memory come back sorted, as often as asked."""

import random

from andond.spill import Spill


def test_rows_come_back_in_their_order_whether_they_fit_or_not() -> None:
    rows = [(number % 97, str(number)) for number in range(5000)]
    random.Random(3).shuffle(rows)
    for limit in (100_000, 1000, 7):
        with Spill[tuple[int, str]](limit) as spill:
            for row in rows[: 5000 if limit > 7 else 50]:
                spill.add(row)
            expected = sorted(rows[: 5000 if limit > 7 else 50])
            assert list(spill) == expected
            assert list(spill) == expected


def test_rows_that_are_equal_are_all_kept() -> None:
    with Spill[tuple[int, str]](3) as spill:
        for _ in range(10):
            spill.add((1, "a"))
        assert list(spill) == [(1, "a")] * 10
