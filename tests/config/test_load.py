"""Layers of settings: which one wins, where a value came from, and that every fault is told at once."""

import math
import tomllib

import pytest
import trustme
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import config
from config import Fault, HostSource, MtconnectSource, Secret, SettingsError
from config.layers import FILE_LIMIT


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "andond.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def faults(path=None, environ=None, flags=None):
    with pytest.raises(SettingsError) as refused:
        config.load(path, environ or {}, flags or {})
    return refused.value.faults


def outcome(path, environ=None, flags=None):
    try:
        return config.load(path, environ or {}, flags or {}).settings
    except SettingsError as error:
        return error.faults


def fault(*arguments):
    (only,) = faults(*arguments)
    return only


PRESS = '[sources.press3]\nkind = "mtconnect"\naddress = "10.0.0.7:7878"\nequipment = "acme/plant1/line3/press3"\n'


# --- layers


def test_without_a_file_the_default_configuration_is_in_force():
    loaded = config.load(None, {}, {})
    assert loaded.settings.server == config.ServerSettings()
    assert {type(source) for source in loaded.settings.sources.values()} == {HostSource, config.HttpSource}
    assert set(loaded.origins.values()) == {config.DEFAULT}


def test_an_empty_file_is_the_defaults_and_no_source(write):
    assert config.load(write(""), {}, {}).settings == config.Settings()


def test_flags_win_over_variables_and_variables_over_the_file(write):
    path = write('[server]\nlisten = "a:1"\nhandshakes = 1\nconnections = 500\n')
    environ = {"ANDOND__SERVER__LISTEN": "b:2", "ANDOND__SERVER__HANDSHAKES": "2"}
    loaded = config.load(path, environ, {"server.listen": "c:3", "storage.path": None})
    server = loaded.settings.server
    assert (server.listen, server.handshakes, server.connections) == ("c:3", 2, 500)
    assert loaded.origins["server.listen"] == "--listen"
    assert loaded.origins["server.handshakes"] == "$ANDOND__SERVER__HANDSHAKES"
    assert loaded.origins["server.connections"] == f"{path}:4"
    assert loaded.origins["server.head_size"] == "default"
    assert loaded.origins["storage.path"] == "default"


def test_a_flag_may_have_its_type_already():
    assert config.load(None, {}, {"server.handshakes": 4}).settings.server.handshakes == 4
    assert fault(None, {}, {"server.handshakes": "four"}).origin == "--server.handshakes"


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("ANDOND__SERVER__CONNECTIONS", "300", ("server", "connections"), 300),
        ("ANDOND__SERVER__HEAD_TIMEOUT", "2", ("server", "head_timeout"), 2.0),
        ("ANDOND__SERVER__EXEMPT_LOOPBACK", "false", ("server", "exempt_loopback"), False),
        ("ANDOND__SERVER__TRUSTED_PROXIES", '["10.0.0.0/8"]', ("server", "trusted_proxies"), ("10.0.0.0/8",)),
        ("ANDOND__SERVER__TRUSTED_PROXIES", "[]", ("server", "trusted_proxies"), ()),
        ("ANDOND__SERVER__KEY_PASSWORD", "12345", ("server", "key_password"), Secret("12345")),
        ("ANDOND__PORTAL__TARGET_TPS", "2000000", ("portal", "target_tps"), 2_000_000),
        ("ANDOND__LOG__LEVEL", "debug", ("log", "level"), "debug"),
        ("andond__log__level", "debug", ("log", "level"), "debug"),
        ("ANDOND__LOG__LEVEL", "", ("log", "level"), "info"),
    ],
)
def test_a_variable_is_read_as_the_type_of_its_setting(write, variable, text, key, value):
    loaded = config.load(write(""), {variable: text, "PATH": "/bin"}, {}).settings
    assert getattr(getattr(loaded, key[0]), key[1]) == value


