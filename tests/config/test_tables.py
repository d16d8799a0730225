"""Tables within a section: one, a list of them, some by name; what is understood, and faults by their keys."""

from __future__ import annotations

import pytest

from config import Secret, Settings, SettingsError, SiteSettings, changed, in_force, load, toml_value
from config.relation import Broken, root_of


@pytest.fixture
def given(tmp_path):
    def given(text, environ=None):
        path = tmp_path / "andond.toml"
        path.write_text(text)
        return load(path, environ or {}, {}).settings

    return given


@pytest.fixture
def faults(given):
    def faults(text, environ=None):
        with pytest.raises(SettingsError) as raised:
            given(text, environ)
        return [(fault.key, fault.expected) for fault in raised.value.faults]

    return faults


def test_a_table_that_says_some_has_its_defaults_for_the_rest(given):
    floor = given("[floor.jobs]\nkept = 86400\n").floor
    assert (floor.jobs.kept, floor.jobs.late) == (86400, Settings().floor.jobs.late)
    assert floor.escalation == Settings().floor.escalation


def test_tables_by_name_are_kept_by_their_names(given):
    products = given(
        '[floor.products.flour]\nideal_cycle = 2\n[floor.products."rye 25"]\ntitle = "Rye"\n'
    ).floor.products
    assert list(products) == ["flour", "rye 25"]
    assert products["flour"].ideal_cycle == 2.0


def test_a_table_in_a_variable_takes_the_place_of_the_one_in_the_file(given):
    environ = {"ANDOND__FLOOR__JOBS": "{ kept = 172800 }"}
    assert given("[floor.jobs]\nkept = 86400\n", environ).floor.jobs.kept == 172800


def test_each_fault_has_the_key_of_its_table_and_no_fault_hides_another(faults):
    found = faults("[floor.jobs]\nkept = -1\nlat = 3\n[floor.products.flour]\nideal_cycle = 0\n")
    assert [key for key, _ in found] == ["floor.jobs.kept", "floor.jobs.lat", "floor.products.flour.ideal_cycle"]
    assert found[1][1] == "'late', perhaps"


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[floor]\njobs = 3\n", "floor.jobs", "a table, [floor.jobs]"),
        ("[floor]\njobs = [{ kept = 3 }]\n", "floor.jobs", "a table, [floor.jobs]"),
        ("[floor]\nproducts = 3\n", "floor.products", "tables by name, [floor.products.NAME]"),
        ("[floor.products]\nflour = 3\n", "floor.products", "tables by name, [floor.products.NAME]"),
        ('[site]\nshifts = { name = "a" }\n', "site.shifts", "a list of tables, [[site.shifts]]"),
    ],
)
def test_what_has_another_form_is_told_the_form(faults, text, key, expected):
    assert faults(text) == [(key, expected)]


def test_a_table_in_a_table_in_a_list_is_named_by_all_its_numbers(faults):
    found = faults(
        '[[site.lines]]\nname = "a"\n[[site.lines]]\nname = "b"\ncells = [{ name = "c", units = [{}, 3] }]\n'
    )
    assert found == [("site.lines[2].cells[1].units", "a list of tables, [[site.lines.cells.units]]")]


def test_a_secret_in_a_table_is_not_written():
    assert toml_value(Secret("hunter2")) == '"(hidden)"'


def test_a_reload_applies_the_site():
    new = Settings(site=SiteSettings(holidays={"2026-12-25": "Christmas"}))
    assert changed(Settings(), new) == (["site.holidays"], [])
    assert in_force(Settings(), new).site == new.site


@pytest.mark.parametrize(
    ("key", "root"),
    [
        ("site.people[2].shifts", "site.people"),
        ("site.shifts", "site.shifts"),
        ("server.listen", "server.listen"),
        ("sources.press3.address", "sources.press3.address"),
    ],
)
def test_a_key_in_a_table_is_of_the_setting_that_has_the_table(key, root):
    assert root_of(key) == root
    assert Broken((key,), "x").roots == (root,)
