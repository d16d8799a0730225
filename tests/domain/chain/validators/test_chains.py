"""Against a chain whose truth is known: nothing that is said late, twice, in any order or by a node that lies backwards
gives a second alert for one jailing, or calls one jailed who only left."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.chain.observations import ValidatorRow

NAMES = [letter * 40 for letter in "AB"]
ACTS = ("jail", "fall", "unjail", "leave", "join", "jail", "jail", "tombstone")
TERM = 10
BLOCK_TIME = 6.0
FIRST = 100
NODES = ("n1", "n2", "n3")


class Truth:
    """What one validator really is, from height to height."""

    def __init__(self) -> None:
        self.moves = [(FIRST, "bonded")]
        self.jailings = []

    def at(self, height):
        return next(state for begun, state in reversed(self.moves) if begun <= height)

    def may(self, act, height):
        begun, state = self.moves[-1]
        if begun == height or state == "tombstoned":
            return False
        return {
            "jail": state == "bonded",
            "tombstone": state == "bonded",
            "leave": state == "bonded",
            "fall": state == "bonded",
            "unjail": state == "jailed" and height >= begun + TERM,
            "join": state == "unbonding",
        }[act]

    def row(self, name, height, time_of):
        state = self.at(height)
        is_jailed = state in ("jailed", "tombstoned")
        until = time_of(self.since(height) + TERM) if is_jailed else None
        return ValidatorRow(
            name,
            bond="bonded" if state == "bonded" else "unbonding",
            is_jailed=is_jailed,
            is_tombstoned=state == "tombstoned",
            jailed_until=until,
        )

    def since(self, height):
        return next(begun for begun, _ in reversed(self.moves) if begun <= height)


class ChainAgainstTruth(RuleBasedStateMachine):
    def __init__(self, make_rig, time_of):
        super().__init__()
        self.make_rig = make_rig
        self.time_of = time_of

    @initialize(read_first=st.booleans())
    def begin(self, read_first):
        self.rig = self.make_rig()
        self.truths = {name: Truth() for name in NAMES}
        self.height = FIRST
        self.pending = []
        self.rig.say(self.rig.rules(jail_time=TERM * BLOCK_TIME))
        self.rig.at = self.time_of(self.height) + 1
        self.rig.say(*(self.rig.head(self.height, node) for node in NODES))
        if read_first:
            self.look_at_records(0, "n1")

    @rule(name=st.sampled_from(NAMES), choice=st.integers(0, 11), blocks=st.integers(1, TERM))
    def a_block(self, name, choice, blocks):
        self.grow(blocks)
        truth = self.truths[name]
        acts = [act for act in ACTS if truth.may(act, self.height)]
        if not acts:
            return
        act = acts[choice % len(acts)]
        states = {"jail": "jailed", "fall": "jailed", "tombstone": "tombstoned", "leave": "unbonding"}
        truth.moves.append((self.height, states.get(act, "bonded")))
        if act in ("jail", "fall", "tombstone"):
            truth.jailings.append(self.height)
        for node in NODES:
            if act in ("jail", "tombstone"):
                reason = "downtime" if act == "jail" else "double_sign"
                self.pending.append(("jail", self.height, name, reason, node))
            self.pending.append(("set", self.height, name, 10 if act in ("unjail", "join") else 0, node))

    def grow(self, blocks):
        for _ in range(blocks):
            self.height += 1
            self.rig.at = self.time_of(self.height) + 1
            self.rig.say(*(self.rig.head(self.height, node) for node in ("n1", "n2")))

    @rule(pick=st.integers(0, 1000), is_history=st.booleans(), again=st.booleans())
    def a_word_on_a_block(self, pick, is_history, again):
        if not self.pending:
            return
        index = pick % len(self.pending)
        kind, height, name, what, node = self.pending[index]
        if not again:
            del self.pending[index]
        if kind == "jail":
            self.rig.say(self.rig.jail(height, name, what, node, history=is_history))
        else:
            self.rig.say(self.rig.change(height, [(name, what)], node, history=is_history))

    @rule(back=st.one_of(st.just(0), st.integers(0, 30)), node=st.sampled_from(NODES))
    def look_at_records(self, back, node):
        height = max(FIRST, self.height - back)
        rows = [truth.row(name, height, self.time_of) for name, truth in self.truths.items()]
        self.rig.say(self.rig.read(height, *rows, node=node, complete=True))

    @rule(back=st.integers(0, 30), node=st.sampled_from(NODES))
    def look_at_the_set(self, back, node):
        """Who signs ``height`` was in the set two blocks before."""
        height = max(FIRST + 2, self.height - back)
        members = [name for name, truth in self.truths.items() if truth.at(height - 2) == "bonded"]
        rows = [ValidatorRow(name, bond="bonded", power=1) for name in members]
        if rows:
            self.rig.say(self.rig.read(height, *rows, node=node, method="validators"))

    @rule(height=st.one_of(st.integers(0, 200), st.integers(10**6, 10**9)), is_new=st.booleans())
    def a_lie_of_a_height(self, height, is_new):
        if height < self.height or height > self.height + 1000:
            at = self.rig.at if is_new else self.time_of(min(height, self.height))
            self.rig.say(self.rig.head(height, "n3", at=at))

    @rule()
    def time_passes(self):
        self.rig.look()

    @rule()
    def restart(self):
        self.rig.restart()
        self.rig.say(*(self.rig.head(self.height, node) for node in ("n1", "n2")))

    @invariant()
    def one_alert_for_a_jailing_and_none_for_a_leaver(self):
        for name, truth in self.truths.items():
            assert len(self.rig.alerts(name)) <= len(truth.jailings), name

    @invariant()
    def nothing_that_is_true_is_taken_back_or_contested(self):
        assert self.rig.of("validator.retracted") == []

    def teardown(self):
        if not hasattr(self, "rig"):
            return
        for _ in range(3):
            self.grow(1)
            for node in ("n1", "n2"):
                self.look_at_records(0, node)
        for name, truth in self.truths.items():
            expected = {"bonded": "ACTIVE", "unbonding": "INACTIVE", "jailed": "JAILED", "tombstoned": "TOMBSTONED"}
            assert self.rig.status(name) == expected[truth.at(self.height)], name
            if truth.jailings and truth.at(self.height) in ("jailed", "tombstoned"):
                assert self.rig.alerts(name), name


def test_one_alert_for_each_jailing_and_none_for_a_leaver_whatever_order_words_come_in(make_rig, chain_time):
    run_state_machine_as_test(
        lambda: ChainAgainstTruth(make_rig, chain_time),
        settings=settings(max_examples=300, stateful_step_count=50, deadline=None),
    )
