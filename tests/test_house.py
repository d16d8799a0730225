"""The rules of the house that a program can look after; an exception is listed here, with its reason."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from configparser import ConfigParser
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGES = ("actors", "andond", "config", "domain", "storage", "telemetry", "transport")
SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg")

FILE_LINES = 400
# A module is tested by one file, so that file may be longer.
TEST_FILE_LINES = 700
FUNCTION_LINES = 40
DISTRIBUTIONS = 20
MEGABYTES = 15

# file -> why it is longer
LONG_FILES: dict[str, str] = {
    "telemetry/events.py": "a list: a few lines for each event",
    "transport/writer.py": "one state, and every writer's way through it",
}
# file:function -> why it is longer
LONG_FUNCTIONS: dict[str, str] = {}

# library -> where its one door is
DOORS = {
    "pykka": ("actors/runtime/",),
    "trio_websocket": ("transport/websocket.py", "transport/websocket_client.py"),
    "httpcore": ("transport/fetching.py",),
    "httpx": (),
    "anyio": (),
    "wsproto": (),
    "h11": ("transport/http.py", "transport/outgoing.py"),
    "msgpack": ("transport/codec.py",),
    "prometheus_client": ("telemetry/metrics.py",),
    "structlog": ("telemetry/logs.py",),
    "jwt": ("transport/tokens.py",),
    "cryptography": ("transport/tokens.py",),
    "argon2": ("storage/passwords.py",),
    "psutil": ("actors/sources/host.py",),
    "sqlite3": ("storage/",),
    "asyncio": (),
}
DOMAIN_DOES_WITHOUT = {"trio", "pykka", "sqlite3", "time", "logging", "random", "os", "socket", "threading"}
# module -> why others import it by its own name and not from its package
ROOMS = {
    "actors.places": "the map of the tree, a list of names and nothing else",
    "domain.canary": "words that mean something only beside the canary",
    "domain.chain.alerts": "a state, a finding and a rule are an alert's there",
    "domain.receipts": "a notice and its word are receipts' here, silence's there",
    "domain.silence": "as above",
    "transport.dialects.cloudevents": "a dialect is chosen by its name; its encoders are called alike in each",
    "transport.dialects.portal": "as above",
    "transport.dialects.native": "as above",
    "transport.dialects.asyncapi": "the document of the native dialect, for the page that serves it",
}

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager"}
# Written in two parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(wo" + r"rk\b|tmp/br" + r"ief|home/\w|Users/\w|ro" + r"ot/\w)")
BINARY = {".png", ".ico", ".woff2", ".gz"}


def tracked() -> list[str]:
    """What is committed, or would be with the next commit; without git, what lies in the packages and tests."""
    asked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0 and asked.stdout:
        return sorted(name for name in set(asked.stdout.splitlines()) if (ROOT / name).is_file())
    places = [ROOT / place for place in (*PACKAGES, "tests", "docs", "deploy")]
    return sorted(
        str(path.relative_to(ROOT))
        for place in places
        for path in place.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


FILES = tracked()
SOURCES = [name for name in FILES if name.endswith(".py")]
MODULES = [name for name in SOURCES if name.startswith(tuple(f"{package}/" for package in PACKAGES))]
TESTS = [name for name in SOURCES if Path(name).name.startswith("test_") and name.startswith("tests/")]


@cache
def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


@cache
def functions(name: str) -> list[tuple[str, int]]:
    """The functions of a file, each with its lines from ``def`` to its end."""
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@cache
def imports(name: str) -> list[str]:
    """The modules that a file imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found.append(node.module)
    return found


def test_there_is_something_to_look_at():
    assert {name.split("/")[0] for name in MODULES} == set(PACKAGES)
    assert len(TESTS) > len(PACKAGES)


def test_a_file_has_one_subject_and_so_many_lines():
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in SOURCES}
    limits = {name: TEST_FILE_LINES if name in TESTS else FILE_LINES for name in SOURCES}
    too_long = {name: lines for name, lines in lengths.items() if lines > limits[name] and name not in LONG_FILES}
    assert too_long == {}


def test_a_function_fits_on_a_screen():
    lengths = {f"{name}:{function}": lines for name in SOURCES for function, lines in functions(name)}
    assert {
        name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES and name not in LONG_FUNCTIONS
    } == {}


