"""Every setting: its type, its default, its unit, what it means, and whether a reload applies it.

Rules of this file: it is the one table of settings. Loading, ``andond config``, the reference in the documents and the
default file are checked against it. A unit is in a setting's description; a plain number is in seconds or bytes. Values
are valid once loaded; a ``Settings`` made by hand is not checked.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from config import rules
from config.access import AccessSettings
from config.audit import AuditSettings
from config.chain import ChainRuleSettings
from config.chain_sources import CosmosSource, EthereumSource
from config.floor import FloorSettings
from config.hooks import HookSource, HooksSettings
from config.meta import GIB, KIB, MIB
from config.meta import means as _means
from config.meta import seconds as _seconds
from config.meta import size as _bytes
from config.notifications import NotificationSettings
from config.outgoing import OutgoingTlsSettings
from config.policy import PolicySettings
from config.portal import AlertSettings, HistorySettings
from config.secrets import Secret
from config.server import ServerSettings
from config.site import SiteSettings

DAY = 86_400


def _age(meaning: str, *, least: float = 0) -> msgspec.Meta:
    return _means(meaning, unit="seconds", within=(least, 100 * 366 * DAY), reload=True)


def _kept(meaning: str) -> msgspec.Meta:
    return _bytes(meaning, 1 * MIB, 1024 * GIB, reload=True)


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon writes to standard error."""

    format: Annotated[
        Literal["auto", "console", "logfmt", "json"],
        _means("Form of the lines; `auto` finds the journal or a terminal", reload=True),
    ] = "auto"
    level: Annotated[
        Literal["debug", "info", "warning", "error"], _means("Least important line that is written", reload=True)
    ] = "info"


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the daemon may write."""

    path: Annotated[
        str, _means("Directory for data; empty: nothing is kept on disk", unit="path", rule=rules.writable_directory)
    ] = ""

    @property
    def directory(self) -> Path | None:
        """Where the daemon may write; None: nowhere."""
        return Path(self.path) if self.path else None


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal in `storage.path` keeps of each priority, oldest gone first, and how it shares the disk.

    Critical events are deleted by age alone: past their size it is said, and they stay.
    """

    critical_age: Annotated[float, _age("How long critical events are kept", least=DAY)] = 400 * DAY
    critical_size: Annotated[int, _kept("What critical events should take at most")] = 256 * MIB
    high_age: Annotated[float, _age("How long high events are kept; 0: not at all")] = 90 * DAY
    high_size: Annotated[int, _kept("What high events may take")] = 256 * MIB
    normal_age: Annotated[float, _age("How long normal events are kept; 0: not at all")] = 1 * DAY
    normal_size: Annotated[int, _kept("What normal events may take")] = 64 * MIB
    low_age: Annotated[float, _age("How long low events are kept; 0: not at all")] = 0
    low_size: Annotated[int, _kept("What low events may take")] = 16 * MIB
    reserve: Annotated[
        int, _bytes("Free disk below which telemetry makes room for critical events", 0, 1024 * GIB, reload=True)
    ] = 64 * MIB
    commit_delay: Annotated[
        float,
        _means(
            "Longest wait of a critical event for others to share its sync",
            unit="seconds",
            within=(0, 0.1),
            reload=True,
        ),
    ] = 0.002


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How channels keep and spread what is published."""

    history: Annotated[int, _means("Publications kept for recovery", unit="publications", within=(0, 1_000_000))] = 100
    idle: Annotated[float, _seconds("Time without use after which a channel is retired")] = 60.0
    limit: Annotated[int, _means("Channels at a time; one more is refused", unit="channels", within=(1, 1_000_000))] = (
        10_000
    )
    batch_size: Annotated[
        int, _bytes("Most that is joined into one write when a channel is behind", 1 * KIB, 1 * MIB)
    ] = 16 * KIB
    slice: Annotated[
        int, _means("Subscribers served before critical events get a look in", unit="subscribers", within=(1, 65_536))
    ] = 256


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger portal's clients are told."""

    target_tps: Annotated[
        int | None,
        _means("Throughput the network aims at; none: reported as null", unit="transactions/s", rule=rules.positive),
    ] = None
    window: Annotated[float, _seconds("Time over which averages are taken")] = 60.0
    stale_after: Annotated[float, _seconds("Age at which a value is no longer current")] = 30.0
    history: Annotated[HistorySettings, _means("How long the chain's history is kept", reload=True)] = HistorySettings()
    alerts: Annotated[AlertSettings, _means("When the portal's alerts are raised", reload=True)] = AlertSettings()


class ReceiptSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a native client may owe a receipt for a critical event."""

    received: Annotated[
        float, _seconds("Time to say that it was received; 0: it is not asked for", least=0, reload=True)
    ] = 10.0
    shown: Annotated[
        float, _seconds("Time to say that it was shown, for clients that do; 0: not asked for", least=0, reload=True)
    ] = 30.0


class CanarySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Synthetic messages that measure the way to each native client and back."""

    interval: Annotated[
        float, _seconds("Time between two messages of a priority to a client; 0: none", least=0, reload=True)
    ] = 10.0
    bound: Annotated[float, _seconds("Longest round trip of a critical one", reload=True)] = 1.0
    share: Annotated[
        float,
        _means("Clients beyond the bound at which /readyz says no", unit="ratio", within=(0.001, 1), reload=True),
    ] = 0.05


class HostSource(msgspec.Struct, frozen=True, kw_only=True, tag="host", tag_field="kind"):
    """The machine the daemon runs on: processor, memory, disks, network, and the daemon itself."""

    equipment: Annotated[
        str, _means("Where this machine belongs", unit="ISA-95 path", reload=True, rule=rules.equipment)
    ] = ""
    cadence: Annotated[float, _means("Time between readings", unit="seconds", within=(0.1, 86_400), reload=True)] = 1.0
    required: Annotated[bool, _means("Counts for /readyz", reload=True)] = False
    disks: Annotated[
        tuple[str, ...], _means("File systems to watch", unit="paths", reload=True, rule=rules.directories)
    ] = ("/",)


class HttpSource(msgspec.Struct, frozen=True, kw_only=True, tag="http", tag_field="kind"):
    """CloudEvents posted to /api/v1/events."""

    equipment: Annotated[
        str,
        _means(
            "Where the publishers belong, when an event does not say",
            unit="ISA-95 path",
            reload=True,
            rule=rules.equipment,
        ),
    ] = ""
    cadence: Annotated[
        float, _seconds("Time within which something should come; 0: any time", least=0, reload=True)
    ] = 0.0
    required: Annotated[bool, _means("Counts for /readyz", reload=True)] = False
    duplicates: Annotated[
        int, _means("Event ids remembered, to tell a repeated post", unit="ids", within=(0, 10_000_000), reload=True)
    ] = 100_000


class MtconnectSource(OutgoingTlsSettings, frozen=True, kw_only=True, tag="mtconnect", tag_field="kind"):
    """An MTConnect adapter: a machine that writes SHDR lines over TCP."""

    address: Annotated[str, _means("The adapter", unit="HOST:PORT", reload=True, rule=rules.remote_address)]
    equipment: Annotated[str, _means("The machine", unit="ISA-95 path", reload=True, rule=rules.named_equipment)]
    cadence: Annotated[float, _seconds("Longest usual silence; twice this is an event", reload=True)] = 10.0
    required: Annotated[bool, _means("Counts for /readyz", reload=True)] = False
    connect_timeout: Annotated[float, _seconds("Time to get a connection", reload=True)] = 5.0
    heartbeat: Annotated[float, _seconds("Time between pings to the adapter", reload=True)] = 10.0
    tls: Annotated[bool, _means("Whether the way to the adapter is kept secret", reload=True)] = False
    clock_step: Annotated[float, _seconds("How far the machine's clock may jump", reload=True)] = 300.0
    keys: Annotated[
        Mapping[str, str],
        _means("Role of a data item by its key, where the name does not say it", reload=True, rule=rules.roles),
    ] = msgspec.field(default_factory=dict)