@pytest.mark.parametrize("text", ['{ exec = "execution" }', '{"exec": "execution"}'])
def test_a_table_in_a_variable_is_toml_or_json(write, text):
    loaded = config.load(write(PRESS), {"ANDOND__SOURCES__PRESS3__KEYS": text}, {})
    assert loaded.settings.sources["press3"].keys == {"exec": "execution"}


def test_a_variable_finds_a_source_whose_name_has_dashes(write):
    path = write(PRESS.replace("press3]", "press-3]"))
    loaded = config.load(path, {"ANDOND__SOURCES__PRESS_3__CADENCE": "5"}, {})
    assert list(loaded.settings.sources) == ["press-3"]
    assert loaded.settings.sources["press-3"].cadence == 5.0


def test_a_source_can_come_from_variables_alone(write):
    environ = {
        "ANDOND__SOURCES__PRESS3__KIND": "mtconnect",
        "ANDOND__SOURCES__PRESS3__ADDRESS": "10.0.0.7:7878",
        "ANDOND__SOURCES__PRESS3__EQUIPMENT": "acme/press3",
    }
    loaded = config.load(write(""), environ, {})
    assert loaded.settings.sources["press3"] == MtconnectSource(address="10.0.0.7:7878", equipment="acme/press3")
    assert loaded.origins["sources.press3.kind"] == "$ANDOND__SOURCES__PRESS3__KIND"
    assert loaded.origins["sources.press3.cadence"] == "default"


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault(write):
    path = write(b'\xef\xbb\xbf[log]\r\nlevel = "debug"\r\n')
    loaded = config.load(path, {}, {})
    assert loaded.settings.log.level == "debug"
    assert loaded.origins["log.level"] == f"{path}:2"


# --- secrets and credentials


def test_a_secret_is_read_from_the_file_that_is_named(write, tmp_path):
    (tmp_path / "password").write_text("hunter2\n")
    path = write(f'[server]\nkey_password_file = "{tmp_path}/password"\n')
    loaded = config.load(path, {}, {})
    assert loaded.settings.server.key_password == Secret("hunter2")
    assert loaded.origins["server.key_password"] == f"{path}:2"
    assert "hunter2" not in repr(loaded)


def test_a_credential_named_as_a_setting_sets_it(write, tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("andond.example")
    directory = tmp_path / "credentials"
    directory.mkdir()
    certificate.cert_chain_pems[0].write_to_path(directory / "server.certificate")
    certificate.private_key_pem.write_to_path(directory / "server.key")
    (directory / "server.key_password").write_text("hunter2")
    (directory / "unrelated").write_text("")
    loaded = config.load(write(""), {"CREDENTIALS_DIRECTORY": str(directory)}, {})
    assert loaded.settings.server.key == str(directory / "server.key")
    assert loaded.settings.server.key_password == Secret("hunter2")
    assert loaded.origins["server.key"] == "credential server.key"
    assert loaded.origins["server.key_password"].startswith("credential ")


def test_a_credential_that_no_setting_takes_is_a_fault(write, tmp_path):
    (tmp_path / "server.listen").write_text("a:1")
    assert fault(write(""), {"CREDENTIALS_DIRECTORY": str(tmp_path)}).key == "server.listen"
    assert fault(write(""), {"CREDENTIALS_DIRECTORY": "/nowhere"}).origin == "$CREDENTIALS_DIRECTORY"


def test_a_secret_and_its_file_at_once_are_a_fault_that_tells_neither(write, tmp_path):
    (tmp_path / "password").write_text("hunter2")
    path = write(f'[server]\nkey_password = "hunter3"\nkey_password_file = "{tmp_path}/password"\n')
    found = fault(path)
    assert found.key == "server.key_password_file"
    assert "not both" in found.expected
    assert "hunter" not in str(found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "can be read"), (b"", "not empty"), (b"\xff", "UTF-8"), (b"x" * 100_000, "at most")],
    ids=["absent", "empty", "binary", "huge"],
)
def test_a_file_that_holds_no_secret_is_a_fault(write, tmp_path, content, expected):
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    assert expected in fault(write(f'[server]\nkey_password_file = "{tmp_path}/password"\n')).expected


