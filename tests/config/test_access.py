"""The settings of access: roles, tenants, clients that say no name, and whether the gateway may start open."""

from __future__ import annotations

import tomllib

import pytest

from actors import access_faults
from config import (
    AccessSettings,
    AnonymousSettings,
    RoleSettings,
    Settings,
    SettingsError,
    Standing,
    TenantSettings,
    changed,
    load,
    standing_of,
    toml_value,
)


@pytest.fixture
def given(tmp_path):
    """The access that a file makes."""

    def given(text, environ=None):
        path = tmp_path / "andond.toml"
        path.write_text(text)
        return load(path, environ or {}, {}, (access_faults,)).settings.access

    return given


@pytest.fixture
def faults(given):
    """What is wrong with a file: (key, what is expected)."""

    def faults(text):
        with pytest.raises(SettingsError) as raised:
            given(text)
        return [(fault.key, fault.expected) for fault in raised.value.faults]

    return faults


def test_without_a_word_there_is_no_tenant_no_role_of_ones_own_and_nobody_is_let_in_without_a_name():
    access = Settings().access
    assert (access.required, access.tenants, access.roles) == ("auto", {}, {})
    assert access.anonymous == AnonymousSettings(enabled=False, channels=(), tenant="")


def test_roles_and_tenants_are_read_with_all_that_they_say(given):
    access = given(
        '[access]\nrequired = "always"\n'
        '[access.tenants.acme]\nplaces = ["acme/plant1", "acme/plant2"]\nchannels = ["chain/*", "host/metrics"]\n'
        '[access.roles.operator]\nlike = ["operator", "Viewer"]\nown_does = ["alarm.shelve"]\n'
        '[access.roles."Line Lead"]\ntitle = "Leads"\ndoes = ["andon.*"]\nsees = ["andon/*"]\nown_sees = ["oee/*"]\n'
        '[access.anonymous]\nenabled = true\nchannels = ["portal/*"]\ntenant = "acme"\n'
    )
    assert access == AccessSettings(
        required="always",
        tenants={"acme": TenantSettings(places=("acme/plant1", "acme/plant2"), channels=("chain/*", "host/metrics"))},
        roles={
            "operator": RoleSettings(like=("operator", "Viewer"), own_does=("alarm.shelve",)),
            "Line Lead": RoleSettings(title="Leads", does=("andon.*",), sees=("andon/*",), own_sees=("oee/*",)),
        },
        anonymous=AnonymousSettings(enabled=True, channels=("portal/*",), tenant="acme"),
    )


def test_tenants_can_come_from_a_variable(given):
    written = toml_value({"acme": TenantSettings(places=("acme",))})
    assert given("", {"ANDOND__ACCESS__TENANTS": written}).tenants == {"acme": TenantSettings(places=("acme",))}


