from __future__ import annotations

from pathlib import Path

from domain.plant.escalation.reference import escalation_page

PAGE = Path(__file__).parents[4] / "docs/reference/escalation.md"


def test_the_page_of_escalation_is_what_the_tables_generate():
    page = PAGE.read_text(encoding="utf-8")
    assert page == escalation_page(), "python -m domain.plant.escalation.reference > docs/reference/escalation.md"


def test_the_page_says_the_minutes_and_the_levels():
    page = escalation_page()
    assert "| low | 15 min | 60 min | shift_manager; engineer |" in page
    assert "| critical | 2 min | 15 min | all_managers; admin; all_managers, admin; all_managers, admin |" in page
