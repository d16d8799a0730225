"""What is probably a mistake in valid settings."""

from __future__ import annotations

from andond.doubts import doubts
from config import AccessSettings, AddressSettings, NotificationSettings, PersonSettings, Settings, SiteSettings
from config.access import TenantSettings

PEOPLE = (
    PersonSettings(name="ann", roles=("chief",), places=("acme/line1",)),
    PersonSettings(name="bob", roles=("chief",)),
    PersonSettings(name="cid"),
)
TOLD = NotificationSettings(addresses={"chief": AddressSettings(mail=("c@acme.example",)), "cid": AddressSettings()})
TENANTS = {"acme": TenantSettings(places=("acme",)), "bolt": TenantSettings(places=("bolt",))}


def test_whoever_a_role_tells_of_every_tenants_calls_is_a_doubt():
    settings = Settings(site=SiteSettings(people=PEOPLE), notifications=TOLD, access=AccessSettings(tenants=TENANTS))
    bob, chief = doubts(settings)
    assert bob.startswith("site.people[2].places: bob works everywhere")
    assert chief.startswith("notifications.addresses.chief: ")


def test_without_tenants_a_role_may_have_one_address_and_work_everywhere():
    assert not list(doubts(Settings(site=SiteSettings(people=PEOPLE), notifications=TOLD)))
