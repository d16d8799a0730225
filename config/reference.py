"""The page of the reference that comes from the table of settings.

Rules of this file: the page is made from the table alone, so a test can tell when it is out of date;
``python -m config.reference`` prints it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import msgspec

from config.convert import describe, is_table, nested_in
from config.layers import FLAGS
from config.settings import SECTIONS, SOURCE_KINDS, Setting, table
from config.toml import toml_value

_HEAD = """\
# Settings

Generated from `config/settings.py`: `python -m config.reference`. A setting is given in the TOML file, as a variable
(`ANDOND__SERVER__LISTEN`, `ANDOND__SOURCES__PRESS3__ADDRESS`; lists and tables as TOML or JSON; an empty one counts as
not set), or as a flag where one is named. Flags win over variables, variables over credentials, credentials over the
file.

A setting named `..._file` is a file that holds the secret. A systemd credential named as a setting
(`LoadCredential=server.key:/etc/...`) sets that secret or file. "Reload": SIGHUP applies it; everything else waits for
a restart. Times are in seconds, sizes in bytes.
"""


def settings_page() -> str:
    """Return the reference of settings as Markdown."""
    titles: dict[type[msgspec.Struct], list[str]] = {}
    for name, section in SECTIONS.items():
        _collect(name, f"[{name}]", section, titles)
    for kind, source in SOURCE_KINDS.items():
        _collect("sources.NAME", f'[sources.NAME] with kind = "{kind}"', source, titles)
    return "\n".join([_HEAD, *("\n".join(_section(names, section)) for section, names in titles.items())])


def _collect(
    prefix: str, title: str, section: type[msgspec.Struct], titles: dict[type[msgspec.Struct], list[str]]
) -> None:
    """Find a table and those in it; what may stand in several places is told once, with all of them."""
    titles.setdefault(section, []).append(title)
    for row in table(section).values():
        nested = nested_in(row)
        if nested is not None:
            _collect(f"{prefix}.{row.name}", describe(row, f"{prefix}.{row.name}").rpartition(", ")[2], nested, titles)


def _section(titles: list[str], section: type[msgspec.Struct]) -> Iterator[str]:
    prefix = titles[0].strip("[").partition("]")[0]
    yield f"## {', '.join(f'`{title}`' for title in titles)}\n"
    yield f"{inspect.getdoc(section)}\n"
    yield "| Setting | Default | Takes | Meaning | Applied by |"
    yield "|---|---|---|---|---|"
    for row in table(section).values():
        yield _row(prefix, row)
    yield ""


def _row(prefix: str, row: Setting) -> str:
    name = f"`{row.name}_file`" if row.is_secret else f"`{row.name}`"
    flag = FLAGS.get(f"{prefix}.{row.name}")
    meaning = f"{row.meaning}; `{flag}`" if flag else row.meaning
    applied = "reload" if row.is_reloadable else "restart"
    takes = "path of a file that holds it" if row.is_secret else describe(row, f"{prefix}.{row.name}")
    return f"| {name} | {_default(row)} | {takes} | {meaning} | {applied} |"


def _default(row: Setting) -> str:
    if row.is_required:
        return "required"
    if row.default is None:
        return "none"
    return "as below" if is_table(row) else f"`{toml_value(row.default)}`"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
