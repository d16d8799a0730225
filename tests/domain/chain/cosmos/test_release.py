"""Which release a node is by its own word."""

import pytest

from domain.chain.cosmos import release_of


@pytest.mark.parametrize(
    ("version", "release", "has_block_events"),
    [
        ("v0.34.9", (0, 34), False),
        ("v0.34.27-terra.2", (0, 34), False),
        ("0.35.0-unreleased", (0, 35), False),
        ("0.37.4", (0, 37), False),
        ("0.38.0-alpha.1", (0, 38), True),
        ("0.38.12", (0, 38), True),
        ("v1.0.1-inj.2", (1, 0), True),
        ("1.0", (1, 0), True),
        ("", (0, 34), False),
        (None, (0, 34), False),
        ("unknown", (0, 34), False),
        ("9" * 1000, (0, 34), False),
        ("9.", (0, 34), False),
    ],
)
def test_a_release_is_read_from_a_version_and_is_old_where_it_cannot_be(version, release, has_block_events):
    assert release_of(version) == release
    assert release_of(version).has_block_events is has_block_events