SourceSettings = HostSource | HttpSource | MtconnectSource | HookSource | CosmosSource | EthereumSource

SOURCE_KINDS: dict[str, type[SourceSettings]] = {
    "host": HostSource,
    "http": HttpSource,
    "mtconnect": MtconnectSource,
    "hook": HookSource,
    "cosmos": CosmosSource,
    "ethereum": EthereumSource,
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. Without arguments: the defaults, and no source."""

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    log: LogSettings = LogSettings()
    storage: StorageSettings = StorageSettings()
    journal: JournalSettings = JournalSettings()
    audit: AuditSettings = AuditSettings()
    channels: ChannelSettings = ChannelSettings()
    portal: PortalSettings = PortalSettings()
    chain: ChainRuleSettings = ChainRuleSettings()
    policy: PolicySettings = PolicySettings()
    receipts: ReceiptSettings = ReceiptSettings()
    canary: CanarySettings = CanarySettings()
    hooks: HooksSettings = HooksSettings()
    site: SiteSettings = SiteSettings()
    floor: FloorSettings = FloorSettings()
    notifications: NotificationSettings = NotificationSettings()
    sources: Mapping[str, SourceSettings] = msgspec.field(default_factory=dict)


Section = (
    ServerSettings
    | AccessSettings
    | LogSettings
    | StorageSettings
    | JournalSettings
    | AuditSettings
    | ChannelSettings
    | PortalSettings
    | ChainRuleSettings
    | PolicySettings
    | ReceiptSettings
    | CanarySettings
    | HooksSettings
    | SiteSettings
    | FloorSettings
    | NotificationSettings
)

SECTIONS: dict[str, type[Section]] = {
    "server": ServerSettings,
    "access": AccessSettings,
    "log": LogSettings,
    "storage": StorageSettings,
    "journal": JournalSettings,
    "audit": AuditSettings,
    "channels": ChannelSettings,
    "portal": PortalSettings,
    "chain": ChainRuleSettings,
    "policy": PolicySettings,
    "receipts": ReceiptSettings,
    "canary": CanarySettings,
    "hooks": HooksSettings,
    "site": SiteSettings,
    "floor": FloorSettings,
    "notifications": NotificationSettings,
}


class Setting(msgspec.Struct, frozen=True):
    """One row of the table."""

    name: str
    hint: object
    default: object
    is_required: bool
    meta: msgspec.Meta

    @property
    def kind(self) -> object:
        """The type without its annotation."""
        return typing.get_args(self.hint)[0]

    @property
    def meaning(self) -> str:
        """What it is for."""
        return self.meta.description or ""

    @property
    def unit(self) -> str:
        """Unit or form of its value."""
        return str((self.meta.extra or {})["unit"])

    @property
    def is_reloadable(self) -> bool:
        """True if a reload applies it, False if it takes a restart."""
        return bool((self.meta.extra or {})["reload"])

    @property
    def rule(self) -> rules.Rule | None:
        """What its value must satisfy beyond type and limits."""
        rule: rules.Rule | None = (self.meta.extra or {})["rule"]
        return rule

    @property
    def is_secret(self) -> bool:
        """True if its value must never be shown."""
        return Secret in typing.get_args(self.kind)


def table(section: type[msgspec.Struct]) -> dict[str, Setting]:
    """Return the settings of one section, kind of source or table in a list, by name, in the order of declaration."""
    hints = typing.get_type_hints(section, include_extras=True)
    rows = {}
    for field in msgspec.structs.fields(section):
        hint = hints[field.name]
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        rows[field.name] = Setting(field.name, hint, default, field.required, typing.get_args(hint)[1])
    return rows