def test_a_role_is_written_as_it_is_read():
    role = RoleSettings(does=("andon.*",), own_sees=("oee/*",))
    assert tomllib.loads(f"role = {toml_value(role)}")["role"] == {"does": ["andon.*"], "own_sees": ["oee/*"]}


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('[access]\nrequired = "never"\n', "access.required", "one of auto, always"),
        ("[access]\nopen = true\n", "access.open", "one of required,"),
        ('[access.roles.x]\ndo = ["andon.*"]\n', "access.roles.x.do", "'does', perhaps"),
        ('[access.roles.x]\ndoes = "andon.*"\n', "access.roles.x.does", "a list of text"),
        ('[access.roles.x]\ndoes = ["andon"]\n', "access.roles.x.does", 'actions such as ["andon.acknowledge"'),
        ('[access.roles.x]\ndoes = ["andon.*.x"]\n', "access.roles.x.does", 'actions such as ["andon.acknowledge"'),
        ('[access.roles.x]\ndoes = ["*.raise"]\n', "access.roles.x.does", 'actions such as ["andon.acknowledge"'),
        ('[access.roles.x]\ndoes = ["and*"]\n', "access.roles.x.does", 'actions such as ["andon.acknowledge"'),
        ('[access.roles.x]\ndoes = [""]\n', "access.roles.x.does", 'actions such as ["andon.acknowledge"'),
        ('[access.roles.x]\nsees = ["andon"]\n', "access.roles.x.sees", 'channels such as ["andon/*"'),
        ('[access.roles.x]\nsees = ["andon/"]\n', "access.roles.x.sees", 'channels such as ["andon/*"'),
        ('[access.roles.x]\nsees = ["andon/*/x"]\n', "access.roles.x.sees", 'channels such as ["andon/*"'),
        ('[access.roles.x]\nsees = ["andon/acme*"]\n', "access.roles.x.sees", 'channels such as ["andon/*"'),
        ('[access.roles.x]\nsees = ["andon/../x"]\n', "access.roles.x.sees", 'channels such as ["andon/*"'),
        ('[access.roles.x]\nsees = ["*/acme"]\n', "access.roles.x.sees", 'channels such as ["andon/*"'),
        ('[access.roles.x]\nown_sees = ["ANDON/*"]\n', "access.roles.x.own_sees", 'channels such as ["andon/*"'),
        ('[access.tenants.a]\nplaces = ["acme/*"]\n', "access.tenants.a.places", "an ISA-95 path"),
        ('[access.tenants.a]\nplaces = ["/acme"]\n', "access.tenants.a.places", "an ISA-95 path"),
        ('[access.tenants.a]\nplaces = [""]\n', "access.tenants.a.places", "an ISA-95 path"),
        ('[access.tenants.a]\nplaces = ["acme/.."]\n', "access.tenants.a.places", "an ISA-95 path"),
        ('[access.tenants]\na = ["acme"]\n', "access.tenants", "tables by name, [access.tenants.NAME]"),
        # What is known only where rules are known.
        ('[access.roles.x]\ndoes = ["andon.rise"]\n', "access.roles.x.does", "'andon.raise', perhaps"),
        ('[access.roles.x]\nown_does = ["call.*"]\n', "access.roles.x.own_does", "one of andon.raise,"),
        ('[access.roles.x]\nsees = ["calls/*"]\n', "access.roles.x.sees", "one of alarms,"),
        ('[access.roles.x]\nlike = ["operatr"]\n', "access.roles.x.like", "'operator', perhaps"),
        ("[access.roles.Boss]\n[access.roles.boss]\n", "access.roles.boss", "a name that is not taken, and 'Boss'"),
        ('[access.roles." "]\n', "access.roles. ", "a name of at most 128 characters"),
        ("[access.tenants.a]\n", "access.tenants.a", "places, or channels: without both"),
        ('[access.tenants."*"]\nplaces = ["acme"]\n', "access.tenants.*", "a name, which is not the word"),
        ('[access.tenants.""]\nplaces = ["acme"]\n', "access.tenants.", "a name, which is not the word"),
        (
            '[access.tenants.a]\nplaces = ["acme"]\n[access.tenants.b]\nplaces = ["acme/plant1"]\n',
            "access.tenants.b", "places of its own, and acme/plant1 is not apart from acme of a",
        ),
        (
            '[access.tenants.a]\nplaces = ["acme"]\n[access.tenants.b]\nplaces = ["bolt"]\nchannels = ["andon/*"]\n',
            "access.tenants.b", "channels without a place, and andon/* is also of a",
        ),
        (
            '[access.tenants.a]\nplaces = ["acme"]\n[access.tenants.b]\nplaces = ["bolt"]\nchannels = ["*"]\n',
            "access.tenants.b", "channels without a place, and * is also of a",
        ),
        ('[access.tenants.a]\nchannels = ["chains/*"]\n', "access.tenants.a.channels", "'chain', perhaps"),
        ('[access.anonymous]\nchannels = ["portals/*"]\n', "access.anonymous.channels", "'portal', perhaps"),
        ("[access.anonymous]\nenabled = true\n", "access.anonymous.channels", "what such clients see"),
        (
            '[access.anonymous]\nenabled = true\nchannels = ["*"]\n[access.tenants.a]\nplaces = ["acme"]\n',
            "access.anonymous.tenant", "one of a, *, or such clients see nothing",
        ),
        (
            '[access.anonymous]\ntenant = "b"\n[access.tenants.a]\nplaces = ["acme"]\n',
            "access.anonymous.tenant", "one of a, *, in place of 'b'",
        ),
        (
            '[access.certificates.press]\nsubject = "CN=press"\nroles = ["publishr"]\n',
            "access.certificates.press.roles", "'publisher', perhaps, in place of 'publishr'",
        ),
        (
            (
                '[access.certificates.press]\nsubject = "CN=press"\nroles = ["publisher"]\ntenant = "b"\n'
                '[access.tenants.a]\nplaces = ["acme"]\n'
            ),
            "access.certificates.press.tenant", "one of a, *, in place of 'b'",
        ),
    ],
)  # fmt: skip
def test_a_fault_has_its_key_and_what_was_expected(faults, text, key, expected):
    found = faults(text)
    assert [one for one, _ in found] == [key]
    assert found[0][1].startswith(expected)


