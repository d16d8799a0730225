"""The life of a job order: every pair of state and trigger, and the standard's own NodeSet as the oracle."""

import os
import xml.etree.ElementTree as ET
from itertools import product
from pathlib import Path

import pytest

from domain.plant.jobs import (
    METHODS,
    REPORTS,
    STATE_OF_STATUS,
    TRANSITIONS,
    State,
    Status,
    Trigger,
    status_of,
    triggers_of,
)

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
NODESET = SHARED / "data" / "opcua-nodesets" / "ISA95-JOBCONTROL" / "opc.ua.isa95-jobcontrol.nodeset2.xml"
needs_nodeset = pytest.mark.skipif(
    not NODESET.is_file(), reason=f"no NodeSet at {NODESET}; ANDOND_SHARED says where it is"
)

# One row a state, one column a trigger; "-" is impossible.
SHORT = dict(zip(("I", "NW", "NR", "NL", "AW", "AR", "AL", "R", "H", "S", "C", "Z", "X", "E"), State, strict=True))
TABLE = """
    Store StoreAndStart Start RevokeStart Pause Resume Stop Abort Update Clear Cancel become_ready become_unready load unload begin finish hold close
I   NW    AW            -     -           -     -      -    -     -      -     -      -            -              -    -      -     -      -    -
NW  -     -             AW    -           -     -      -    X     NW     -     E      NR           -              -    -      -     -      -    -
NR  -     -             AR    -           -     -      -    X     NR     -     E      -            NW             NL   -      -     -      -    -
NL  -     -             AL    -           -     -      -    X     NL     -     E      -            NW             -    NR     -     -      -    -
AW  -     -             -     NW          -     -      -    X     AW     -     E      AR           -              -    -      -     -      -    -
AR  -     -             -     NR          -     -      -    X     AR     -     E      -            AW             AL   -      R     -      -    -
AL  -     -             -     NL          -     -      -    X     AL     -     E      -            AW             -    AR     R     -      -    -
R   -     -             -     -           S     -      C    X     -      -     -      -            -              -    -      -     C      H    -
H   -     -             -     -           S     R      C    X     -      -     -      -            -              -    -      -     -      -    -
S   -     -             -     -           -     R      C    X     -      -     -      -            -              -    -      -     -      H    -
C   -     -             -     -           -     -      -    -     -      E     -      -            -              -    -      -     -      -    Z
Z   -     -             -     -           -     -      -    -     -      E     -      -            -              -    -      -     -      -    -
X   -     -             -     -           -     -      -    -     -      E     -      -            -              -    -      -     -      -    -
E   -     -             -     -           -     -      -    -     -      -     -      -            -              -    -      -     -      -    -
"""  # noqa: E501 - a table

_HEAD, *_LINES = (line.split() for line in TABLE.strip().splitlines())
ROWS = {
    (SHORT[line[0]], Trigger(trigger)): SHORT.get(cell)
    for line in _LINES
    for trigger, cell in zip(_HEAD, line[1:], strict=True)
}


def test_the_table_of_the_tests_has_a_row_for_every_pair():
    assert set(ROWS) == set(product(State, Trigger))


@pytest.mark.parametrize(("state", "trigger"), ROWS, ids=lambda each: each.value)
def test_a_trigger_leads_where_the_table_says_or_is_impossible(state, trigger):
    assert TRANSITIONS.get((state, trigger)) == ROWS[state, trigger]
    assert (trigger in triggers_of(state)) is (ROWS[state, trigger] is not None)


def test_a_trigger_is_a_method_of_the_standard_or_a_report():
    assert len(METHODS) == 11
    assert len(REPORTS) == 8
    assert {*METHODS, *REPORTS} == set(Trigger)


@pytest.mark.parametrize("status", Status)
def test_a_status_of_the_dashboard_is_a_state_and_that_state_is_it_again(status):
    assert status_of(STATE_OF_STATUS[status]) is status


def test_every_state_of_a_job_order_has_a_status():
    known = {state.value: status_of(state).value for state in State if state not in (State.INITIAL, State.END)}
    assert known == {
        "NotAllowedToStart.Waiting": "assigned",
        "NotAllowedToStart.Ready": "assigned",
        "NotAllowedToStart.Loaded": "assigned",
        "AllowedToStart.Waiting": "accepted",
        "AllowedToStart.Ready": "accepted",
        "AllowedToStart.Loaded": "accepted",
        "Running": "in_progress",
        "Interrupted.Held": "paused",
        "Interrupted.Suspended": "paused",
        "Ended.Completed": "completed",
        "Ended.Closed": "completed",
        "Aborted": "cancelled",
    }


@pytest.mark.parametrize("state", [State.INITIAL, State.END])
def test_what_is_not_there_has_no_status(state):
    with pytest.raises(KeyError):
        status_of(state)


# -- the NodeSet ------------------------------------------------------------------------------------------------

_NS = {"ua": "http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"}
_FROM, _TO, _CAUSE = "i=51", "i=52", "i=53"
_MACHINES = {
    "ISA95JobOrderReceiverObjectType",
    "ISA95PrepareStateMachineType",
    "ISA95InterruptedStateMachineType",
    "ISA95EndedStateMachineType",
}


