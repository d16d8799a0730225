"""The settings of what is made: what is wrong with them is said with its key."""

import pytest

from config import SettingsError, load

GOOD = """
[floor.products.bolt]
title = "Bolt M8"
ideal_cycle = 2.0
ideal_cycles = { "acme/plant1/line3/st4" = 1.5 }

[floor.products.nut]

[floor.counters.parts]
equipment = "acme/plant1/line3/st4"
reading = "part_count"
counts = "good"
modulus = 65536

[floor.jobs]
outputs = { "acme/plant1/line3" = "acme/plant1/line3/st4" }

[[floor.changeovers.targets]]
before = "bolt"
after = "nut"
target = 900

[floor.quality]
defects = { SCR = "scratch" }

[floor.quality.characteristics.diameter]
equipment = "acme/plant1/line3/st4"
lower = 7.9
upper = 8.1
size = 5
mean = 8.0
sigma = 0.02
rules = ["nelson-1", "western-electric-4"]
"""


def loaded(tmp_path, text):
    path = tmp_path / "andond.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {}, {})


def test_what_is_made_is_read_from_the_file(tmp_path):
    floor = loaded(tmp_path, GOOD).settings.floor
    assert floor.products["bolt"].ideal_cycles == {"acme/plant1/line3/st4": 1.5}
    assert floor.products["nut"].ideal_cycle is None
    assert (floor.counters["parts"].counts, floor.counters["parts"].modulus) == ("good", 65_536)
    assert floor.changeovers.targets[0].target == 900
    assert floor.quality.characteristics["diameter"].rules == ("nelson-1", "western-electric-4")


@pytest.mark.parametrize(
    ("good", "bad", "key"),
    [
        ("ideal_cycle = 2.0", "ideal_cycle = 0", "floor.products.bolt.ideal_cycle"),
        ('"acme/plant1/line3/st4" = 1.5', '"acme//x" = 1.5', "floor.products.bolt.ideal_cycles"),
        ('counts = "good"', 'counts = "parts"', "floor.counters.parts.counts"),
        ("modulus = 65536", "modulus = 0", "floor.counters.parts.modulus"),
        ('= "acme/plant1/line3/st4" }', '= "acme/plant1/line4/st4" }', "floor.jobs.outputs"),
        ("target = 900", "target = 0", "floor.changeovers.targets[1].target"),
        ('before = "bolt"', 'before = "screw"', "floor.changeovers.targets[1].before"),
        ('SCR = "scratch"', 'SCR = " "', "floor.quality.defects"),
        ("lower = 7.9", "lower = 8.2", "floor.quality.characteristics.diameter.lower"),
        ("mean = 8.0\n", "", "floor.quality.characteristics.diameter.mean"),
        ("sigma = 0.02", "sigma = 0", "floor.quality.characteristics.diameter.sigma"),
        ("size = 5", "size = 11", "floor.quality.characteristics.diameter.size"),
        ('"nelson-1", ', '"nelson-9", ', "floor.quality.characteristics.diameter.rules"),
        (
            "[floor.jobs]",
            '[floor.counters.again]\nequipment = "acme/plant1/line3/st4"\nreading = "part_count"\n[floor.jobs]',
            "floor.counters.again.reading",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_key(tmp_path, good, bad, key):
    assert good in GOOD
    with pytest.raises(SettingsError) as error:
        loaded(tmp_path, GOOD.replace(good, bad, 1))
    assert [fault.key for fault in error.value.faults] == [key]