def test_nine_functions_in_ten_are_short():
    lengths = sorted(lines for name in MODULES for _, lines in functions(name))
    assert lengths[len(lengths) * 9 // 10] <= FUNCTION_LINES // 2


def test_every_module_says_what_it_is():
    assert [name for name in MODULES if not ast.get_docstring(tree(name))] == []


def test_no_file_has_a_name_that_says_nothing():
    assert [name for name in FILES if Path(name).stem.removeprefix("test_") in VAGUE] == []
    assert [name for name in FILES if VAGUE.intersection(Path(name).parts)] == []


def test_every_test_file_tests_something():
    def tests(name: str) -> list[str]:
        bound = [
            target.id
            for node in tree(name).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
        return [one for one in [function for function, _ in functions(name)] + bound if one.lower().startswith("test")]

    assert [name for name in TESTS if not tests(name)] == []


def test_nothing_is_left_for_later():
    assert lines_with(UNFINISHED) == []


def test_nothing_names_a_path_of_somebodys_machine():
    assert lines_with(MACHINE_PATH) == []


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}"
        for name in FILES
        if Path(name).suffix not in BINARY
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library):
    users = [name for name in MODULES if any(module.split(".")[0] == library for module in imports(name))]
    assert [name for name in users if not name.startswith(DOORS[library])] == []


def test_the_domain_does_without_io_clock_and_runtime():
    domain = [name for name in MODULES if name.startswith("domain/")]
    assert [(name, one) for name in domain for one in imports(name) if one.split(".")[0] in DOMAIN_DOES_WITHOUT] == []


def test_any_is_only_in_the_codec():
    def names(name: str) -> set[str]:
        froms = [node for node in ast.walk(tree(name)) if isinstance(node, ast.ImportFrom)]
        return {alias.name for node in froms if node.module == "typing" for alias in node.names}

    assert [name for name in MODULES if "Any" in names(name)] == ["transport/codec.py"]


def test_what_is_public_is_imported_from_its_package():
    def is_file(module: str) -> bool:
        return (ROOT / (module.replace(".", "/") + ".py")).is_file()

    strangers = [
        (name, module)
        for name in MODULES
        for module in imports(name)
        if module.split(".")[0] in PACKAGES and module.split(".")[0] != name.split("/")[0]
        if is_file(module) and module not in ROOMS
    ]
    assert strangers == []


def test_a_package_re_exports_its_names_and_nothing_else():
    allowed = ast.ImportFrom | ast.Import | ast.Expr | ast.Assign | ast.AnnAssign
    packages = [name for name in MODULES if name.endswith("__init__.py")]
    assert [name for name in packages if not all(isinstance(node, allowed) for node in tree(name).body)] == []


def test_what_a_package_promises_is_there():
    for package in PACKAGES:
        module = __import__(package)
        names = getattr(module, "__all__", [])
        assert [name for name in names if not hasattr(module, name)] == []
        assert list(names) == sorted(set(names), key=lambda name: (not name.isupper(), name[0].islower(), name))


def test_the_order_of_imports_is_kept():
    pytest.importorskip("importlinter")
    # In a process of its own: it silences the loggers that there are.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--config", str(ROOT / "setup.cfg"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_other_distribution_provides_a_package_of_ours():
    providers = metadata.packages_distributions()
    assert {package: set(providers.get(package, ["andond"])) for package in PACKAGES} == {
        package: {"andond"} for package in PACKAGES
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_imported_from_this_house(package):
    __import__(package)
    assert Path(str(sys.modules[package].__file__)).parent == ROOT / package


def core() -> dict[str, float]:
    """The distributions that andond needs to run, each with its size in megabytes."""
    waiting = [Requirement(line) for line in SETUP["options"]["install_requires"].split("\n") if line]
    found: dict[str, float] = {}
    while waiting:
        requirement = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        distribution = metadata.distribution(requirement.name)
        name = distribution.metadata["Name"].lower()
        if name not in found:
            found[name] = megabytes(distribution)
            waiting += map(Requirement, distribution.requires or [])
    return found


def megabytes(distribution: metadata.Distribution) -> float:
    paths = [Path(str(file.locate())) for file in distribution.files or []]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file()) / 1e6


def test_the_core_stays_small():
    needed = core()
    assert len(needed) <= DISTRIBUTIONS
    assert sum(needed.values()) <= MEGABYTES


def test_every_dependency_has_its_reason():
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    extras = SETUP["options.extras_require"]
    lines = SETUP["options"]["install_requires"].split("\n") + [
        line for extra in extras.values() for line in extra.split("\n")
    ]
    assert [line for line in lines if line and Requirement(line).name not in reasons] == []


def test_every_package_is_installed_linted_typed_and_covered():
    assert {line.removesuffix("*") for line in SETUP["options.packages.find"]["include"].split()} == set(PACKAGES)
    assert set(SETUP["mypy"]["files"].replace(",", " ").split()) == set(PACKAGES)
    assert set(SETUP["coverage:run"]["source"].replace(",", " ").split()) == set(PACKAGES)
    assert set(SETUP["importlinter"]["root_packages"].split()) == set(PACKAGES)
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()] == []
