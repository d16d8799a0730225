"""Lines of keys in a file, for messages."""

from hypothesis import given
from hypothesis import strategies as st

from config.lines import key_lines, line_of

TEXT = """\
# a comment, key = 1
top = 1

[server]
listen = "a"
  dead_after = 3
"quoted key" = 1
proxies = [
  "x = 1",
]
[ sources . press3 ]
kind = "mtconnect"
keys.exec = "execution"
[sources.'press-4'] # a comment
address = "a:1"
[[many]]
"""


def test_keys_and_tables_have_the_line_they_stand_on():
    lines = key_lines(TEXT)
    assert lines["top",] == 2
    assert lines["server",] == 4
    assert lines["server", "listen"] == 5
    assert lines["server", "dead_after"] == 6
    assert lines["server", "quoted key"] == 7
    assert lines["sources", "press3"] == 11
    assert lines["sources", "press3", "kind"] == 12
    assert lines["sources", "press3", "keys", "exec"] == 13
    assert lines["sources", "press-4", "address"] == 15
    assert lines["many",] == 16


def test_a_key_without_a_line_is_placed_at_the_table_around_it():
    lines = key_lines(TEXT)
    assert line_of(lines, ("sources", "press3", "keys", "other")) == 13
    assert line_of(lines, ("server", "unknown")) == 4
    assert line_of(lines, ("absent",)) is None


@given(st.text())
def test_any_text_has_lines(text):
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())