def test_a_secret_of_the_wrong_type_is_not_shown(write):
    found = fault(write("[server]\nkey_password = 271828\n"))
    assert found == Fault("server.key_password", f"{found.origin}", "text", "(hidden)")


# --- faults


def test_all_faults_are_told_at_once_each_with_its_key_and_place(write):
    path = write(
        '[server]\nlissen = "a:1"\nlisten = "nonsense"\nhead_timeout = inf\ndead_after = 5\n'
        '[sources.a]\nkind = "opc"\n[sources.b]\nkind = "mtconnect"\ncadence = -1\nequipment = "acme"\n[sources.c]\n'
        "[nonsense]\n"
    )
    found = faults(path, {"ANDOND__SERVER__CONNECTIONS": "many"}, {"storage.path": "/nowhere"})
    assert [(each.key, each.origin) for each in found] == [
        ("nonsense", f"{path}:13"),
        ("server.lissen", f"{path}:2"),
        ("server.listen", f"{path}:3"),
        ("server.head_timeout", f"{path}:4"),
        ("server.connections", "$ANDOND__SERVER__CONNECTIONS"),
        ("storage.path", "--data-dir"),
        ("sources.a.kind", f"{path}:7"),
        ("sources.b.cadence", f"{path}:10"),
        ("sources.b.address", f"{path}:8"),
        ("sources.c.kind", f"{path}:12"),
        ("server.dead_after", f"{path}:5"),
    ]


def test_a_fault_reads_as_a_sentence():
    found = Fault("server.listen", "andond.toml:3", "HOST:PORT", "'x'")
    assert str(found) == "server.listen (andond.toml:3): expected HOST:PORT, found 'x'"
    assert str(Fault("", "andond.toml", "valid TOML")) == "andond.toml: expected valid TOML"
    assert str(SettingsError([found, found])).count("\n") == 1


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[servre]\n", "servre", "'server', perhaps"),
        ("[zzz]\n", "zzz", "one of server, access, log"),
        ("server = 1\n", "server", "a table, [server]"),
        ("sources = 1\n", "sources", "a table, [sources]"),
        ("[sources]\npress3 = 1\n", "sources.press3", "a table, [sources.NAME]"),
        ("[server]\nlistne = 1\n", "server.listne", "'listen', perhaps"),
        ("[server]\nhandshakes = 0\n", "server.handshakes", "a whole number from 1 to 1024 (handshakes)"),
        ("[server]\nhandshakes = 1.5\n", "server.handshakes", "a whole number"),
        ("[server]\nhandshakes = true\n", "server.handshakes", "a whole number"),
        ('[server]\nhandshakes = "16"\n', "server.handshakes", "a whole number"),
        ("[server]\nidle_timeout = nan\n", "server.idle_timeout", "a number from 0.001 to 86400 (seconds)"),
        ("[server]\nidle_timeout = 0\n", "server.idle_timeout", "a number from 0.001"),
        ("[server]\nexempt_loopback = 1\n", "server.exempt_loopback", "true or false"),
        ('[server]\ntrusted_proxies = "10.0.0.1"\n', "server.trusted_proxies", "a list of text"),
        ("[server]\ncertificate = 2026-01-01\n", "server.certificate", "text"),
        ('[server]\ncertificate = "/nowhere"\n', "server.certificate", "a file that can be read"),
        ('[log]\nlevel = "inf"\n', "log.level", "'info', perhaps"),
        ('[log]\nlevel = "zzz"\n', "log.level", "one of debug, info, warning, error"),
        ("[log]\nlevel = 1\n", "log.level", "one of"),
        ("[portal]\ntarget_tps = 0\n", "portal.target_tps", "at least 1"),
        ('[sources.Press]\nkind = "host"\n', "sources.Press", "lower-case"),
        ("[sources.a]\nkind = 1\n", "sources.a.kind", "one of host, http, mtconnect"),
        ('[sources.a]\nkind = "mtconect"\n', "sources.a.kind", "'mtconnect', perhaps"),
        ('[sources.a]\nkind = "host"\nadress = 1\n', "sources.a.adress", "one of equipment, cadence"),
        (PRESS + "keys = { exec = 1 }\n", "sources.press3.keys", "a table of text"),
        (PRESS + 'keys = { exec = "" }\n', "sources.press3.keys", "a table such as"),
        ("[server]\nconnections = 10\n", "server.connections_per_address", "at most server.connections, which is 10"),
        ("[server]\nping_interval = 15\n", "server.dead_after", "more than server.ping_interval, which is 15.0"),
    ],
)
def test_a_wrong_value_is_one_fault_that_says_what_was_expected(write, text, key, expected):
    found = fault(write(text))
    assert found.key == key
    assert expected in found.expected


