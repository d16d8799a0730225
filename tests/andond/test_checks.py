"""The verbs check and config: every fault at once, and what was understood."""

import os
import resource
import tomllib
from argparse import Namespace

import pytest
import trustme

import config
from andond.checks import EX_CONFIG, check, flags, show


@pytest.fixture
def write(tmp_path, monkeypatch):
    for variable in list(os.environ):
        if variable.upper().startswith("ANDOND__"):
            monkeypatch.delenv(variable)

    def write(text):
        path = tmp_path / "andond.toml"
        path.write_text(text)
        return Namespace(config=path)

    return write


PRESS = '[sources.press3]\nkind = "mtconnect"\naddress = "10.0.0.7:7878"\nequipment = "acme/press3"\nrequired = true\n'


def test_a_right_file_is_told_in_short(write, capsys, tmp_path):
    assert check(write(f'[storage]\npath = "{tmp_path}"\n[sources.host]\nkind = "host"\n{PRESS}')) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[:5] == [
        f"{tmp_path}/andond.toml: ok",
        "  listen on 127.0.0.1:9003 (no TLS), at most 12000 connections",
        f"  data in {tmp_path}",
        "  source host: host",
        "  source press3: mtconnect at 10.0.0.7:7878, required",
    ]


def test_the_default_configuration_is_right(write, capsys):
    assert check(Namespace(config=None)) == 0
    assert capsys.readouterr().out.startswith("default configuration: ok\n")


def test_a_file_without_sources_is_right_and_says_so(write, capsys):
    assert check(write("")) == 0
    assert "no sources" in capsys.readouterr().out


def test_every_fault_is_one_line_on_standard_error_and_the_code_is_78(write, capsys):
    args = write('[server]\nlisten = "x\\ny"\nhandshakes = 0\n[sources.a]\nkind = "opc"\n')
    assert check(args) == EX_CONFIG == 78
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 3
    assert all(
        line.startswith(key)
        for line, key in zip(
            said.err.splitlines(), ["server.listen", "server.handshakes", "sources.a.kind"], strict=True
        )
    )
    assert f"{args.config}:2" in said.err


def test_a_limit_of_open_files_that_is_too_low_is_noted(write, capsys, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 4096))
    assert check(write("")) == 0
    assert "note: server.connections needs 12100 open files and at most 4096 are allowed" in capsys.readouterr().out
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, resource.RLIM_INFINITY))
    assert check(write("")) == 0
    assert "note:" not in capsys.readouterr().out


def test_flags_of_the_command_line_are_checked_too(write, capsys):
    args = write("")
    args.listen = "nonsense"
    assert check(args) == EX_CONFIG
    assert capsys.readouterr().err.startswith("server.listen (--listen): ")
    given = flags(Namespace(listen="a:1", data_dir=None))
    assert given == {"server.listen": "a:1", "storage.path": None}


def test_the_settings_in_force_are_shown_with_the_origin_of_each(write, capsys, monkeypatch):
    monkeypatch.setenv("ANDOND__LOG__LEVEL", "debug")
    args = write(f'[server]\nlisten = "127.0.0.1:0"\n{PRESS}keys = {{ exec = "execution" }}\n')
    assert show(args) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f'listen = "127.0.0.1:0" # from {args.config}:2' in lines
    assert 'level = "debug" # from $ANDOND__LOG__LEVEL' in lines
    assert "head_size = 16384 # default" in lines
    assert "# target_tps is not set # default" in lines
    assert f'kind = "mtconnect" # from {args.config}:4' in lines


def test_what_is_shown_is_a_file_with_the_same_settings(write, capsys, tmp_path):
    args = write(f'[server]\ntrusted_proxies = ["10.0.0.0/8"]\n[sources.host]\nkind = "host"\n{PRESS}')
    assert show(args) == 0
    shown = tmp_path / "shown.toml"
    shown.write_text(capsys.readouterr().out)
    assert config.load(shown, {}, {}).settings == config.load(args.config, {}, {}).settings


def test_secrets_are_hidden_and_their_origin_is_shown(write, capsys, tmp_path):
    certificate = trustme.CA().issue_cert("andond.example")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "pem")
    (tmp_path / "password").write_text("hunter2")
    args = write(
        f'[server]\ncertificate = "{tmp_path}/pem"\nkey = "{tmp_path}/pem"\nkey_password_file = "{tmp_path}/password"\n'
    )
    assert show(args) == 0
    assert check(args) == 0
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err
    assert f"# key_password = (hidden)                     # from {args.config}:4" in said.out
    assert "(TLS)" in said.out


def test_wrong_settings_are_not_shown_but_their_faults(write, capsys):
    assert show(write("nonsense")) == EX_CONFIG
    said = capsys.readouterr()
    assert said.out == ""
    assert "expected valid TOML" in said.err


def test_the_commented_default_file_is_printed_on_request(capsys):
    assert show(Namespace(config=None, defaults=True)) == 0
    said = capsys.readouterr().out
    assert said == config.DEFAULTS_PATH.read_text(encoding="utf-8")
    assert tomllib.loads(said)["server"]["listen"] == "127.0.0.1:9003"


PLANT = """
[site]
enterprise = "acme"
name = "plant1"
[[site.lines]]
name = "line3"
aliases = ["BP01"]
units = [{ name = "press3" }, { name = "press4" }]
"""


