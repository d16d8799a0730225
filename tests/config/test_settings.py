"""The table of settings, and that the default file and the reference say what it says."""

import re
import tomllib
from pathlib import Path

import pytest

import config
from config import SECTIONS, SOURCE_KINDS, Settings, table, toml_value
from config.convert import describe, is_table, nested_in
from config.reference import settings_page

ROOT = Path(__file__).parents[2]
SHIPPED = config.DEFAULTS_PATH.read_text(encoding="utf-8")


def nested(section):
    """The tables in a section that are there once, by their names: [floor.calls]."""
    found = {}
    for name, each in section.items():
        found[name] = each
        found |= nested({f"{name}.{row.name}": row.kind for row in table(each).values() if is_table(row)})
    return found


def in_lists(tables):
    """The tables that are in lists or have names, wherever."""
    for each in tables:
        kinds = [kind for row in table(each).values() if (kind := nested_in(row))]
        yield from kinds
        yield from in_lists(kinds)


SINGLE = nested(SECTIONS)
TABLES = {**SINGLE, **SOURCE_KINDS}
ALL = {**TABLES, **{kind.__name__: kind for kind in in_lists(SECTIONS.values())}}
# The part of the default file that a table has.
PARTS = dict(re.findall(r"^\[([\w.]+)\](.*?)(?=^\[|^# Sources:|\Z)", SHIPPED, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("name", ALL)
def test_every_setting_says_what_it_means_and_how_it_is_applied(name):
    for row in table(ALL[name]).values():
        assert row.meaning[0].isupper()
        assert not row.meaning.endswith(".")
        assert isinstance(row.is_reloadable, bool)
        assert describe(row)


@pytest.mark.parametrize("name", ALL)
def test_every_default_satisfies_its_own_rule(name):
    for row in table(ALL[name]).values():
        if not row.is_required and row.rule:
            assert row.rule(row.default) is None


def test_every_number_has_limits_and_a_default_within_them():
    rows = [row for section in ALL.values() for row in table(section).values() if row.kind in (int, float)]
    assert rows
    for row in rows:
        # Limits are also what keeps infinity and nan out.
        assert row.meta.ge <= (row.meta.ge if row.is_required else row.default) <= row.meta.le


def test_settings_without_arguments_are_the_defaults_and_no_source():
    assert Settings().server.listen == "127.0.0.1:9003"
    assert Settings().sources == {}


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        Settings().server.listen = "0.0.0.0:1"


# --- the default file


def test_the_default_file_says_the_defaults():
    shipped = tomllib.loads(SHIPPED)
    for name, section in SINGLE.items():
        part = shipped
        for word in name.split("."):
            part = part[word]
        for key, value in part.items():
            default = table(section)[key].default
            if not is_table(table(section)[key]):
                assert tomllib.loads(f"value = {toml_value(default)}")["value"] == value, f"{name}.{key}"
    for source in shipped["sources"].values():
        rows = table(SOURCE_KINDS[source.pop("kind")])
        for key, value in source.items():
            default = rows[key].default
            assert value == (list(default) if isinstance(default, tuple) else default), key


def test_the_default_file_names_every_setting_also_those_without_a_default():
    named = re.findall(r"^(?:# )?(\w+) = ", SHIPPED, re.MULTILINE)
    expected = []
    for section in TABLES.values():
        expected += ["kind"] if section in SOURCE_KINDS.values() else []
        rows = [row for row in table(section).values() if not is_table(row)]
        expected += [f"{row.name}_file" if row.is_secret else row.name for row in rows]
    assert sorted(named) == sorted(expected)


def test_the_default_file_marks_what_a_reload_applies():
    for title, section in SINGLE.items():
        for row in [row for row in table(section).values() if not is_table(row)]:
            name = f"{row.name}_file" if row.is_secret else row.name
            line = re.search(rf"^(?:# )?{name} = .*$", PARTS[title], re.MULTILINE)
            assert line, f"{title}.{name}"
            assert ("(reload)" in line[0]) is row.is_reloadable, f"{title}.{name}"


def test_the_example_of_a_machine_in_the_default_file_works_when_its_comment_is_removed(tmp_path):
    head, example = SHIPPED.split("# [sources.press3]")
    path = tmp_path / "andond.toml"
    path.write_text(head + "[sources.press3]" + re.sub(r"^# ", "", example, flags=re.MULTILINE))
    source = config.load(path, {}, {}).settings.sources["press3"]
    assert isinstance(source, config.MtconnectSource)
    assert source.address == "127.0.0.1:7878"
    given = {row.name: getattr(source, row.name) for row in table(type(source)).values() if not row.is_required}
    assert {**given, "keys": {}} == {
        row.name: row.default for row in table(type(source)).values() if not row.is_required
    }


def test_no_line_of_the_default_file_is_too_long_for_a_terminal_editor():
    assert max(len(line) for line in SHIPPED.splitlines()) <= 120


# --- the reference


def test_the_reference_of_settings_is_what_the_table_generates():
    assert (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8") == settings_page()


def test_the_reference_names_every_setting_its_default_and_its_unit():
    page = settings_page()
    assert (
        '| `listen` | `"127.0.0.1:9003"` | text (HOST:PORT) | Where to listen; port 0 takes a free one; `--listen` |'
        in page
    )
    assert "| `address` | required | text (HOST:PORT) |" in page
    assert "| `key_password_file` | none | path of a file that holds it |" in page
    assert "| `target_tps` | none | a whole number (transactions/s) |" in page
    assert "one of auto, console, logfmt, json" in page


@pytest.mark.parametrize(
    "value",
    ["text", 'a "quoted" \\ text', "\t\n\x7f", 1, 1.5, True, (), ("a", "b"), {}, {"a b": "c"}, {"exec": "execution"}],
)
def test_a_value_written_as_toml_is_read_as_the_same_value(value):
    read = tomllib.loads(f"value = {toml_value(value)}")["value"]
    assert read == (list(value) if isinstance(value, tuple) else value)
