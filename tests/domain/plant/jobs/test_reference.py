"""The page about jobs is what the tables say."""

from pathlib import Path

from domain.plant.jobs import TRANSITIONS, State
from domain.plant.jobs.reference import jobs_page

ROOT = Path(__file__).parents[4]


def test_the_page_is_the_one_that_the_code_makes():
    page = (ROOT / "docs/reference/jobs.md").read_text(encoding="utf-8")
    assert page == jobs_page(), "python -m domain.plant.jobs.reference > docs/reference/jobs.md"


def test_the_page_has_every_state_and_every_transition():
    page = jobs_page()
    assert all(f"| {state.value} |" in page for state in State)
    assert all(f"\n| {trigger.value} |" in page for _, trigger in TRANSITIONS)
