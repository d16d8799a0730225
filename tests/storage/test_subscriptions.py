from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Remembered
from storage import StorageError, load_memory, save_memory

NOW = 1_800_000_000.0
CONTENTS = {"a": Remembered(frozenset({"tps", "blocks"}), NOW), "b": Remembered(frozenset(), NOW + 0.25)}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save_memory(tmp_path, CONTENTS)
    assert load_memory(tmp_path) == list(CONTENTS.items())
    save_memory(tmp_path, {})
    assert load_memory(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["subscriptions.json"]


def test_where_nothing_was_saved_nothing_is_loaded(tmp_path: Path) -> None:
    assert load_memory(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"a": 1}', '{"a": [["tps"], "now"]}', '{"a": [[1], 1.0]}', "\x00" * 50]
)
def test_a_file_that_is_not_understood_is_said_to_be_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "subscriptions.json").write_text(text)
    with pytest.raises(StorageError, match="read") as raised:
        load_memory(tmp_path)
    assert raised.value.damaged
    assert raised.value.path == tmp_path / "subscriptions.json"


def test_a_directory_that_is_gone_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write: No such file or directory"):
        save_memory(tmp_path / "gone", CONTENTS)
    (tmp_path / "subscriptions.json").mkdir()
    with pytest.raises(StorageError, match="cannot read: Is a directory"):
        load_memory(tmp_path)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_memory(tmp_path, CONTENTS)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save_memory(tmp_path, {})
    assert load_memory(tmp_path) == list(CONTENTS.items())


@given(contents=st.dictionaries(st.text(), st.tuples(st.frozensets(st.text()), st.floats(0, 1e12)), max_size=20))
def test_any_contents_come_back(contents: dict[str, tuple[frozenset[str], float]], tmp_path_factory) -> None:
    directory = tmp_path_factory.mktemp("memory")
    kept = {client: Remembered(names, at) for client, (names, at) in contents.items()}
    save_memory(directory, kept)
    assert dict(load_memory(directory)) == kept
