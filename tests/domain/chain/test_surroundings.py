from __future__ import annotations

from domain.chain import Surroundings, Unknown


def test_a_value_that_was_measured_is_known() -> None:
    assert Surroundings(cpu_percent=0.0).known("cpu_percent") == 0.0


def test_a_value_that_was_not_measured_says_so() -> None:
    assert Surroundings().known("cpu_percent") == Unknown("no host reading received yet")


def test_who_hands_the_values_in_may_give_the_reason() -> None:
    around = Surroundings(reasons={"memory_mb": "no source of kind host is configured"})
    assert around.known("memory_mb") == Unknown("no source of kind host is configured")
