"""Settings: what they are, where they come from, what is wrong with them."""

from config.changes import changed, in_force
from config.faults import Fault, SettingsError
from config.layers import DEFAULT, DEFAULTS_PATH
from config.load import Loaded, load
from config.policy import PolicySettings, RuleSettings
from config.rules import AddressFault, split_address
from config.secrets import HIDDEN, Secret
from config.settings import (
    SECTIONS,
    SOURCE_KINDS,
    CanarySettings,
    ChannelSettings,
    HostSource,
    HttpSource,
    JournalSettings,
    LogSettings,
    MtconnectSource,
    PortalSettings,
    ReceiptSettings,
    ServerSettings,
    Setting,
    Settings,
    SourceSettings,
    StorageSettings,
    table,
)
from config.toml import toml_value

__all__ = [
    "DEFAULT",
    "DEFAULTS_PATH",
    "HIDDEN",
    "SECTIONS",
    "SOURCE_KINDS",
    "AddressFault",
    "CanarySettings",
    "ChannelSettings",
    "Fault",
    "HostSource",
    "HttpSource",
    "JournalSettings",
    "Loaded",
    "LogSettings",
    "MtconnectSource",
    "PolicySettings",
    "PortalSettings",
    "ReceiptSettings",
    "RuleSettings",
    "Secret",
    "ServerSettings",
    "Setting",
    "Settings",
    "SettingsError",
    "SourceSettings",
    "StorageSettings",
    "changed",
    "in_force",
    "load",
    "split_address",
    "table",
    "toml_value",
]
