"""Who did what, from where, and what came of it: the entries of the audit and the chain that they are held by."""

from domain.audit.chain import GENESIS, RETIRED, Broken, Chain, Head, digest, hash_of, retirement
from domain.audit.clean import HIDDEN, clean, clean_text
from domain.audit.crowd import OTHERS, Crowd
from domain.audit.entry import GATEWAY, NOWHERE, Entry, Outcome, Target, Whence, Who

__all__ = [
    "GATEWAY",
    "GENESIS",
    "HIDDEN",
    "NOWHERE",
    "OTHERS",
    "RETIRED",
    "Broken",
    "Chain",
    "Crowd",
    "Entry",
    "Head",
    "Outcome",
    "Target",
    "Whence",
    "Who",
    "clean",
    "clean_text",
    "digest",
    "hash_of",
    "retirement",
]
