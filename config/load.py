"""Settings from a file, credentials, the environment and flags, with the origin of each, or all faults at once.

Rules of this file: no fault hides another one. Every source is converted by itself, so that its name is in its faults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from config.convert import FILE_SUFFIX, convert_table, describe
from config.faults import Fault, SettingsError, one_of, shown
from config.layers import DEFAULT, SOURCES, Given, Layer, merged
from config.lines import KeyPath, key_lines, line_of
from config.relation import Broken, root_of
from config.relations import Relation, broken
from config.rules import source_name
from config.settings import SECTIONS, SOURCE_KINDS, Settings, table


class Loaded(msgspec.Struct, frozen=True):
    """Valid settings, and for each key (``server.listen``, ``sources.press3.cadence``) where its value came from."""

    settings: Settings
    origins: dict[str, str]


def load(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object], relations: Sequence[Relation] = ()
) -> Loaded:
    """Read the settings: the file ``path``, or the default configuration, then ``environ``, then ``flags``.

    Flags are named as the settings, ``{"server.listen": "127.0.0.1:0"}``; one that is None was not given. ``relations``
    are asked besides those of this package.

    Raises:
        SettingsError: with everything that is wrong.
    """
    faults: list[Fault] = []
    layer = merged(path, environ, flags, faults)
    tree: dict[str, object] = {
        name: convert_table(name, table(section), _entries(layer, (name,)), faults)
        for name, section in SECTIONS.items()
    }
    tree[SOURCES] = _sources(layer, faults)
    settings = msgspec.convert(tree, Settings)
    origins = _origins(settings, layer)
    faults += _broken(settings, origins, _Wrong({fault.key for fault in faults}, tree), relations)
    if faults:
        raise SettingsError(_placed(faults, path))
    return Loaded(settings, origins)


def _placed(faults: list[Fault], path: Path | None) -> list[Fault]:
    """``faults`` with the line of each: a setting of tables came with that of the first one alone."""
    if path is None or not any(fault.origin.startswith(f"{path}:") for fault in faults):
        return faults
    lines = key_lines(path.read_text(encoding="utf-8-sig", errors="replace"))
    return [_at_line(fault, path, lines) for fault in faults]


def _at_line(fault: Fault, path: Path, lines: dict[KeyPath, int]) -> Fault:
    # Where another setting is blamed than the one that is named, that one's line stays. Of a list the first is known.
    setting = line_of(lines, tuple(root_of(fault.key).split(".")))
    line = line_of(lines, tuple(fault.key.partition("[")[0].split(".")))
    return replace(fault, origin=f"{path}:{line}") if line and fault.origin == f"{path}:{setting}" else fault


def _entries(layer: Layer, prefix: KeyPath) -> dict[str, Given]:
    depth = len(prefix)
    return {path[depth]: given for path, given in layer.items() if len(path) == depth + 1 and path[:depth] == prefix}


def _sources(layer: Layer, faults: list[Fault]) -> dict[str, dict[str, object]]:
    sources = {}
    for name, place in _entries(layer, (SOURCES,)).items():
        prefix = f"{SOURCES}.{name}"
        before = len(faults)
        expected = source_name(name)
        if expected:
            faults.append(Fault(prefix, place.origin, expected, shown(name)))
        values = _source(prefix, place.origin, _entries(layer, (SOURCES, name)), faults)
        if len(faults) == before:
            sources[name] = values
    return sources


def _source(prefix: str, origin: str, entries: dict[str, Given], faults: list[Fault]) -> dict[str, object]:
    kind = entries.pop("kind", None)
    word = kind.value if kind else None
    if not isinstance(word, str) or word not in SOURCE_KINDS:
        found = shown(word) if kind else "nothing"
        faults.append(Fault(f"{prefix}.kind", kind.origin if kind else origin, one_of(SOURCE_KINDS, str(word)), found))
        return {}
    rows = table(SOURCE_KINDS[word])
    values = convert_table(prefix, rows, entries, faults)
    missing = [name for name, row in rows.items() if row.is_required and name not in entries]
    faults += [Fault(f"{prefix}.{name}", origin, f"{describe(rows[name])}, it has no default") for name in missing]
    return {"kind": word, **values}


def _origins(settings: Settings, layer: Layer) -> dict[str, str]:
    origins: dict[str, str] = {}
    for name, section in SECTIONS.items():
        given = _entries(layer, (name,))
        origins |= _table_origins(name, list(table(section)), given)
    for name, source in settings.sources.items():
        given = _entries(layer, (SOURCES, name))
        origins |= _table_origins(f"{SOURCES}.{name}", ["kind", *table(type(source))], given)
    return origins


def _table_origins(prefix: str, keys: list[str], given: dict[str, Given]) -> dict[str, str]:
    unset = Given(None, DEFAULT)
    return {f"{prefix}.{key}": (given.get(key) or given.get(key + FILE_SUFFIX) or unset).origin for key in keys}


class _Wrong:
    """The keys that have a fault: what relations say of those would only be what follows from it."""

    def __init__(self, keys: set[str], tree: Mapping[str, object]) -> None:
        self._keys = keys
        self._lost = {root for root in map(root_of, keys) if not _is_there(root, tree)}

    def hides(self, relation: Broken) -> bool:
        """Whether ``relation`` looks at anything that is lost, or at the table of a faulty key."""
        return not self._lost.isdisjoint(relation.roots) or any(
            _meet(key, wrong) for key in relation.keys for wrong in self._keys
        )


def _is_there(root: str, tree: Mapping[str, object]) -> bool:
    section, _, key = root.partition(".")
    values = tree.get(section)
    return isinstance(values, Mapping) and key.partition(".")[0] in values


def _meet(key: str, wrong: str) -> bool:
    """Whether ``key`` is in the table that ``wrong`` is in, or above it."""
    table = wrong if wrong == root_of(wrong) else wrong.rpartition(".")[0]
    return any(inner == outer or inner.startswith((f"{outer}.", f"{outer}[")) for inner, outer in _ways(key, table))


def _ways(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one, other), (other, one)


def _broken(settings: Settings, origins: dict[str, str], wrong: _Wrong, relations: Sequence[Relation]) -> list[Fault]:
    return [
        Fault(relation.keys[0], _blamed(relation.roots, origins), relation.expected)
        for relation in broken(settings, relations)
        if not wrong.hides(relation)
    ]


def _blamed(keys: Sequence[str], origins: dict[str, str]) -> str:
    # The operator wrote one of them; a default is nobody's fault.
    return next((origins[key] for key in keys if origins[key] != DEFAULT), DEFAULT)