def chain(name, more="", steps='[{ notify = ["anna"] }]'):
    return (
        f'[[floor.escalation.chains]]\nname = "{name}"\nacknowledge = 60\nresolve = 600\n{more}\n'
        f"unacknowledged = {steps}\n"
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[floor.alarms.list]]\nkey = "a"\nequipment = "acme/plant1/line9/*"', "floor.alarms.list[1].equipment"),
        (
            '[[floor.alarms.suppressions]]\nname = "off"\nequipment = "acme/plant1/line9"\nstates = ["off"]',
            "floor.alarms.suppressions[1].equipment",
        ),
        ('[floor.alarms.positions]\n"acme/plant1/line9" = "acme"', "floor.alarms.positions.acme/plant1/line9"),
        (
            '[floor.counters.a]\nequipment = "acme/plant1/line3/press9"\nreading = "n"',
            "floor.counters.a.equipment",
        ),
        (
            '[floor.quality.characteristics.w]\nequipment = "acme/plant1/line9"',
            "floor.quality.characteristics.w.equipment",
        ),
        (
            '[floor.jobs.outputs]\n"acme/plant1/line3" = "acme/plant1/line3/press9"',
            "floor.jobs.outputs.acme/plant1/line3",
        ),
        (chain("own", 'paths = ["acme/plant1/line9/*"]'), "floor.escalation.chains[1].paths"),
        ('[access.tenants.acme]\nplaces = ["acme/plant1/line9"]', "access.tenants.acme.places"),
        (
            '[access.certificates.press]\nsubject = "CN=press"\nroles = ["publisher"]\nplaces = ["acme/plant1/line9"]',
            "access.certificates.press.places",
        ),
        (chain("own", 'paths = ["BP01"]'), "floor.escalation.chains[1].paths"),
    ],
)
def test_a_place_that_the_site_does_not_describe_is_a_warning_and_no_fault(write, capsys, text, key):
    assert check(write(PLANT + text)) == 0
    said = capsys.readouterr()
    assert said.err.startswith(f"warning: {key}: ")
    assert ": ok, 1 warning\n" in said.out
    assert check(write(text)) == 0
    assert capsys.readouterr().err == ""


def test_an_alias_is_told_with_the_path_that_it_is_for(write, capsys):
    assert check(write(PLANT + chain("own", 'paths = ["BP01"]'))) == 0
    assert "write 'acme/plant1/line3'" in capsys.readouterr().err


def test_a_chain_that_tells_only_channels_that_are_not_set_up_is_a_warning(write, capsys):
    silent = chain("silent", steps='[{ notify = ["anna"], channels = ["mail", "mqtt"] }]')
    assert check(write(silent)) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: floor.escalation.chains[1]: ")
    assert "notifications.mail.server" in said
    assert check(write(silent + '[notifications.mail]\nserver = "mx:25"\nsender = "a@b.example"')) == 0
    assert capsys.readouterr().err == ""


def test_a_chain_for_a_type_that_no_call_has_can_never_run_and_is_refused(write, capsys):
    assert check(write(chain("own", 'types = ["maintenanc"]') + chain("two", 'types = ["stop"]'))) == EX_CONFIG
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("floor.escalation.chains[1].types ")
    assert "'maintenance', perhaps" in first
    assert "'maintenance', the type of calls of that word" in second


def test_a_characteristic_of_a_product_that_there_is_not_is_refused(write, capsys):
    quality = '[floor.quality.characteristics.w]\nequipment = "acme/line3"\nproduct = "flower"\n'
    assert check(write(f"{quality}[floor.products.flour]\n")) == EX_CONFIG
    assert "floor.quality.characteristics.w.product" in capsys.readouterr().err
    assert check(write(quality)) == 0


def test_what_is_wrong_in_one_table_hides_nothing_in_another(write, capsys):
    text = (
        chain("one", 'priorities = ["urgent"]')
        + chain("two", 'types = ["maintenanc"]')
        + chain("three", steps='[{ notify = ["anna"] }, { wait = "noon" }]')
        + '[[floor.alarms.list]]\nkey = "a"\nalarm_class = "guards"\n'
        + '[[floor.alarms.list]]\nkey = "b"\npriority = "urgent"\n'
        + "[floor.quality.characteristics.w]\nequipment = 'acme/line3'\nmean = 4.0\n"
        + "[floor.quality.characteristics.v]\nequipment = 'acme/line3'\nsize = 99\n"
        + '[[site.people]]\nname = "anna"\nshifts = ["early"]\n[[site.people]]\nname = "ben"\nabsent = ["never"]\n'
    )
    assert check(write(text)) == EX_CONFIG
    told = {line.partition(" (")[0] for line in capsys.readouterr().err.splitlines()}
    assert told == {
        "floor.escalation.chains[1].priorities",
        "floor.escalation.chains[2].types",
        "floor.escalation.chains[3].unacknowledged[2].wait",
        "floor.alarms.list[1].alarm_class",
        "floor.alarms.list[2].priority",
        "floor.quality.characteristics.w.sigma",
        "floor.quality.characteristics.v.size",
        "site.people[1].shifts",
        "site.people[2].absent",
    }
