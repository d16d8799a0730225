"""The settings of hooks: which of them are used, how long a call may take, and the table of a source that one adds.

Rules of this file: which hooks are installed is not known here; ``andond check`` and ``andond hooks`` say whether what
a table names is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from config import rules
from config.meta import means


class HooksSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a plant's own packages add by the entry points `andond.hooks`; `andond hooks` lists them."""

    enabled: Annotated[bool, means("Whether hooks are loaded at all")] = True
    without: Annotated[tuple[str, ...], means("Hooks that are not loaded, by their names", unit="names")] = ()
    timeout: Annotated[
        float,
        means("Longest that one call of a hook may take; then it is in quarantine", unit="seconds", within=(0.01, 60)),
    ] = 5.0


class HookSource(msgspec.Struct, frozen=True, kw_only=True, tag="hook", tag_field="kind"):
    """A source that a hook adds."""

    hook: Annotated[
        str, means("Which one: the hook, and the source in it, as in `line4/gauge`", reload=True, rule=rules.hook_part)
    ]
    equipment: Annotated[str, means("What it reads from", unit="ISA-95 path", reload=True, rule=rules.named_equipment)]
    cadence: Annotated[
        float,
        means("Time between readings; twice this without one is an event", unit="seconds", within=(0.1, 86_400),
              reload=True),
    ] = 10.0  # fmt: skip
    required: Annotated[bool, means("Counts for /readyz", reload=True)] = False
    options: Annotated[
        Mapping[str, str | int | float | bool],
        means("What the hook's own documents say that it takes", reload=True, rule=rules.hook_options),
    ] = msgspec.field(default_factory=dict)
