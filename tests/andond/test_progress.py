"""The bar of a long read: on a terminal only, and gone when it is done."""

import io
from pathlib import Path

from andond.progress import Progress


def test_the_bar_grows_with_what_was_read_and_is_wiped_at_the_end() -> None:
    terminal = io.StringIO()
    with Progress(200, terminal) as progress:
        progress.read(50)
        assert progress.bar() == f"reading [{'#' * 10}{'.' * 30}]  25%"
        progress.read(500)
        assert progress.bar().endswith("100%")
    assert "25%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_without_a_terminal_nothing_is_written(tmp_path: Path, capsys) -> None:
    log = tmp_path / "mill.txt"
    log.write_text("x")
    with Progress.over([log, tmp_path / "gone.txt"]) as progress:
        progress.read(1)
    assert capsys.readouterr() == ("", "")
