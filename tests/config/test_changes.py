"""What a reload applies and what waits for a restart."""

import msgspec

from config import HostSource, LogSettings, Secret, ServerSettings, Settings, StorageSettings, changed, in_force


def test_equal_settings_have_no_changes():
    assert changed(Settings(), Settings()) == ([], [])


def test_changes_are_told_apart_by_what_a_reload_can_do():
    new = Settings(
        server=ServerSettings(listen="a:1", connections=5, key_password=Secret("x")),
        log=LogSettings(level="debug"),
        storage=StorageSettings(path="/data"),
    )
    applied, needs_restart = changed(Settings(), new)
    assert applied == ["server.key_password", "server.connections", "log.level"]
    assert needs_restart == ["server.listen", "storage.path"]


def test_a_source_that_came_went_or_changed_is_named_once():
    old = Settings(sources={"gone": HostSource(), "same": HostSource(), "other": HostSource()})
    new = Settings(sources={"same": HostSource(), "other": HostSource(cadence=2.0, required=True), "new": HostSource()})
    assert changed(old, new) == (["sources.gone", "sources.other", "sources.new"], [])


def test_what_needs_a_restart_is_not_in_force_after_a_reload():
    old = Settings()
    new = Settings(server=ServerSettings(listen="a:1", connections=500), sources={"host": HostSource()})
    result = in_force(old, new)
    assert result == msgspec.structs.replace(
        new, server=msgspec.structs.replace(old.server, connections=500), sources={"host": HostSource()}
    )
    assert changed(result, new) == ([], ["server.listen"])
