from pathlib import Path

from domain.plant.alarms.reference import alarms_page

ROOT = Path(__file__).parents[4]


def test_the_reference_of_alarms_is_what_the_code_generates() -> None:
    page = (ROOT / "docs/reference/alarms.md").read_text(encoding="utf-8")
    assert page == alarms_page()
    assert "| unshelve |" in page
