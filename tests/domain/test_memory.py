from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain import Memory, Recollection, Remembered
from domain.memory import CAPACITY, MEMORY_AGE, NAMES_LIMIT

NOW = 1_800_000_000.0


def test_who_was_never_here_has_nothing_to_remember() -> None:
    assert Memory().arrive("a", NOW).names is None


def test_who_returns_gets_what_it_followed() -> None:
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note({"tps", "blocks"}, NOW)
    here.end(NOW)
    assert memory.arrive("a", NOW + 60).names == {"tps", "blocks"}
    assert memory.arrive("b", NOW + 60).names is None


def test_who_only_listens_is_not_remembered() -> None:
    memory = Memory()
    memory.arrive("a", NOW).end(NOW)
    assert len(memory) == 0
    assert memory.arrive("a", NOW).names is None


def test_an_unsubscribe_is_remembered_as_well() -> None:
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note({"tps", "blocks"}, NOW)
    here.note({"blocks"}, NOW, left="tps")
    here.end(NOW)
    assert memory.arrive("a", NOW).names == {"blocks"}


def test_who_left_everything_gets_nothing_and_not_the_default() -> None:
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note((), NOW, left="tps")
    here.end(NOW)
    assert memory.arrive("a", NOW).names == frozenset()


def test_two_windows_that_cannot_be_told_apart_share_what_either_follows() -> None:
    memory = Memory()
    first, second = memory.arrive("a", NOW), memory.arrive("a", NOW)
    first.note({"tps", "blocks"}, NOW)
    second.note({"tps", "network"}, NOW)
    first.end(NOW)
    second.end(NOW)
    assert memory.arrive("a", NOW).names == memory.arrive("a", NOW).names == {"tps", "blocks", "network"}


def test_one_window_s_unsubscribe_takes_nothing_from_the_other() -> None:
    memory = Memory()
    first, second = memory.arrive("a", NOW), memory.arrive("a", NOW)
    first.note({"tps", "blocks"}, NOW)
    second.note((), NOW, left="tps")
    assert memory.arrive("a", NOW).names == {"tps", "blocks"}


def test_a_client_returns_before_its_old_link_is_known_to_be_dead() -> None:
    memory = Memory()
    old = memory.arrive("a", NOW)
    old.note({"tps", "blocks"}, NOW)
    new = memory.arrive("a", NOW + 1)
    assert new.names == {"tps", "blocks"}
    old.end(NOW + 15)
    new.note({"tps"}, NOW + 20, left="blocks")
    assert memory.arrive("a", NOW + 30).names == {"tps"}


def test_a_day_after_it_was_last_here_a_client_is_forgotten() -> None:
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note({"blocks"}, NOW)
    here.end(NOW + 1000)
    assert memory.arrive("a", NOW + 1000 + MEMORY_AGE).names == {"blocks"}
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note({"blocks"}, NOW)
    here.end(NOW + 1000)
    assert memory.arrive("a", NOW + 1001 + MEMORY_AGE).names is None
    assert len(memory) == 0


def test_who_stays_for_days_is_remembered_when_it_leaves() -> None:
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note({"blocks"}, NOW)
    memory.arrive("b", NOW + 3 * MEMORY_AGE)
    here.end(NOW + 4 * MEMORY_AGE)
    assert memory.arrive("a", NOW + 4.5 * MEMORY_AGE).names == {"blocks"}


def test_the_number_of_clients_is_bounded_and_the_oldest_go() -> None:
    memory = Memory(capacity=3)
    for number in range(5):
        here = memory.arrive(f"c{number}", NOW + number)
        here.note({"blocks"}, NOW + number)
        here.end(NOW + number)
    assert list(memory.contents()) == ["c2", "c3", "c4"]
    assert CAPACITY == 10_000


def test_past_the_limit_of_names_only_those_of_the_connection_are_kept() -> None:
    memory = Memory()
    here = memory.arrive("a", NOW)
    here.note({f"n{number}" for number in range(NAMES_LIMIT)}, NOW)
    here.note({"one"}, NOW)
    assert memory.arrive("a", NOW).names == {"one"}


def test_what_an_earlier_life_had_is_taken_in() -> None:
    earlier = Memory()
    for number in range(3):
        earlier.arrive(f"c{number}", NOW).note({f"n{number}"}, NOW + number)
    memory = Memory(capacity=3)
    memory.arrive("c1", NOW + 10).note({"newer"}, NOW + 10)
    memory.restore(earlier.contents().items())
    assert memory.contents() == {
        "c0": Remembered(frozenset({"n0"}), NOW),
        "c2": Remembered(frozenset({"n2"}), NOW + 2),
        "c1": Remembered(frozenset({"newer"}), NOW + 10),
    }
    assert list(memory.contents()) == ["c0", "c2", "c1"]


@given(st.integers(0, 5), st.integers(1, 4))
def test_of_what_an_earlier_life_had_the_newest_are_taken(count: int, capacity: int) -> None:
    contents = [(f"c{number}", Remembered(frozenset(), NOW + number)) for number in range(count)]
    memory = Memory(capacity)
    memory.restore(contents)
    assert list(memory.contents().items()) == contents[-capacity:]


class Visits(RuleBasedStateMachine):
    """Clients come, ask and go; a plain list of what happened says what must be remembered."""

    names = st.sampled_from(("tps", "blocks", "network"))

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory(capacity=1000)
        self.at = NOW
        self.open: list[tuple[str, Recollection, set[str]]] = []
        self.asked: set[str] = set()

    @rule(client=st.sampled_from("abc"))
    def arrive(self, client: str) -> None:
        recollection = self.memory.arrive(client, self.at)
        assert (recollection.names is not None) == (client in self.asked)
        for other, _, names in self.open:
            if other == client and client in self.asked:
                assert recollection.names is not None
                assert recollection.names >= names
        names = {"tps"} if recollection.names is None else set(recollection.names)
        self.open.append((client, recollection, names))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), name=names, leaves=st.booleans())
    def ask(self, *, data: st.DataObject, name: str, leaves: bool) -> None:
        client, recollection, names = data.draw(st.sampled_from(self.open))
        self.asked.add(client)
        if leaves:
            names.discard(name)
            recollection.note(names, self.at, left=name)
        else:
            names.add(name)
            recollection.note(names, self.at)
        alone = sum(other == client for other, _, _ in self.open) == 1
        remembered = self.memory.contents()[client].names
        assert (name in remembered) or (leaves and (alone or name not in remembered))
        if leaves and alone:
            assert name not in remembered

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from(self.open))
        self.open.remove(visit)
        visit[1].end(self.at)

    @rule(seconds=st.floats(0, 3600))
    def wait(self, seconds: float) -> None:
        self.at = min(self.at + seconds, NOW + MEMORY_AGE / 2)

    @invariant()
    def only_who_asked_is_remembered(self) -> None:
        assert set(self.memory.contents()) == self.asked


TestVisits = Visits.TestCase
