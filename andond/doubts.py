"""What is probably a mistake in settings that are valid: it is told, and nothing is refused for it.

Rules of this file: pure; each doubt names its key. A place is known by its path alone, because that is what events
carry; where the site describes nothing, every place may be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actors import SiteInForce
from actors.notifier import channels_told
from config import AccessSettings, CosmosSource, EthereumSource, Settings, is_in_clear, nodes_by_chain
from domain.plant.site import EquipmentModel

Named = tuple[str, str]
"""A key, and the path that stands there."""

BELOW = "/*"


def doubts(settings: Settings) -> Iterator[str]:
    """One line for each."""
    yield from _places(settings)
    yield from _tenants(settings)
    yield from _channels(settings)
    yield from _chains(settings)


def _places(settings: Settings) -> Iterator[str]:
    model = SiteInForce(lambda: settings.site)().equipment
    if not len(model):
        return
    for key, name in _named(settings):
        words = _words(name.removesuffix(BELOW), model)
        if words:
            yield f"{key}: {words}"


def place_doubts(settings: Settings, places: Iterable[str]) -> Iterator[str]:
    """What is doubtful about ``places`` that were named for somebody."""
    model = SiteInForce(lambda: settings.site)().equipment
    if len(model):
        yield from filter(None, (_words(path, model) for path in places))


def _words(path: str, model: EquipmentModel) -> str:
    """What is doubtful about ``path``; empty if nothing is."""
    place = model.find(path)
    if not path or (place.is_modelled and place.path == path):
        return ""
    if place.is_modelled:
        return f"{path!r} is an alias, and events carry paths: write {place.path!r}"
    return f"the site describes no {path!r}, so nothing may ever come from there"


def _named_by_access(access: AccessSettings) -> Iterator[Named]:
    for name, tenant in access.tenants.items():
        yield from ((f"access.tenants.{name}.places", path) for path in tenant.places)
    for name, holder in access.certificates.items():
        yield from ((f"access.certificates.{name}.places", path) for path in holder.places)


def _named(settings: Settings) -> Iterator[Named]:
    """Every place that rules of the floor name, or of access."""
    yield from _named_by_access(settings.access)
    floor = settings.floor
    for number, chain in enumerate(floor.escalation.chains, 1):
        yield from ((f"floor.escalation.chains[{number}].paths", path) for path in chain.paths)
    for number, entry in enumerate(floor.alarms.list, 1):
        yield f"floor.alarms.list[{number}].equipment", entry.equipment
    for number, suppression in enumerate(floor.alarms.suppressions, 1):
        yield f"floor.alarms.suppressions[{number}].equipment", suppression.equipment
    yield from ((f"floor.alarms.positions.{path}", path) for path in floor.alarms.positions)
    for name, counter in floor.counters.items():
        yield f"floor.counters.{name}.equipment", counter.equipment
    for name, characteristic in floor.quality.characteristics.items():
        yield f"floor.quality.characteristics.{name}.equipment", characteristic.equipment
    for line, output in floor.jobs.outputs.items():
        yield from ((f"floor.jobs.outputs.{line}", path) for path in (line, output))
    for number, target in enumerate(floor.changeovers.targets, 1):
        yield f"floor.changeovers.targets[{number}].equipment", target.equipment
    for name, product in floor.products.items():
        yield from ((f"floor.products.{name}.ideal_cycles", path) for path in product.ideal_cycles)


def _tenants(settings: Settings) -> Iterator[str]:
    """By whom a tenant's calls get to people who may be another's."""
    if not settings.access.tenants:
        return
    roles: set[str] = set()
    for number, person in enumerate(settings.site.people, 1):
        roles.update(person.roles)
        if person.roles and not person.places:
            yield (
                f"site.people[{number}].places: {person.name} works everywhere, "
                "so a chain that names their role tells them of every tenant's calls"
            )
    for name in settings.notifications.addresses:
        if name in roles:
            yield f"notifications.addresses.{name}: a role's address is told of every tenant's calls; give it to people"


def _channels(settings: Settings) -> Iterator[str]:
    told = settings.notifications
    missing = {
        "mail": "" if told.mail.server else "notifications.mail.server",
        "webhook": "" if told.webhook.url or told.webhook.names else "notifications.webhook.url",
        "mqtt": "" if told.mqtt.broker else "notifications.mqtt.broker",
    }
    addressed = {name for each in told.addresses.values() for name in missing if name == "webhook" and each.webhook}
    for number, channels in enumerate(channels_told(settings), 1):
        unset = {name: key for name in channels if (key := missing.get(name)) and name not in addressed}
        if channels and len(unset) == len(channels):
            keys = ", ".join(unset.values())
            yield f"floor.escalation.chains[{number}]: it tells nobody, since {', '.join(unset)} is not set up ({keys})"


def _chains(settings: Settings) -> Iterator[str]:
    """What keeps the word of a chain's nodes from being confirmed, or a secret from being one."""
    for name, source in settings.sources.items():
        if isinstance(source, CosmosSource | EthereumSource):
            for chain, nodes in nodes_by_chain({name: source}).items():
                if len(nodes) == 1:
                    yield (
                        f"sources.{name}.nodes: one node alone tells of {chain}, so nobody confirms what it says, "
                        "and a chain that stands still looks like a node that is stuck"
                    )
            yield from (f"sources.{name}.nodes[{number}]: {words}" for number, words in _shouted(source))
    by_chain: dict[str, list[str]] = {}
    for name, source in settings.sources.items():
        for chain in nodes_by_chain({name: source}):
            by_chain.setdefault(chain, []).append(name)
    for chain, names in by_chain.items():
        if len(names) > 1:
            yield f"sources.{names[-1]}.chain: {' and '.join(names)} read the same chain {chain}: it is told twice"


def _shouted(source: CosmosSource | EthereumSource) -> Iterator[tuple[int, str]]:
    if isinstance(source, CosmosSource):
        asked = [(node.headers, (node.rpc, node.rest)) for node in source.nodes]
    else:
        asked = [(node.headers, (node.execution, node.beacon)) for node in source.nodes]
    for number, (headers, addresses) in enumerate(asked, 1):
        if headers is not None and any(is_in_clear(address) for address in addresses if address):
            yield number, "its headers go to another machine in clear text: give its address as https or wss"
