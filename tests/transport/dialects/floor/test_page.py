from __future__ import annotations

import re
from pathlib import Path

import pytest

from transport.dialects.floor.questions import SECTIONS
from transport.dialects.floor.reference import filled, main, tables
from transport.dialects.floor.session import COMMANDS
from transport.dialects.floor.welcome import DOORS

PAGE = Path(__file__).parents[4] / "docs/reference/floor.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_has_the_tables_that_the_code_makes():
    assert filled(TEXT) == TEXT
    assert all(f"<!-- table: {name} -->" in TEXT for name in tables())


def test_a_page_out_of_date_is_brought_up_to_date(tmp_path):
    path = tmp_path / "floor.md"
    path.write_text(re.sub(r"`andon_event`", "`old`", TEXT), encoding="utf-8")
    main(path)
    assert "`andon_event`" in tables()["events"]
    assert tables()["events"] in path.read_text(encoding="utf-8")


def test_a_table_that_there_is_not_is_a_fault():
    with pytest.raises(KeyError):
        filled("<!-- table: weather -->\n<!-- end -->")


def test_the_page_names_every_message_every_door_every_section_and_every_code():
    said = TEXT.partition("## What a client says")[2].partition("## Subscriptions")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", said, re.MULTILINE)) == {*COMMANDS, "batch", "type"}
    assert all(door.path in TEXT for door in DOORS.values())
    assert all(f"`{section}`" in TEXT for section in SECTIONS)
    files = (PAGE.parents[2] / "transport/dialects").glob("floor/*.py")
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    codes = set(re.findall(r'(?:Fault\(|: )"([A-Z][A-Z_]+)"', sources)) | set(
        re.findall(r'Fault\(\s*"([A-Z][A-Z_]+)"', sources)
    )
    assert codes
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