def test_roles_and_tenants_that_an_issuer_names_are_there(faults):
    found = faults(
        '[access.tenants.a]\nplaces = ["acme"]\n'
        '[access.issuers.idp]\nissuer = "https://id.example"\ndiscovery = true\n'
        'tenant = "b"\ntenants = ["a", "c"]\nrole_map = { boss = "admin", lead = "leader" }\n'
    )
    assert [key for key, _ in found] == [
        "access.issuers.idp.role_map", "access.issuers.idp.tenant", "access.issuers.idp.tenants",
    ]  # fmt: skip


def test_all_faults_are_told_at_once(faults):
    found = faults(
        '[access.roles.x]\ndoes = ["andon.rise", "alarm.reset", "alarm.rest"]\nsees = ["calls/*"]\nlike = ["nobody"]\n'
        '[access.tenants.a]\nplaces = ["acme"]\n[access.tenants.b]\nplaces = ["acme"]\n'
    )
    assert [key for key, _ in found] == [
        "access.roles.x.like", "access.roles.x.does", "access.roles.x.does", "access.roles.x.sees", "access.tenants.b",
    ]  # fmt: skip


def test_a_reload_applies_roles_and_tenants_and_who_is_let_in():
    new = Settings(
        access=AccessSettings(
            tenants={"acme": TenantSettings(places=("acme",))},
            roles={"x": RoleSettings()},
            anonymous=AnonymousSettings(enabled=True),
        )
    )
    assert changed(Settings(), new) == (["access.anonymous", "access.tenants", "access.roles"], [])


# --- whether it may start open


@pytest.mark.parametrize(
    ("access", "listen", "is_told", "standing"),
    [
        (AccessSettings(), "127.0.0.1:9003", False, Standing.OPEN),
        (AccessSettings(), "[::1]:9003", False, Standing.OPEN),
        (AccessSettings(), "localhost:9003", False, Standing.OPEN),
        (AccessSettings(), "127.8.8.8:0", False, Standing.OPEN),
        (AccessSettings(), "0.0.0.0:9003", False, Standing.UNGUARDED),
        (AccessSettings(), "[::]:9003", False, Standing.UNGUARDED),
        (AccessSettings(), "10.0.0.7:9003", False, Standing.UNGUARDED),
        (AccessSettings(), "board.plant:9003", False, Standing.UNGUARDED),
        (AccessSettings(), "localhost.evil:9003", False, Standing.UNGUARDED),
        (AccessSettings(), "0.0.0.0:9003", True, Standing.GUARDED),
        (AccessSettings(), "127.0.0.1:9003", True, Standing.GUARDED),
        (AccessSettings(required="always"), "127.0.0.1:9003", False, Standing.GUARDED),
        (AccessSettings(required="always"), "0.0.0.0:9003", False, Standing.GUARDED),
        (AccessSettings(anonymous=AnonymousSettings(enabled=True)), "0.0.0.0:9003", False, Standing.GUARDED),
        (AccessSettings(tenants={"a": TenantSettings(places=("acme",))}), "127.0.0.1:1", False, Standing.GUARDED),
        (AccessSettings(roles={"x": RoleSettings()}), "127.0.0.1:1", False, Standing.GUARDED),
    ],
)
def test_a_gateway_stands_open_on_this_machine_alone_and_where_nothing_is_configured(access, listen, is_told, standing):
    assert standing_of(access, listen, is_told=is_told) is standing


def test_what_is_wrong_in_one_table_of_several_is_told_with_its_own_line_and_what_stands_there(tmp_path):
    path = tmp_path / "andond.toml"
    path.write_text(
        '[access.roles.good]\ndoes = ["andon.*"]\n\n[access.roles.bad]\ntitle = "bad"\ndoes = ["andon.acknowlege"]\n'
        '[access.tenants.a]\nplaces = ["acme"]\n[access.tenants.b]\nplcs = ["bolt"]\n'
    )
    with pytest.raises(SettingsError) as raised:
        load(path, {}, {}, (access_faults,))
    assert [str(fault) for fault in raised.value.faults] == [
        f"access.tenants.b.plcs ({path}:10): expected 'places', perhaps",
        f"access.roles.bad.does ({path}:6): expected 'andon.acknowledge', perhaps, in place of 'andon.acknowlege'",
    ]


def test_a_setting_that_is_blamed_for_another_one_keeps_its_line(tmp_path):
    path = tmp_path / "andond.toml"
    path.write_text(
        "[access]\nrequired = 'always'\n"
        "[access.issuers.plant]\nissuer = 'https://id.example'\naudience = ['a']\ndiscovery = true\nclient = 'a'\n"
    )
    with pytest.raises(SettingsError) as raised:
        load(path, {}, {}, (access_faults,))
    assert [(fault.key, fault.origin) for fault in raised.value.faults] == [("access.page.address", f"{path}:3")]