class NodeSet:
    """What the file says: names of nodes, and each transition with its states and its cause."""

    def __init__(self):
        root = ET.parse(NODESET).getroot()  # noqa: S314 - a file of the standard
        aliases = {each.attrib["Alias"]: each.text for each in root.iterfind("ua:Aliases/ua:Alias", _NS)}
        self.nodes = {node.attrib["NodeId"]: node for node in root if "NodeId" in node.attrib}
        self.transitions = {machine: {} for machine in _MACHINES}
        ends = {}
        for id_, node in self.nodes.items():
            for reference in node.iterfind("ua:References/ua:Reference", _NS):
                kind = reference.attrib["ReferenceType"]
                kind = aliases.get(kind, {"FromState": _FROM, "ToState": _TO, "HasCause": _CAUSE}.get(kind, kind))
                if kind in (_FROM, _TO, _CAUSE):
                    forward = reference.attrib.get("IsForward", "true") == "true"
                    here, there = (id_, reference.text) if forward else (reference.text, id_)
                    ends.setdefault(here, {})[kind] = self.name(there)
        for id_, found in ends.items():
            machine = self.name(self.nodes[id_].attrib["ParentNodeId"]) if id_ in self.nodes else ""
            if machine in _MACHINES:
                self.transitions[machine][self.name(id_)] = (found[_FROM], found[_TO], found.get(_CAUSE))

    def name(self, id_):
        node = self.nodes.get(id_)
        return "" if node is None else node.attrib["BrowseName"].partition(":")[2]

    def methods(self):
        receiver = next(id_ for id_ in self.nodes if self.name(id_) == "ISA95JobOrderReceiverObjectType")
        return {
            self.name(id_)
            for id_, node in self.nodes.items()
            if node.tag.endswith("}UAMethod") and node.attrib.get("ParentNodeId") == receiver
        }

    def states(self, machine):
        return {end for begin, target, _ in self.transitions[machine].values() for end in (begin, target)}


@pytest.fixture(scope="module")
def nodeset():
    return NodeSet()


@needs_nodeset
def test_our_methods_are_those_of_the_nodeset(nodeset):
    assert {method.value for method in METHODS} == nodeset.methods()


@needs_nodeset
def test_our_states_are_those_of_the_nodeset(nodeset):
    ours = {state.value for state in State} - {"InitialState", "EndState"}
    prepare = nodeset.states("ISA95PrepareStateMachineType")
    substates = {
        "NotAllowedToStart": prepare,
        "AllowedToStart": prepare,
        "Interrupted": nodeset.states("ISA95InterruptedStateMachineType"),
        "Ended": nodeset.states("ISA95EndedStateMachineType"),
    }
    theirs = set()
    for state in nodeset.states("ISA95JobOrderReceiverObjectType"):
        theirs |= {f"{state}.{each}" for each in substates[state]} if state in substates else {state}
    assert ours == theirs
    assert len(ours) == 12


@needs_nodeset
def test_our_transitions_between_states_are_those_of_the_nodeset(nodeset):
    theirs = {(begin, end) for begin, end, _ in nodeset.transitions["ISA95JobOrderReceiverObjectType"].values()}
    ours = {
        (before.top, after.top)
        for (before, trigger), after in TRANSITIONS.items()
        if State.INITIAL is not before and after is not State.END
        if before.top != after.top or trigger is Trigger.UPDATE
    }
    assert ours == theirs
    assert len(theirs) == 13


@needs_nodeset
def test_a_method_moves_a_job_order_as_its_cause_in_the_nodeset_says(nodeset):
    machine = nodeset.transitions["ISA95JobOrderReceiverObjectType"]
    theirs = {(begin, cause, end) for begin, end, cause in machine.values() if cause is not None}
    ours = {
        (before.top, trigger.value, after.top)
        for (before, trigger), after in TRANSITIONS.items()
        if trigger.is_method and before is not State.INITIAL and after is not State.END
        # A sub-state changes within Interrupted: that is the sub-machine's, below.
        if before.top != after.top or trigger is Trigger.UPDATE
    }
    assert ours == theirs


@needs_nodeset
def test_what_no_method_causes_in_the_nodeset_is_a_report_of_ours(nodeset):
    machine = nodeset.transitions["ISA95JobOrderReceiverObjectType"]
    assert [(begin, end) for begin, end, cause in machine.values() if cause is None] == [("AllowedToStart", "Running")]
    begins = {before.top for before, trigger in TRANSITIONS if trigger is Trigger.BEGIN}
    assert begins == {"AllowedToStart"}


@needs_nodeset
@pytest.mark.parametrize(
    ("machine", "tops"),
    [
        ("ISA95PrepareStateMachineType", ("NotAllowedToStart", "AllowedToStart")),
        ("ISA95InterruptedStateMachineType", ("Interrupted",)),
        ("ISA95EndedStateMachineType", ("Ended",)),
    ],
)
def test_sub_states_follow_each_other_as_in_the_nodeset(nodeset, machine, tops):
    theirs = {(begin, end) for begin, end, _ in nodeset.transitions[machine].values()}
    for top in tops:
        ours = {
            (before.value.partition(".")[2], after.value.partition(".")[2])
            for before, after in ((before, after) for (before, _), after in TRANSITIONS.items())
            if before.top == after.top == top and before is not after
        }
        assert ours == theirs
