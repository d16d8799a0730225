"""Settings: what they are, where they come from, what is wrong with them."""

from config.access import (
    AccessSettings,
    AnonymousSettings,
    RoleSettings,
    Standing,
    TenantSettings,
    is_loopback,
    standing_of,
)
from config.alarms import AlarmClassSettings, AlarmEntrySettings, AlarmSettings, SuppressionSettings
from config.audit import AuditSettings
from config.calls import CallRuleSettings, CallSettings
from config.certificate_files import file_at_fault
from config.certificates import CertificateSettings
from config.chain import ChainRuleSettings, turn_of, watched_of
from config.chain_sources import CosmosNode, CosmosSource, EthereumNode, EthereumSource, nodes_by_chain
from config.changes import changed, in_force
from config.doors import DoorSettings
from config.escalation import ChainSettings, EscalationSettings
from config.faults import Fault, SettingsError, one_of
from config.floor import FloorSettings
from config.hooks import HookSource, HooksSettings
from config.issuers import IssuerSettings, OwnTokenSettings, is_address
from config.layers import DEFAULT, DEFAULTS_PATH
from config.limits import (
    AddressLimitSettings,
    ConnectionLimitSettings,
    LimitSettings,
    TenantLimitSettings,
    UserLimitSettings,
)
from config.load import Loaded, load
from config.node_access import headers_of, is_in_clear
from config.notification_relations import channels_of, signing_key
from config.notifications import (
    AddressSettings,
    HookChannelSettings,
    MailSettings,
    MqttSettings,
    NotificationSettings,
    ScheduleSettings,
    WebhookSettings,
    WebSocketSettings,
)
from config.outgoing import OutgoingTlsSettings
from config.page import PageSettings
from config.policy import PolicySettings, RuleSettings
from config.portal import AlertSettings, HistorySettings, required_chains
from config.products import (
    ChangeoverSettings,
    CharacteristicSettings,
    CounterSettings,
    JobSettings,
    ProductSettings,
    QualitySettings,
    TargetSettings,
)
from config.relation import Broken
from config.relations import Relation
from config.rules import AddressFault, split_address
from config.secrets import HIDDEN, Secret, read_secret
from config.server import ServerSettings
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
    Setting,
    Settings,
    SourceSettings,
    StorageSettings,
    table,
)
from config.site import (
    WEEKDAYS,
    AreaSettings,
    CellSettings,
    ClosureSettings,
    ExceptionSettings,
    LineSettings,
    PersonSettings,
    ShiftSettings,
    SiteSettings,
    UnitSettings,
)
from config.toml import toml_value
from config.users import UserSettings

__all__ = [
    "DEFAULT",
    "DEFAULTS_PATH",
    "HIDDEN",
    "SECTIONS",
    "SOURCE_KINDS",
    "WEEKDAYS",
    "AccessSettings",
    "AddressFault",
    "AddressLimitSettings",
    "AddressSettings",
    "AlarmClassSettings",
    "AlarmEntrySettings",
    "AlarmSettings",
    "AlertSettings",
    "AnonymousSettings",
    "AreaSettings",
    "AuditSettings",
    "Broken",
    "CallRuleSettings",
    "CallSettings",
    "CanarySettings",
    "CellSettings",
    "CertificateSettings",
    "ChainRuleSettings",
    "ChainSettings",
    "ChangeoverSettings",
    "ChannelSettings",
    "CharacteristicSettings",
    "ClosureSettings",
    "ConnectionLimitSettings",
    "CosmosNode",
    "CosmosSource",
    "CounterSettings",
    "DoorSettings",
    "EscalationSettings",
    "EthereumNode",
    "EthereumSource",
    "ExceptionSettings",
    "Fault",
    "FloorSettings",
    "HistorySettings",
    "HookChannelSettings",
    "HookSource",
    "HooksSettings",
    "HostSource",
    "HttpSource",
    "IssuerSettings",
    "JobSettings",
    "JournalSettings",
    "LimitSettings",
    "LineSettings",
    "Loaded",
    "LogSettings",
    "MailSettings",
    "MqttSettings",
    "MtconnectSource",
    "NotificationSettings",
    "OutgoingTlsSettings",
    "OwnTokenSettings",
    "PageSettings",
    "PersonSettings",
    "PolicySettings",
    "PortalSettings",
    "ProductSettings",
    "QualitySettings",
    "ReceiptSettings",
    "Relation",
    "RoleSettings",
    "RuleSettings",
    "ScheduleSettings",
    "Secret",
    "ServerSettings",
    "Setting",
    "Settings",
    "SettingsError",
    "ShiftSettings",
    "SiteSettings",
    "SourceSettings",
    "Standing",
    "StorageSettings",
    "SuppressionSettings",
    "TargetSettings",
    "TenantLimitSettings",
    "TenantSettings",
    "UnitSettings",
    "UserLimitSettings",
    "UserSettings",
    "WebSocketSettings",
    "WebhookSettings",
    "changed",
    "channels_of",
    "file_at_fault",
    "headers_of",
    "in_force",
    "is_address",
    "is_in_clear",
    "is_loopback",
    "load",
    "nodes_by_chain",
    "one_of",
    "read_secret",
    "required_chains",
    "signing_key",
    "split_address",
    "standing_of",
    "table",
    "toml_value",
    "turn_of",
    "watched_of",
]
