"""The chain: what was written holds, and whatever is done to it shows."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.audit import GENESIS, RETIRED, Broken, Chain, Entry, Head, Outcome, Target, digest, hash_of, retirement

AT = 1_800_000_000.0
TEXTS = st.text(max_size=10)
VALUES = st.none() | st.floats() | st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2)
ENTRIES = st.fixed_dictionaries(
    {
        "at": st.floats(min_value=0, max_value=4e9),
        "what": TEXTS,
        "outcome": st.sampled_from(Outcome),
        "target": st.builds(Target, TEXTS, TEXTS),
        "why": TEXTS,
        "before": VALUES,
        "after": VALUES,
    }
).map(lambda members: Entry(**members))
CHAINS = st.lists(ENTRIES, min_size=1, max_size=5)


def written(entries) -> list[bytes]:
    chain = Chain()
    return [chain.write(entry) for entry in entries]


def seen(lines) -> tuple[Head, Broken | None]:
    """Where a chain ends that is followed as far as it holds, and why it does not from there on."""
    chain = Chain()
    for line in lines:
        try:
            chain.follow(line)
        except Broken as broken:
            return chain.head, broken
    return chain.head, None


def follow(lines) -> Head:
    chain = Chain()
    for line in lines:
        chain.follow(line)
    return chain.head


@given(CHAINS)
def test_what_was_written_holds_and_ends_at_the_same_head(entries):
    chain = Chain()
    lines = [chain.write(entry) for entry in entries]
    assert follow(lines) == chain.head
    assert chain.head.number == len(entries)
    assert all(line.isascii() and b"\n" not in line for line in lines)


@given(CHAINS, st.data())
def test_a_changed_byte_shows_at_its_entry_or_at_the_next_or_in_the_head(entries, data):
    lines = written(entries)
    head = follow(lines)
    which = data.draw(st.integers(0, len(lines) - 1))
    where = data.draw(st.integers(0, len(lines[which]) - 1))
    changed = bytearray(lines[which])
    changed[where] ^= data.draw(st.integers(1, 255))
    lines[which] = bytes(changed)
    end, broken = seen(lines)
    assert end != head
    assert broken is None or broken.number in (which + 1, which + 2)


@given(CHAINS, CHAINS, st.data())
def test_what_is_deleted_inserted_or_put_elsewhere_shows(entries, others, data):
    lines, foreign = written(entries), written(others)
    head = follow(lines)
    harmed = list(lines)
    which = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(["delete", "insert", "swap", "repeat"])):
        case "delete":
            del harmed[which]
        case "insert":
            harmed.insert(which, foreign[-1])
        case "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            harmed[which], harmed[other] = harmed[other], harmed[which]
        case "repeat":
            harmed.insert(which, harmed[which])
    if harmed == lines:
        return
    assert seen(harmed)[0] != head or seen(harmed)[1] is not None


@pytest.mark.parametrize(
    ("harm", "number", "why"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"second", b"2econd"), lines[2]], 3, "does not follow entry 2"),
        (lambda lines: [lines[0], lines[2]], 2, "entry 3 stands in its place"),
        (lambda lines: lines[1:], 1, "entry 2 stands in its place"),
        (lambda lines: [lines[0], b"", *lines[1:]], 2, "no JSON"),
        (lambda lines: [lines[0], b"[]", *lines[1:]], 2, "no entry"),
        (lambda lines: [lines[0], lines[1][:40]], 2, "not whole"),
        (lambda lines: [lines[0], b"\xff" + lines[1]], 2, "no JSON"),
        (lambda lines: [lines[0], b"[" * 100_000], 2, "no JSON"),
        (lambda lines: [lines[0], lines[1].replace(b'"number":2', b'"number":true')], 2, "not written as andond"),
        (lambda lines: [lines[0], lines[1].replace(b'"previous":"', b'"previous":"X')], 2, "not written as andond"),
        (lambda lines: [lines[0].replace(GENESIS.encode(), b"1" * 64)], 1, "does not follow the beginning"),
    ],
)
def test_the_first_entry_that_does_not_hold_is_named(harm, number, why):
    lines = written(Entry(AT, "x", Outcome.DONE, why=text) for text in ("first", "second", "third"))
    with pytest.raises(Broken, match=why) as caught:
        follow(harm(lines))
    assert caught.value.number == number


def test_a_chain_that_did_not_go_on_is_where_it_was():
    lines = written(Entry(AT, "x", Outcome.DONE, why=text) for text in ("first", "second"))
    chain = Chain()
    chain.follow(lines[0])
    before = chain.head
    with pytest.raises(Broken):
        chain.follow(lines[0])
    assert chain.head == before
    chain.follow(lines[1])


def test_a_chain_can_be_taken_up_in_its_middle():
    lines = written(Entry(AT, "x", Outcome.DONE, why=str(number)) for number in range(4))
    chain = Chain(None)
    assert chain.head == Head()
    chain.follow(lines[2])
    assert chain.start == follow(lines[:2])
    chain.follow(lines[3])
    assert chain.head == follow(lines)


def test_the_chain_can_be_checked_without_andond():
    lines = written(Entry(AT, "x", Outcome.DONE, why=str(number)) for number in range(3))
    previous = GENESIS
    for line in lines:
        assert json.loads(line)["previous"] == previous
        previous = hashlib.sha256(line).hexdigest()
    assert previous == follow(lines).hash


def test_an_entry_is_written_by_the_names_of_its_members_and_without_blanks():
    (line,) = written([Entry(AT, "x", Outcome.DONE, why="schön \x1b[2J")])
    document = json.loads(line)
    assert line == json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    assert b"\\u001b" in line


def test_a_head_is_read_as_it_is_written():
    head = Head(17, digest(b"x"))
    assert Head.parse(str(head)) == head


@pytest.mark.parametrize("text", ["", "1", "x:" + GENESIS, "1:00", f"1:{'g' * 64}", f"-1:{GENESIS}", f"1:{'A' * 64}"])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(ValueError, match="NUMBER:HASH"):
        Head.parse(text)


def test_a_retirement_says_where_the_rest_begins():
    entry = retirement(AT, Head(9, digest(b"x")), 1, "they are old")
    assert (entry.what, entry.target.id) == (RETIRED, "1-9")
    assert entry.after == {"first": 10, "previous": digest(b"x"), "deleted_from": 1}
    assert replace(entry, why="").why == ""


def test_a_short_hash_is_the_same_for_the_same():
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1}) != hash_of({"a": 1})