def test_a_relation_blames_who_was_given_and_not_the_default(write):
    path = write("[server]\nping_interval = 15\n")
    assert fault(path).origin == f"{path}:2"


def test_a_relation_with_a_key_that_is_faulty_already_is_not_told_twice(write):
    assert fault(write('[server]\nping_interval = 20\ndead_after = "long"\n')).key == "server.dead_after"


@pytest.mark.parametrize("kind", ["host", "http"])
def test_there_is_one_host_and_one_door_for_posts(write, kind):
    found = fault(write(f'[sources.a]\nkind = "{kind}"\n[sources.b]\nkind = "{kind}"\n'))
    assert (found.key, found.expected) == ("sources.b.kind", f"at most one source of kind {kind}, and a is one")


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("ANDOND__LISTEN", "ANDOND__SECTION__KEY"),
        ("ANDOND__SEVER__LISTEN", "'server', perhaps"),
        ("ANDOND__SERVER__LISTEN__PORT", "ANDOND__SECTION__KEY"),
        ("ANDOND__SOURCES__PRESS3", "ANDOND__SOURCES__NAME__KEY"),
        ("ANDOND__SOURCES____KIND", "ANDOND__SOURCES__NAME__KEY"),
        ("ANDOND__", "ANDOND__SECTION__KEY"),
        ("ANDOND__SERVER__LISTNE", "'listen', perhaps"),
        ("ANDOND__SERVER__TRUSTED_PROXIES", "a list of text"),
        ("ANDOND__SERVER__CONNECTIONS", "a whole number"),
        ("ANDOND__SERVER__EXEMPT_LOOPBACK", "true or false"),
        ("ANDOND__SERVER__IDLE_TIMEOUT", "a number"),
    ],
)
def test_a_wrong_variable_is_a_fault_that_names_it(write, variable, expected):
    found = fault(write(""), {variable: "10.0.0.1"})
    assert found.origin == f"${variable}"
    assert expected in found.expected


@pytest.mark.parametrize("text", ["inf", "nan", "-1"])
def test_a_variable_is_a_finite_number_too(write, text):
    assert fault(write(""), {"ANDOND__SERVER__IDLE_TIMEOUT": text}).key == "server.idle_timeout"


def test_the_line_of_what_is_no_toml_is_told(write):
    path = write("[server]\nlisten = \n")
    found = fault(path)
    assert (found.key, found.origin, found.expected) == ("", str(path), "valid TOML")
    assert "line 2" in found.found


def test_a_broken_file_does_not_hide_a_wrong_variable(write):
    assert len(faults(write("]"), {"ANDOND__LOG__LEVEL": "loud"})) == 2


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path):
    assert fault(tmp_path / "absent").found == "No such file or directory"
    assert fault(tmp_path).found == "Is a directory"


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"a = " + b"[" * 100_000, b"#" * (FILE_LIMIT + 1), b"a = " + b"9" * 5000],
    ids=["binary", "deep", "huge", "digits"],
)
def test_a_file_that_is_no_settings_at_all_is_one_fault(write, content):
    assert fault(write(content)).key == ""


