import pytest

from domain.plant.mtconnect import EXECUTION, Equipment, Observation, Role, State, StateChanged


def said(role: Role, word: str, at: float, key: str | None = None) -> Observation:
    return Observation(key or role.value, role, word, at, str(at))


def take(equipment: Equipment, role: Role, word: str, at: float, key: str | None = None) -> StateChanged | None:
    return equipment.take(said(role, word, at, key), at)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("ACTIVE", State.EXECUTING),
        ("READY", State.NOT_EXECUTING),
        ("STOPPED", State.NOT_EXECUTING),
        ("PROGRAM_COMPLETED", State.NOT_EXECUTING),
        ("INTERRUPTED", State.HELD),
        ("FEED_HOLD", State.HELD),
        ("OPTIONAL_STOP", State.HELD),
        ("PROGRAM_STOPPED", State.HELD),
        ("UNAVAILABLE", State.UNKNOWN),
        ("active", State.EXECUTING),
        ("WOBBLING", State.UNKNOWN),
    ],
)
def test_each_word_of_the_control_has_its_state(word: str, state: State) -> None:
    equipment = Equipment()
    take(equipment, Role.EXECUTION, word, 1)
    assert (equipment.status.state, equipment.status.execution) == (state, word.upper())


def test_the_table_names_only_words_in_capitals() -> None:
    assert all(word == word.upper() for word in EXECUTION)


def test_a_change_says_what_was_before_and_since_when() -> None:
    equipment = Equipment()
    take(equipment, Role.EXECUTION, "READY", 10)
    change = take(equipment, Role.EXECUTION, "ACTIVE", 25)
    assert change is not None
    assert (change.before.execution, change.before.since) == ("READY", 10)
    assert (change.now.state, change.now.since) == (State.EXECUTING, 25)


def test_the_same_word_again_is_no_change_and_another_word_for_the_same_state_is() -> None:
    equipment = Equipment()
    take(equipment, Role.EXECUTION, "READY", 1)
    assert take(equipment, Role.EXECUTION, "READY", 2) is None
    assert equipment.status.since == 1
    change = take(equipment, Role.EXECUTION, "STOPPED", 3)
    assert change is not None
    assert change.now.state is change.before.state is State.NOT_EXECUTING


def test_a_device_that_is_not_available_is_unknown_and_its_state_comes_back_with_it() -> None:
    equipment = Equipment()
    take(equipment, Role.EXECUTION, "ACTIVE", 1)
    gone = take(equipment, Role.AVAILABILITY, "UNAVAILABLE", 2)
    assert gone is not None
    assert gone.now.state is State.UNKNOWN
    back = take(equipment, Role.AVAILABILITY, "AVAILABLE", 3)
    assert back is not None
    assert (back.now.state, back.now.availability) == (State.EXECUTING, "AVAILABLE")


def test_an_emergency_stop_ends_executing_whatever_the_paths_say() -> None:
    equipment = Equipment()
    take(equipment, Role.EXECUTION, "ACTIVE", 1)
    stopped = take(equipment, Role.EMERGENCY_STOP, "TRIGGERED", 2)
    assert stopped is not None
    assert (stopped.now.state, stopped.now.emergency_stop) == (State.NOT_EXECUTING, "TRIGGERED")
    released = take(equipment, Role.EMERGENCY_STOP, "ARMED", 3)
    assert released is not None
    assert released.now.state is State.EXECUTING


def test_an_emergency_stop_of_what_is_unknown_leaves_it_unknown() -> None:
    equipment = Equipment()
    take(equipment, Role.EMERGENCY_STOP, "TRIGGERED", 1)
    assert equipment.status.state is State.UNKNOWN


def test_the_mode_is_carried_and_is_no_change_of_state() -> None:
    equipment = Equipment()
    assert take(equipment, Role.MODE, "AUTOMATIC", 1) is None
    change = take(equipment, Role.EXECUTION, "ACTIVE", 2)
    assert change is not None
    assert change.mode == "AUTOMATIC"


@pytest.mark.parametrize(
    ("first", "second", "state", "word"),
    [
        ("READY", "ACTIVE", State.EXECUTING, "ACTIVE"),
        ("FEED_HOLD", "READY", State.HELD, "FEED_HOLD"),
        ("UNAVAILABLE", "STOPPED", State.NOT_EXECUTING, "STOPPED"),
        ("UNAVAILABLE", "UNAVAILABLE", State.UNKNOWN, "UNAVAILABLE"),
    ],
)
def test_of_several_paths_the_busiest_speaks(first: str, second: str, state: State, word: str) -> None:
    equipment = Equipment()
    take(equipment, Role.EXECUTION, first, 1, "execution")
    take(equipment, Role.EXECUTION, second, 2, "execution2")
    assert (equipment.status.state, equipment.status.execution) == (state, word)


def test_the_number_of_paths_is_bounded() -> None:
    equipment = Equipment()
    for number in range(1000):
        take(equipment, Role.EXECUTION, "READY", number, f"execution{number}")
    take(equipment, Role.EXECUTION, "ACTIVE", 1000, "execution0")
    assert equipment.status.state is State.EXECUTING
    assert len(equipment._paths) == 64
