"""From the settings to what escalation goes by, and every fault of the chains."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

import config
from actors.notifier import PresentRulebook, chain_faults, rulebook_of
from config import Settings, SettingsError
from domain.plant.escalation import ACKNOWLEDGE, GROUPS, RECIPIENTS, RESOLVE, CallFacts, Rulebook
from domain.plant.site import ShiftCalendar

NOW = 1_800_000_000.0


def _load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "andond.toml"
    path.write_text(text)
    return config.load(path, {}, {}, [chain_faults]).settings


def _facts(priority="high", type_="safety", path="acme/plant1/line3"):
    return CallFacts("c1", path, type_, priority, "", "anna", NOW)


def test_the_settings_without_arguments_are_the_predecessors_table():
    settings = Settings()
    escalation = settings.floor.escalation
    assert dict(escalation.acknowledge) == ACKNOWLEDGE
    assert dict(escalation.resolve) == RESOLVE
    assert dict(escalation.recipients) == dict(RECIPIENTS)
    assert dict(settings.notifications.groups) == dict(GROUPS)
    made, built_in = rulebook_of(settings), Rulebook()
    assert made.built_in == built_in.built_in
    assert made.channels == built_in.channels
    assert made.patience == built_in.patience


def test_chains_addresses_and_schedules_are_those_of_the_file(tmp_path):
    settings = _load(
        tmp_path,
        """
[floor.escalation]
acknowledge = { high = 240 }
[[floor.escalation.chains]]
name = "safety"
types = ["safety"]
acknowledge = 60
resolve = 600
unacknowledged = [
    { notify_on_call = "medics", channels = ["mail"] }, { wait = "acknowledge" },
    { if_time = { days = ["sat", "sun"] }, then = [{ notify = "guard" }] }, { webhook = "police" },
]
[notifications]
channels = ["mail"]
[notifications.webhook]
names = { police = "https://police.example/andon" }
[notifications.addresses.anna]
mail = ["anna@acme.example"]
[notifications.schedules.medics]
people = ["anna", "ben"]
begins = "2026-11-16T06:00"
""",
    )
    book = rulebook_of(settings)
    chain = book.chain_for(_facts())
    assert (chain.name, chain.acknowledge, chain.resolve) == ("safety", 60, 600)
    assert book.chain_for(_facts(type_="quality")).acknowledge == 240
    assert book.chain_for(_facts(type_="quality", priority="low")).acknowledge == 900
    calendar = ShiftCalendar(UTC)
    assert book.directory.on_call("medics", calendar, NOW) == "anna"
    assert book.directory.reached_at("anna", "mail", calendar, NOW) == ("anna@acme.example",)


def test_every_fault_of_chains_and_channels_is_told_at_once(tmp_path):
    with pytest.raises(SettingsError) as error:
        _load(
            tmp_path,
            """
[floor.escalation]
acknowledge = { urgent = 5 }
[notifications]
channels = ["fax"]
[notifications.mail]
server = "mail.acme.example:587"
user = "andond"
[notifications.webhook]
url = "mailto:anna"
[notifications.mqtt]
broker = "nowhere"
[notifications.addresses.anna]
mail = ["anna"]
[notifications.groups]
empty = []
[notifications.hooks.mail]
hook = "line4/horn"
""",
        )
    assert {fault.key for fault in error.value.faults} == {
        "floor.escalation.acknowledge",
        "notifications.channels",
        "notifications.mail.sender",
        "notifications.mail.password_file",
        "notifications.webhook.url",
        "notifications.mqtt.broker",
        "notifications.addresses.anna.mail",
        "notifications.groups.empty",
        "notifications.hooks.mail",
    }


def test_every_fault_of_a_chain_names_its_place(tmp_path):
    with pytest.raises(SettingsError) as error:
        _load(
            tmp_path,
            """
[[floor.escalation.chains]]
name = "one"
acknowledge = 60
resolve = 600
unacknowledged = [{ notify = "anna" }, { wait = "never" }, { notify = "ben", channels = ["fax"] }]
[[floor.escalation.chains]]
name = "two"
acknowledge = 60
resolve = 600
unacknowledged = [{ notify_on_call = "nobody" }, { webhook = "erp" }]
unresolved = [{ if_level = 0 }]
[[floor.escalation.chains]]
name = "three"
acknowledge = 60
resolve = 600
unacknowledged = [{ notify_on_call = "nobody" }, { webhook = "erp" }]
""",
        )
    assert [fault.key for fault in error.value.faults] == [
        "floor.escalation.chains[1].unacknowledged[2].wait",
        "floor.escalation.chains[1].unacknowledged[3].channels",
        "floor.escalation.chains[2].unresolved[1].if_level",
        "floor.escalation.chains[3]",
        "floor.escalation.chains[3]",
    ]


@pytest.mark.parametrize(
    ("mail", "key"),
    [
        ('user = "a"\npassword_file = "{secret}"\nsecurity = "none"', "notifications.mail.security"),
        ('password_file = "{secret}"', "notifications.mail.user"),
    ],
)
def test_a_login_is_whole_and_goes_to_no_other_machine_in_the_clear(tmp_path, mail, key):
    secret = tmp_path / "secret"
    secret.write_text("hush")
    text = '[notifications.mail]\nserver = "10.0.0.7:25"\nsender = "a@b.example"\n' + mail.format(secret=secret)
    with pytest.raises(SettingsError) as error:
        _load(tmp_path, text)
    assert [fault.key for fault in error.value.faults] == [key]
    assert "hush" not in str(error.value)
    here = text.replace("10.0.0.7", "127.0.0.1")
    if key.endswith("security"):
        assert _load(tmp_path, here).notifications.mail.user == "a"


@pytest.mark.parametrize("key", ["abc", "whsec_abc", "whsec_" + "A" * 200])
def test_a_key_of_the_signature_that_is_none_is_a_fault(tmp_path, key):
    secret = tmp_path / "secret"
    secret.write_text(key)
    with pytest.raises(SettingsError, match=r"notifications\.webhook\.secret"):
        _load(tmp_path, f'[notifications.webhook]\nsecret_file = "{secret}"')


def test_the_rulebook_is_made_anew_when_the_settings_are_others():
    settings = [Settings()]
    present = PresentRulebook(lambda: settings[0])
    first = present()
    assert present() is first
    settings[0] = Settings()
    assert present() is not first
