"""The page about calls is what the tables say."""

from pathlib import Path

from domain.plant.calls import KINDS, TRANSITIONS, State, Trigger
from domain.plant.calls.reference import calls_page

PAGE = Path(__file__).parents[4] / "docs/reference/calls.md"


def test_the_page_is_the_one_that_the_code_makes():
    page = PAGE.read_text(encoding="utf-8")
    assert page == calls_page(), "python -m domain.plant.calls.reference > docs/reference/calls.md"


def test_the_page_has_every_transition_word_and_trigger():
    page = calls_page()
    for (before, trigger), after in TRANSITIONS.items():
        assert before is after or f"{before} --> {after}: {trigger}\n" in page
    assert all(f"| `{word}` |" in page for word in (*KINDS, *Trigger))
    assert all(f"| {state} |" in page for state in State)
