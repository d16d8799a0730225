"""The chain's history as a file: CSV or JSON.

Rules of this file: no I/O. CSV is that of RFC 4180: one header, one row a line, an empty field for what is not known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from andond.api.portal_figures import flat
from andond.api.portal_query import Wanted
from domain import JsonValue, rfc3339
from transport import ProtocolError, Response, json_response

FORMATS: Mapping[str, str] = MappingProxyType({"csv": "text/csv; charset=utf-8", "json": "application/json"})
"""The media type of each format."""

_SHOWN = 64


def format_of(query: Mapping[str, Sequence[str]]) -> str:
    """The format that ``query`` asks for, CSV if it does not say.

    Raises:
        ProtocolError: 400, if there is none such.
    """
    word = (query.get("format") or ["csv"])[-1]
    if word not in FORMATS:
        raise ProtocolError(400, f"format is {' or '.join(FORMATS)}, not {word[:_SHOWN]!r}")
    return word


def exported(name: str, wanted: Wanted, rows: Sequence[JsonValue], columns: Sequence[str], format_: str) -> Response:
    """``rows`` with ``columns`` as a file called ``name``."""
    answer = json_response(list(rows)) if format_ == "json" else Response(200, {}, _csv(rows, columns))
    stamp = "".join(letter for letter in rfc3339(wanted.begin)[:16] if letter not in "-:")
    headers = {
        "content-type": FORMATS[format_],
        "content-disposition": f'attachment; filename="{name}-{stamp}Z-{wanted.granularity}.{format_}"',
        "cache-control": "no-store",
    }
    return Response(200, headers, answer.body)


def _csv(rows: Sequence[JsonValue], columns: Sequence[str]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\r\n")
    table.writeheader()
    for row in flat(rows):
        table.writerow(row)
    return text.getvalue().encode()
