"""What andond is delivered with: its bill of materials, and what is known against it.

``python -m tests.supply sbom FILE`` writes the bill of the run-time environment with its extras (CycloneDX 1.6), the
same bytes for the same versions. ``python -m tests.supply audit`` asks the advisory service about everything that is
installed, the tests' tools too.

Rules of this file: an audit that did not take place is never reported as one that found nothing. Who wants it to fail
then sets ``AUDIT_REQUIRED``.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from andond.version import VERSION

ROOT = Path(__file__).parents[1]
EXTRAS = ("auth", "mqtt")
TIMEOUT = "10"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for() -> list[Requirement]:
    """What ``setup.cfg`` asks for at run time, with the extras that only one feature needs."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = [setup["options"]["install_requires"], *(setup["options.extras_require"][each] for each in EXTRAS)]
    return [Requirement(line) for text in lines for line in text.split("\n") if line]


def delivered() -> set[str]:
    """The distributions that andond runs with, those that others bring among them."""
    waiting, found = asked_for(), set()
    while waiting:
        requirement = waiting.pop()
        name = canonical(requirement.name)
        found.add(name)
        for line in metadata.requires(name) or []:
            brought = Requirement(line)
            extras = requirement.extras or {""}
            is_meant = brought.marker is None or any(brought.marker.evaluate({"extra": each}) for each in extras)
            if is_meant and (canonical(brought.name) not in found or brought.extras):
                waiting.append(brought)
    return found


def bill() -> dict[str, object]:
    """The bill of materials, without what differs from machine to machine."""
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--output-reproducible",
        "--short-PURLs",
        "--no-validate",
    ]
    made = subprocess.run([*command, sys.executable], capture_output=True, text=True, check=True)
    return trimmed(json.loads(made.stdout), delivered())


def trimmed(environment: Mapping[str, object], names: set[str]) -> dict[str, object]:
    """What of the bill of an ``environment`` is about ``names``, as the bill of andond."""
    components = [each for each in environment["components"] if canonical(each["name"]) in names]
    refs = {each["bom-ref"] for each in components}
    direct = {canonical(each.name) for each in asked_for()}
    of_its_own = sorted(each["bom-ref"] for each in components if canonical(each["name"]) in direct)
    graph = [
        {"ref": each["ref"], "dependsOn": sorted(refs & set(each.get("dependsOn", [])))}
        for each in environment["dependencies"]
        if each["ref"] in refs
    ]
    itself = {
        "type": "application",
        "bom-ref": "andond",
        "name": "andond",
        "version": VERSION,
        "purl": f"pkg:pypi/andond@{VERSION}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    return {
        **{name: environment[name] for name in ("$schema", "bomFormat", "specVersion")},
        "version": 1,
        "metadata": {"component": itself},
        "components": sorted(components, key=lambda each: canonical(each["name"])),
        "dependencies": [{"ref": "andond", "dependsOn": of_its_own}, *sorted(graph, key=lambda each: each["ref"])],
    }


def audit(output: str, names: Iterable[str]) -> tuple[int, list[str]]:
    """The exit status and the words for what ``pip-audit`` wrote of ``names``: 1 if anything is known against them."""
    try:
        asked = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        asked = []
    looked_up = [each for each in asked if "skip_reason" not in each]
    words = [
        f"{each['name']} {each['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'no version'}"
        for each in looked_up
        for known in each["vulns"]
    ]
    if words:
        return 1, words
    missing = set(map(canonical, names)) - {canonical(each["name"]) for each in looked_up}
    if missing:
        return 2, [f"NOT AUDITED, the advisory service did not answer for them: {', '.join(sorted(missing))}"]
    return 0, [f"nothing is known against {len(looked_up)} distributions"]


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["sbom"]:
        path = Path(arguments[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(bill(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return 0
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--format", "json"]
    told = subprocess.run(
        [*command, "--progress-spinner", "off", "--timeout", TIMEOUT], capture_output=True, text=True, check=False
    )
    status, words = audit(told.stdout, delivered())
    print("\n".join(words), file=sys.stderr if status else sys.stdout)
    return 1 if status == 1 or (status and os.environ.get("AUDIT_REQUIRED")) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
