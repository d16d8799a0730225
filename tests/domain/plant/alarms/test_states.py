"""Every pair of state and trigger has a row here, the impossible ones too."""

from itertools import product

import pytest

from domain.plant.alarms import TRANSITIONS, Fact, Impossible, State, Trigger, diagram, next_state

A, B, C, D, LU, LA, E, F, G = State
NO = None
ACTIVE, LATCHED, SUPPRESSED, ONE_SHOT = Fact.ACTIVE, Fact.LATCHED, Fact.SUPPRESSED, Fact.ONE_SHOT

# What each state does on each trigger while no fact holds; NO: impossible.
PLAIN = {
    #                    A   B   C   D   LTUN LTACK E  F  G
    Trigger.OCCUR: (B, NO, NO, B, B, B, E, F, G),
    Trigger.RETURN: (A, D, A, NO, NO, NO, E, F, G),
    Trigger.REALARM: (A, B, B, NO, NO, NO, E, F, G),
    Trigger.ACKNOWLEDGE: (NO, C, NO, A, LA, NO, NO, NO, NO),
    Trigger.SILENCE: (NO, B, NO, NO, NO, NO, NO, NO, NO),
    Trigger.RESET: (NO, NO, NO, NO, NO, A, NO, NO, NO),
    Trigger.SHELVE: (E, E, E, E, E, E, NO, NO, NO),
    Trigger.UNSHELVE: (NO, NO, NO, NO, NO, NO, A, NO, NO),
    Trigger.EXPIRE: (NO, NO, NO, NO, NO, NO, A, NO, NO),
    Trigger.SUPPRESS: (F, F, F, F, F, F, E, NO, G),
    Trigger.UNSUPPRESS: (NO, NO, NO, NO, NO, NO, E, A, G),
    Trigger.REMOVE: (G, G, G, G, G, G, NO, NO, NO),
    Trigger.RESTORE: (NO, NO, NO, NO, NO, NO, NO, NO, A),
}
PAIRS = [
    (state, trigger, target) for trigger, targets in PLAIN.items() for state, target in zip(State, targets, strict=True)
]


def test_the_table_of_this_test_has_every_pair() -> None:
    assert [(state, trigger) for state, trigger, _ in PAIRS] == [
        (state, trigger) for trigger, state in product(Trigger, State)
    ]


@pytest.mark.parametrize(("state", "trigger", "target"), PAIRS, ids=lambda each: getattr(each, "value", "impossible"))
def test_a_pair_leads_where_the_standard_says_or_is_impossible(
    state: State, trigger: Trigger, target: State | None
) -> None:
    if target is None:
        with pytest.raises(Impossible) as caught:
            next_state(state, trigger, set())
        assert (caught.value.state, caught.value.trigger) == (state, trigger)
        assert trigger.value in str(caught.value)
    else:
        assert next_state(state, trigger, set()) is target