def test_deep_json_in_a_variable_is_a_fault(write):
    assert fault(write(""), {"ANDOND__SERVER__TRUSTED_PROXIES": "[" * 100_000}).key == "server.trusted_proxies"


# --- TLS


@pytest.fixture
def identity(tmp_path):
    certificate = trustme.CA().issue_cert("andond.example")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "crt")
    certificate.private_key_pem.write_to_path(tmp_path / "key")
    return tmp_path


def test_a_certificate_with_its_key_is_right(write, identity):
    loaded = config.load(write(f'[server]\ncertificate = "{identity}/crt"\nkey = "{identity}/key"\n'), {}, {})
    assert loaded.settings.server.certificate == f"{identity}/crt"


@pytest.mark.parametrize(("given_key", "missing"), [("certificate", "server.key"), ("key", "server.certificate")])
def test_a_certificate_without_its_key_is_a_fault(write, identity, given_key, missing):
    assert fault(write(f'[server]\n{given_key} = "{identity}/crt"\n')).key == missing


def test_a_key_that_does_not_fit_its_certificate_is_a_fault(write, identity):
    trustme.CA().issue_cert("other.example").private_key_pem.write_to_path(identity / "other")
    found = fault(write(f'[server]\ncertificate = "{identity}/crt"\nkey = "{identity}/other"\n'))
    assert found.key == "server.certificate"
    assert f"{identity}/other is the key of another certificate than {identity}/crt" in found.expected


def test_a_certificate_that_is_none_is_a_fault(write, identity):
    (identity / "crt").write_text("nonsense")
    found = fault(write(f'[server]\ncertificate = "{identity}/crt"\nkey = "{identity}/key"\n'))
    assert "both PEM" in found.expected


# --- anything at all

WORDS = st.sampled_from([*"=1[]{}.'x\n", '"""', "[server]", "[sources.a]", "[sources]", "listen", "kind", '"host"'])


@given(st.one_of(st.binary(), st.text().map(str.encode), st.lists(WORDS).map(lambda words: " ".join(words).encode())))
@example(b"[sources.a]\nkind = [1]")
@example(b"server = [[1]]")
@example(b"[server]\nlisten = 1979-05-27T07:32:00Z\nkey_password = 1.5")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_settings_or_faults(write, content):
    found = outcome(write(content))
    assert isinstance(found, config.Settings) or found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from([f"{name}.{key}" for name, section in config.SECTIONS.items() for key in config.table(section)])


@given(st.dictionaries(KEYS, VALUES, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_value_of_any_flag_is_a_setting_or_a_fault(write, flags):
    found = outcome(write(""), {}, flags)
    if isinstance(found, config.Settings):
        numbers = [getattr(found.server, name) for name in ("head_timeout", "dead_after", "drain_timeout")]
        assert all(math.isfinite(number) and number >= 0 for number in numbers)
    else:
        assert {each.key.partition(".")[0] for each in found} <= set(config.SECTIONS)


@given(
    st.dictionaries(
        st.sampled_from(["LISTEN", "KEYS", "TRUSTED_PROXIES", "CONNECTIONS", "KEY_PASSWORD_FILE"]), st.text()
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_of_any_variable_is_a_setting_or_a_fault(write, texts):
    environ = {f"ANDOND__SERVER__{key}": text for key, text in texts.items()}
    found = outcome(write(""), environ)
    assert isinstance(found, config.Settings) or found


def test_toml_that_tomllib_reads_and_we_do_not_is_not_expected(write):
    assert tomllib.loads(config.DEFAULTS_PATH.read_text())
    assert config.load(config.DEFAULTS_PATH, {}, {}).settings == config.load(None, {}, {}).settings
