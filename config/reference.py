"""The page of the reference that comes from the table of settings.

Rules of this file: the page is made from the table alone, so a test can tell when it is out of date;
``python -m config.reference`` prints it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from config.convert import describe
from config.layers import FLAGS
from config.policy import RuleSettings
from config.settings import SECTIONS, SOURCE_KINDS, Section, Setting, SourceSettings, table
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
    parts = [_HEAD]
    for name, section in SECTIONS.items():
        parts.append("\n".join(_section(f"[{name}]", name, section)))
    parts.append("\n".join(_section("[[policy.rules]]", "policy.rules", RuleSettings)))
    for kind, source in SOURCE_KINDS.items():
        parts.append("\n".join(_section(f'[sources.NAME] with kind = "{kind}"', "sources.NAME", source)))
    return "\n".join(parts)


def _section(title: str, prefix: str, section: type[Section | SourceSettings | RuleSettings]) -> Iterator[str]:
    yield f"## `{title}`\n"
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
    takes = "path of a file that holds it" if row.is_secret else describe(row)
    return f"| {name} | {_default(row)} | {takes} | {meaning} | {applied} |"


def _default(row: Setting) -> str:
    if row.is_required:
        return "required"
    return "none" if row.default is None else f"`{toml_value(row.default)}`"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