CASES = [
    # Out of shelving: by hand it has been seen, by time nobody has.
    (E, Trigger.UNSHELVE, {ACTIVE}, C),
    (E, Trigger.UNSHELVE, set(), A),
    (E, Trigger.EXPIRE, {ACTIVE}, B),
    (E, Trigger.EXPIRE, set(), A),
    (E, Trigger.RETURN, {ONE_SHOT}, A),
    (E, Trigger.RETURN, set(), E),
    (E, Trigger.OCCUR, {ONE_SHOT, ACTIVE}, E),
    (F, Trigger.UNSUPPRESS, {ACTIVE}, B),
    (G, Trigger.RESTORE, {ACTIVE}, B),
    # Classes: acknowledged by itself, without acknowledgement on return, not annunciated.
    (A, Trigger.OCCUR, {Fact.AUTO_ACKNOWLEDGED}, C),
    (D, Trigger.OCCUR, {Fact.AUTO_ACKNOWLEDGED}, C),
    (C, Trigger.REALARM, {Fact.AUTO_ACKNOWLEDGED}, C),
    (E, Trigger.EXPIRE, {ACTIVE, Fact.AUTO_ACKNOWLEDGED}, C),
    (F, Trigger.UNSUPPRESS, {ACTIVE, Fact.AUTO_ACKNOWLEDGED}, C),
    (B, Trigger.RETURN, {Fact.NO_ACKNOWLEDGE_ON_RETURN}, A),
    (A, Trigger.OCCUR, {Fact.SILENT}, A),
    (A, Trigger.OCCUR, {Fact.SILENT, Fact.AUTO_ACKNOWLEDGED}, A),
    (E, Trigger.UNSHELVE, {ACTIVE, Fact.SILENT}, A),
    (E, Trigger.EXPIRE, {ACTIVE, Fact.SILENT}, A),
    (F, Trigger.UNSUPPRESS, {ACTIVE, Fact.SILENT}, A),
    (G, Trigger.RESTORE, {ACTIVE, Fact.SILENT}, A),
    # Latching.
    (B, Trigger.RETURN, {Fact.LATCHING}, LU),
    (B, Trigger.RETURN, {Fact.LATCHING, Fact.NO_ACKNOWLEDGE_ON_RETURN}, LA),
    (C, Trigger.RETURN, {Fact.LATCHING}, LA),
    (LU, Trigger.OCCUR, {Fact.LATCHING}, B),
    (LA, Trigger.OCCUR, {Fact.AUTO_ACKNOWLEDGED}, C),
    (E, Trigger.UNSHELVE, {LATCHED}, LA),
    (E, Trigger.EXPIRE, {LATCHED}, LU),
    (E, Trigger.RETURN, {LATCHED}, E),
    (E, Trigger.RETURN, {LATCHED, ONE_SHOT}, LA),
    (F, Trigger.UNSUPPRESS, {LATCHED}, LU),
    (F, Trigger.UNSUPPRESS, {LATCHED, Fact.NO_ACKNOWLEDGE_ON_RETURN}, LA),
    (G, Trigger.RESTORE, {LATCHED, Fact.AUTO_ACKNOWLEDGED}, LA),
    (G, Trigger.RESTORE, {LATCHED, ACTIVE}, B),
    (LU, Trigger.OCCUR, {Fact.AUTO_ACKNOWLEDGED}, C),
    (E, Trigger.EXPIRE, {LATCHED, Fact.NO_ACKNOWLEDGE_ON_RETURN}, LA),
    (G, Trigger.RESTORE, {LATCHED}, LU),
    (G, Trigger.RESTORE, {ACTIVE, Fact.AUTO_ACKNOWLEDGED}, C),
    # What a reload of the settings has made of the class meanwhile.
    (D, Trigger.OCCUR, {Fact.SILENT}, A),
    (LU, Trigger.OCCUR, {Fact.SILENT}, A),
    (LA, Trigger.OCCUR, {Fact.SILENT}, A),
    # A suppression that began while it was out of sight otherwise.
    (E, Trigger.UNSHELVE, {SUPPRESSED, ACTIVE}, F),
    (E, Trigger.EXPIRE, {SUPPRESSED, ACTIVE}, F),
    (E, Trigger.RETURN, {SUPPRESSED, ONE_SHOT}, F),
    (G, Trigger.RESTORE, {SUPPRESSED}, F),
]


@pytest.mark.parametrize(("state", "trigger", "facts", "target"), CASES)
def test_the_facts_choose_among_the_cases_of_a_pair(
    state: State, trigger: Trigger, facts: set[Fact], target: State
) -> None:
    assert next_state(state, trigger, facts) is target


def test_every_pair_of_the_table_has_a_case_without_facts_at_its_end_and_none_behind_it() -> None:
    for cases in TRANSITIONS.values():
        needed = [facts for facts, _ in cases]
        assert needed[-1] == frozenset()
        assert frozenset() not in needed[:-1]


def test_every_case_of_the_table_is_tried_here() -> None:
    tried = {(state, trigger, target) for state, trigger, target in PAIRS if target is not None}
    tried |= {(state, trigger, target) for state, trigger, _, target in CASES}
    assert {(*pair, target) for pair, cases in TRANSITIONS.items() for _, target in cases} - tried == set()


def test_what_is_on_the_operators_list_and_what_is_acknowledged_follows_from_the_state() -> None:
    assert [state for state in State if state.is_annunciated] == [B, C, D, LU, LA]
    assert [state for state in State if state.is_acknowledged is False] == [B, D, LU]
    assert [state for state in State if state.is_acknowledged is None] == [E, F, G]
    assert [state.letter for state in State] == ["A", "B", "C", "D", "LTUN", "LTACK", "E", "F", "G"]


def test_the_diagram_has_an_arrow_for_each_case_that_leads_elsewhere() -> None:
    arrows = [line for line in diagram().splitlines() if " --> " in line and ":" in line]
    assert len(arrows) == sum(target is not pair[0] for pair, cases in TRANSITIONS.items() for _, target in cases)
    assert "    E --> C: unshelve [active]" in arrows
    assert "    E --> B: expire [active]" in arrows
