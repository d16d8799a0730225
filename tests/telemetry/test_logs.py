"""Log lines: their forms, their level, and what must not happen to them."""

import importlib.util
import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from telemetry import configure, context, counters, logs, set_level
from telemetry.logs import Log, choose, log

ROOT = Path(__file__).parents[2]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lines():
    """Configure logs to a stream and return a function that takes what was written."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.level

    def start(form="logfmt", level="info", target=stream):
        configure(form, level, target)

        def take():
            text = target.getvalue()
            target.seek(0)
            target.truncate()
            return text.splitlines()

        return take

    yield start
    configure("logfmt", "info")
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, logs._Bridge)]
    root.setLevel(before)
    logging.captureWarnings(capture=False)


def broken(text="boom"):
    with pytest.raises(ValueError, match=re.escape(text)) as raised:
        raise ValueError(text)
    return raised.value


def test_a_logfmt_line_has_time_level_event_and_fields(lines):
    take = lines()
    log.info("channel.retired", channel="line3/oee", idle=600, reason="nobody is there", last=None, whole=True)
    (line,) = take()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z info channel\.retired ", line)
    assert line.endswith('channel=line3/oee idle=600 reason="nobody is there" last= whole=true')


def test_a_json_line_has_time_level_and_event_first(lines):
    take = lines("json")
    log.warning("source.lost", source="press3", delay=0.5, kind=Log)
    (line,) = take()
    read = json.loads(line)
    assert list(read)[:3] == ["time", "level", "event"]
    assert (read["event"], read["level"], read["delay"]) == ("source.lost", "warning", 0.5)
    assert "Log" in read["kind"]


def test_a_line_for_a_terminal_is_for_eyes(lines):
    take = lines("console", target=io.StringIO())
    log.info("channel.retired", channel="line3/oee")
    (line,) = take()
    assert re.match(r"\d\d:\d\d:\d\d \[info +\] channel\.retired +channel=line3/oee", line)


def test_colours_are_for_terminals(lines):
    take = lines("console", target=Terminal())
    log.info("channel.retired")
    assert "\x1b[" in take()[0]


@pytest.mark.parametrize(("level", "priority"), [("debug", 7), ("info", 6), ("warning", 4), ("error", 3)])
def test_a_line_for_the_journal_begins_with_its_priority_and_has_no_time(lines, level, priority):
    take = lines("journal", "debug")
    getattr(log, level)("channel.retired", channel="line3/oee")
    assert take() == [f"<{priority}>channel.retired channel=line3/oee"]


@pytest.mark.parametrize("form", ["journal", "logfmt", "json"])
def test_a_line_is_one_line_a_traceback_and_hostile_text_included(lines, form):
    take = lines(form)
    log.error("actor.failed", error=broken("first\nsecond"), client="evil\n<0>fake.event \u2028 \x1b[2J\x00")
    (line,) = take()
    assert "ValueError" in line
    assert "second" in line
    assert "\x1b" not in line
    assert "\x00" not in line


def test_hostile_text_cannot_command_a_terminal(lines):
    take = lines("console", target=Terminal())
    log.error("actor.failed", error=broken("evil\x1b[2J"), client="evil\n<0>fake \x1b[2J")
    text = "\n".join(take())
    assert "\x1b[2J" not in text
    assert "Traceback" in text
    assert "\n<0>fake" not in text


def test_an_exception_group_is_shown_with_what_is_in_it(lines):
    take = lines()
    log.error("actor.failed", error=ExceptionGroup("several", [broken("one"), broken("two")]))
    (line,) = take()
    assert all(word in line for word in ("several", "one", "two"))


def test_below_the_level_nothing_is_written_and_a_reload_changes_the_level(lines):
    take = lines(level="warning")
    log.info("daemon.ready")
    log.debug("daemon.ready")
    log.sparing("info", "daemon.ready")
    assert take() == []
    set_level("debug")
    log.debug("daemon.ready")
    log.info("daemon.ready")
    log.sparing("info", "daemon.ready")
    assert len(take()) == 3
    set_level("error")
    log.warning("daemon.ready")
    log.error("daemon.failed")
    assert len(take()) == 1


def test_the_form_can_be_changed_while_running(lines):
    take = lines("logfmt")
    log.info("daemon.ready")
    take()
    take = lines("json")
    log.info("daemon.ready")
    assert json.loads(take()[0])["event"] == "daemon.ready"


def test_what_libraries_log_comes_out_of_the_same_door(lines):
    take = lines("journal")
    logging.getLogger("pykka").error("Unhandled %s", "thing")
    logging.getLogger("pykka").debug("noise")
    logging.getLogger("odd").log(35, "between levels")
    assert take() == [
        '<3>library.logged logger=pykka message="Unhandled thing"',
        '<4>library.logged logger=odd message="between levels"',
    ]


def test_the_traceback_of_a_library_is_kept(lines):
    take = lines()
    logging.getLogger("trio").error("crashed", exc_info=broken("deep inside"))
    assert "deep inside" in take()[0]


def test_warnings_of_python_are_logged_too(lines):
    take = lines("journal")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning("old", DeprecationWarning, "file.py", 1)
    assert take()[0].startswith("<4>library.logged logger=py.warnings")


def test_configuring_twice_does_not_double_the_lines_of_libraries(lines):
    lines()
    take = lines()
    logging.getLogger("pykka").warning("once")
    assert len(take()) == 1


def test_fields_of_the_context_are_on_every_line_until_it_ends(lines):
    take = lines("journal")
    with context(actor="/gateway/channels"):
        log.info("channel.created", channel="a/b")
    log.info("channel.created", channel="a/b")
    with_context, without = take()
    assert "actor=/gateway/channels" in with_context
    assert "actor=" not in without


def test_a_log_that_cannot_be_written_is_counted_and_hurts_nobody(lines):
    class Broken(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    lines(target=Broken())
    before = counters.log_lines_lost
    log.info("daemon.ready")
    closed = io.StringIO()
    lines(target=closed)
    closed.close()
    log.info("daemon.ready")
    assert counters.log_lines_lost == before + 2


def test_lines_follow_standard_error_when_no_stream_is_given(lines, capsys):
    lines()
    configure("journal", "info")
    log.info("daemon.ready")
    assert capsys.readouterr().err == "<6>daemon.ready\n"


def test_what_outsiders_cause_is_written_five_times_a_second_and_the_rest_counted(lines):
    take = lines("journal")
    now = 10.0
    sparing = Log(lambda: now)
    before = counters.log_lines_suppressed
    for _ in range(12):
        sparing.sparing("warning", "connection.refused")
    sparing.sparing("warning", "frame.rejected")
    assert take() == ["<4>connection.refused"] * 5 + ["<4>frame.rejected"]
    assert counters.log_lines_suppressed == before + 7
    now = 11.0
    sparing.sparing("warning", "connection.refused")
    sparing.sparing("warning", "connection.refused")
    assert take() == ["<4>connection.refused suppressed=7", "<4>connection.refused"]


# --- which form fits


def test_the_journal_is_recognised_by_its_device_and_inode(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        status = os.fstat(stream.fileno())
        named = f"{status.st_dev}:{status.st_ino}"
        assert choose("auto", {"JOURNAL_STREAM": named}, stream) == "journal"
        # Inherited from a service, but the output goes elsewhere.
        assert choose("auto", {"JOURNAL_STREAM": "1:2"}, stream) == "logfmt"
        assert choose("auto", {}, stream) == "logfmt"


def test_a_terminal_is_recognised_and_a_chosen_form_is_kept():
    assert choose("auto", {}, Terminal()) == "console"
    assert choose("auto", {"JOURNAL_STREAM": "1:2"}, io.StringIO()) == "logfmt"
    assert choose("json", {"JOURNAL_STREAM": "1:2"}, Terminal()) == "json"


def test_importing_the_logs_does_not_import_rich_and_does_not_hide_it():
    code = "import sys, telemetry; print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"


def test_a_program_that_uses_rich_itself_keeps_it():
    code = "import rich, sys, telemetry; print(sys.modules['rich'] is rich)"
    if importlib.util.find_spec("rich") is None:
        pytest.skip("rich is not installed here")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "True\n"
