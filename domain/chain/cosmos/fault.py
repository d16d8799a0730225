"""What is wrong with what a node said.

Rules of this file: one class for all of it, so that who reads a node catches one thing; its text can be shown to the
operator and never holds more than an excerpt of what the node sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXCERPT_SIZE = 120


class CosmosFault(ValueError):
    """A message or an answer that does not say what it must; the text says what is wrong."""


class NodeRefused(CosmosFault):
    """A node answered with an error of its own; ``code`` is its number, None where it gave none."""

    def __init__(self, words: str, code: int | None = None) -> None:
        super().__init__(words)
        self.code = code


def excerpt(value: object) -> str:
    """``value`` as text short enough to show, without a surprise in it."""
    # What is huge is cut before it is written out, not after.
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        return f"{len(value)} members"
    if isinstance(value, int) and value.bit_length() > EXCERPT_SIZE:
        return f"a number of {value.bit_length()} bits"
    text = ascii(value[: EXCERPT_SIZE + 1] if isinstance(value, str) else value)
    return text if len(text) <= EXCERPT_SIZE else text[: EXCERPT_SIZE - 1] + "\u2026"
