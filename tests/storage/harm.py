"""What can befall the bytes of a journal's file."""

import re


def lose_number(raw: bytearray, field: int) -> None:
    """Let the account of one priority have nothing for a number: 1 is ``deleted``, 2 ``newest``, 3 ``number``.

    The row stays as long as it was, so that SQLite sees nothing wrong with its form.
    """
    # How SQLite heads a row of lanes: the type of each column, 0x4c being 32 bytes and 0 nothing at all.
    head = re.search(rb"\x09\0([\x01\x08\x09])\x4c([\x01\x08\x09])\x4c([\x01\x08\x09])(.)\x4c", raw, re.DOTALL)
    assert head is not None
    if raw[head.start(field)] == 1:
        raw[head.start(4)] += 1  # its one byte belongs to the size now
    raw[head.start(field)] = 0
