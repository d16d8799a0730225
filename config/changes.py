"""What differs between two sets of settings, and what a reload can do about it.

Rules of this file: a key that a reload applies says so in the table of settings; everything else waits for a restart. A
source is one thing: it is named once, whatever changed of it.
"""

from __future__ import annotations

from config.settings import SECTIONS, Settings, table


def changed(old: Settings, new: Settings) -> tuple[list[str], list[str]]:
    """Return the keys a reload from ``old`` to ``new`` applies, and those that need a restart."""
    applied: list[str] = []
    needs_restart: list[str] = []
    for name, section in SECTIONS.items():
        for key, row in table(section).items():
            if getattr(getattr(old, name), key) != getattr(getattr(new, name), key):
                (applied if row.is_reloadable else needs_restart).append(f"{name}.{key}")
    names = dict.fromkeys([*old.sources, *new.sources])
    applied += [f"sources.{name}" for name in names if old.sources.get(name) != new.sources.get(name)]
    return applied, needs_restart


def in_force(old: Settings, new: Settings) -> Settings:
    """Return what is in force after a reload: ``new`` where a reload applies it, ``old`` for the rest."""
    sections = {}
    for name, section in SECTIONS.items():
        kept = getattr(old, name)
        wanted = getattr(new, name)
        rows = table(section)
        sections[name] = type(kept)(
            **{key: getattr(wanted if row.is_reloadable else kept, key) for key, row in rows.items()}
        )
    return Settings(sources=new.sources, **sections)
