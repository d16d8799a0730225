"""Where settings come from: a file, credentials, the environment, flags. Each layer is a flat table of what was given.

Rules of this file: a layer says what was given and where, not whether it is right. The next layer wins:
file < credentials < environment < flags. A variable that is set to nothing counts as not set.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from config.faults import Fault, one_of, shown
from config.lines import KeyPath, key_lines, line_of
from config.rules import readable_file
from config.secrets import credentials
from config.settings import SECTIONS, table

DEFAULTS_PATH = Path(__file__).with_name("andond.toml")
"""The default configuration, in force where no file is named."""

DEFAULT = "default"
PREFIX = "ANDOND__"
FILE_LIMIT = 1_048_576
SOURCES = "sources"
FLAGS = {"server.listen": "--listen", "storage.path": "--data-dir"}
"""Names of the flags that set something, by setting."""


class Given(msgspec.Struct, frozen=True):
    """A value and where it came from. ``is_text`` if its type is still to be read out of a text."""

    value: object
    origin: str
    is_text: bool = False


Layer = dict[KeyPath, Given]


def merged(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object], faults: list[Fault]) -> Layer:
    """Return all layers in one: ``(section, key)``; for sources ``(sources, name)`` and ``(sources, name, key)``."""
    layer = _from_file(path, faults)
    layer |= _from_credentials(environ, faults)
    given = _from_environment(environ, _names(layer), faults)
    # Where a source was first named is where it is missed something.
    return (
        layer
        | {key: entry for key, entry in given.items() if key not in layer or not _is_name(key)}
        | _from_flags(flags)
    )


def _is_name(key: KeyPath) -> bool:
    return key[0] == SOURCES and len(key) == 2  # noqa: PLR2004


def _names(layer: Layer) -> dict[str, str]:
    # A variable cannot have the dash or the case a source's name may have.
    return {key[1].lower().replace("-", "_"): key[1] for key in layer if key[0] == SOURCES}


def _from_file(path: Path | None, faults: list[Fault]) -> Layer:
    place = str(path or DEFAULTS_PATH)
    try:
        text = _read(path or DEFAULTS_PATH)
        content = tomllib.loads(text)
    except OSError as error:
        faults.append(Fault("", place, "a file that can be read", error.strerror or str(error)))
    except UnicodeDecodeError as error:
        faults.append(Fault("", place, "text in UTF-8", f"something else at byte {error.start}"))
    except RecursionError:
        faults.append(Fault("", place, "tables and lists that are not nested this deep"))
    except ValueError as error:
        faults.append(Fault("", place, "valid TOML", str(error)))
    else:
        lines = key_lines(text)
        return _flatten(content, lambda key: _place(path, line_of(lines, key)), faults)
    return {}


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise ValueError(f"more than {FILE_LIMIT} bytes")
    # TOML knows both ends of a line; a byte order mark is what some editors put first.
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _place(path: Path | None, line: int | None) -> str:
    if path is None:
        return DEFAULT
    return f"{path}:{line}" if line else str(path)


def _flatten(content: Mapping[str, object], place: Callable[[KeyPath], str], faults: list[Fault]) -> Layer:
    layer: Layer = {}
    for section, entries in content.items():
        origin = place((section,))
        if section != SOURCES and section not in SECTIONS:
            faults.append(Fault(section, origin, one_of([*SECTIONS, SOURCES], section)))
        elif not isinstance(entries, dict):
            faults.append(Fault(section, origin, f"a table, [{section}]", shown(entries)))
        elif section == SOURCES:
            layer |= _flatten_sources(entries, place, faults)
        else:
            layer |= {(section, key): Given(value, place((section, key))) for key, value in entries.items()}
    return layer


def _flatten_sources(sources: Mapping[str, object], place: Callable[[KeyPath], str], faults: list[Fault]) -> Layer:
    layer: Layer = {}
    for name, entries in sources.items():
        path = (SOURCES, name)
        if isinstance(entries, dict):
            layer[path] = Given(name, place(path))
            layer |= {(*path, key): Given(value, place((*path, key))) for key, value in entries.items()}
        else:
            faults.append(Fault(f"{SOURCES}.{name}", place(path), f"a table, [{SOURCES}.NAME]", shown(entries)))
    return layer


def _from_credentials(environ: Mapping[str, str], faults: list[Fault]) -> Layer:
    try:
        files = credentials(environ)
    except OSError as error:
        faults.append(Fault("", "$CREDENTIALS_DIRECTORY", "a directory that can be read", error.strerror or str(error)))
        return {}
    layer: Layer = {}
    for name, path in files.items():
        section, _, key = name.partition(".")
        row = table(SECTIONS[section]).get(key) if section in SECTIONS else None
        if row is not None and row.is_secret:
            layer[section, f"{key}_file"] = Given(str(path), f"credential {name}")
        elif row is not None and row.rule is readable_file:
            layer[section, key] = Given(str(path), f"credential {name}")
        elif section in SECTIONS:
            faults.append(Fault(name, f"credential {name}", "a credential named as a secret or a file of the settings"))
    return layer


def _from_environment(environ: Mapping[str, str], names: Mapping[str, str], faults: list[Fault]) -> Layer:
    layer: Layer = {}
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX) or not environ[variable]:
            continue
        words = tuple(variable[len(PREFIX) :].lower().split("__"))
        given = Given(environ[variable], f"${variable}", is_text=True)
        if len(words) == 3 and words[0] == SOURCES and all(words):  # noqa: PLR2004
            path = (SOURCES, names.get(words[1], words[1]))
            layer.setdefault(path, Given(path[1], given.origin))
            layer[*path, words[2]] = given
        elif len(words) == 2 and words[0] in SECTIONS:  # noqa: PLR2004
            layer[words] = given
        else:
            form = f"{PREFIX}SECTION__KEY or {PREFIX}SOURCES__NAME__KEY with a section: {one_of(SECTIONS, words[0])}"
            faults.append(Fault("", given.origin, form))
    return layer


def _from_flags(flags: Mapping[str, object]) -> Layer:
    layer: Layer = {}
    for key, value in flags.items():
        if value is not None:
            origin = FLAGS.get(key, f"--{key}")
            layer[tuple(key.split("."))] = Given(value, origin, is_text=isinstance(value, str))
    return layer
