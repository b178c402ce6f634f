"""The house keeps its shape: who may import whom, and how big a room may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, environment

PACKAGES = ("config", "inference", "ratings")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
}
HEAVY = ("torch", "nnunetv2")
PURE = (
    "ratings.statistics",
    "ratings.allocation",
    "ratings.design",
    "ratings.drawing",
    "inference.nnunet",
    "inference.errors",
    "inference.overlap",
)

# Whoever begins with the first must not import what begins with any of the rest.
FORBIDDEN = [
    ("ratings", ("inference", "config", "celery", "kombu")),
    ("inference", ("config", "celery", "kombu")),
    *((pure, ("django", "rest_framework")) for pure in PURE),
]
# Whoever begins with the first may import only these rooms of our own.
OWN_ONLY = [
    ("ratings.statistics", ("ratings.statistics",)),
    ("ratings.allocation", ("ratings.allocation",)),
    ("ratings.design", ("ratings.design",)),
    ("ratings.drawing", ("ratings.drawing", "ratings.allocation", "ratings.design")),
    ("inference.nnunet", ("inference.nnunet", "inference.errors", "inference.overlap")),
]
VAGUE = {"utils", "helpers", "services", "managers", "common", "misc", "core"}


def begins_with(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def imports(module: str, path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or within a function."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = parts[: len(parts) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def edges() -> Iterator[tuple[str, str]]:
    for module, path in MODULES.items():
        for imported in imports(module, path):
            yield module, imported


def test_the_map_of_modules_is_not_empty() -> None:
    assert len(MODULES) > 50
    assert ("config.urls", "config.health") in set(edges())


@pytest.mark.parametrize(("room", "forbidden"), FORBIDDEN)
def test_no_import_goes_against_the_direction(
    room: str, forbidden: tuple[str, ...]
) -> None:
    wrong = {
        f"{module} imports {imported}"
        for module, imported in edges()
        if begins_with(module, room)
        and any(begins_with(imported, name) for name in forbidden)
    }
    assert wrong == set()


@pytest.mark.parametrize(("room", "allowed"), OWN_ONLY)
def test_pure_rooms_import_nothing_else_of_ours(
    room: str, allowed: tuple[str, ...]
) -> None:
    wrong = {
        f"{module} imports {imported}"
        for module, imported in edges()
        if begins_with(module, room)
        and imported.split(".")[0] in PACKAGES
        and not any(begins_with(imported, name) for name in allowed)
        # `from inference import nnunet` names the package on the way to the room.
        and imported not in PACKAGES
    }
    assert wrong == set()


def test_only_one_room_imports_torch() -> None:
    wrong = {
        f"{module} imports {imported}"
        for module, imported in edges()
        if imported.split(".")[0] in HEAVY
        and not begins_with(module, "inference.nnunet")
    }
    assert wrong == set()


def test_only_the_seal_joins_an_item_to_its_arm() -> None:
    """No other module may follow an item to its mask, in Python or in a query."""
    marks = ("mask__arm", "mask__in", "item__mask", "item.mask", "items__mask")
    wrong = {
        f"{module} says {mark}"
        for module, path in MODULES.items()
        if begins_with(module, "ratings") and module != "ratings.blinding"
        for mark in marks
        if mark in path.read_text()
    }
    assert wrong == set()


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "nnunetv2", "celery", "kombu"):
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Blocker())
import django
django.setup()
import config.wsgi, config.urls
from django.core.checks import run_checks
from django.urls import get_resolver
get_resolver().reverse_dict
run_checks()
print("loaded")
"""


def test_the_web_process_loads_without_torch_and_celery(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKER],
        cwd=ROOT,
        env=environment(tmp_path, DJANGO_SETTINGS_MODULE="config.settings"),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "loaded\n", done.stderr


def functions() -> Iterator[tuple[str, int]]:
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{module}.{node.name}", lines


def test_no_function_is_longer_than_fifty_lines() -> None:
    assert {name: lines for name, lines in functions() if lines > 50} == {}


def test_no_file_has_more_than_four_hundred_lines_of_code() -> None:
    sizes = {
        module: sum(1 for line in path.read_text().splitlines() if line.strip())
        for module, path in MODULES.items()
    }
    assert {module: size for module, size in sizes.items() if size > 400} == {}


def test_each_module_says_in_a_sentence_what_it_is_for() -> None:
    silent = {
        module
        for module, path in MODULES.items()
        if path.read_text().strip()
        and not ast.get_docstring(ast.parse(path.read_text()))
    }
    assert silent == set()


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {module for module in MODULES if module.split(".")[-1] in VAGUE}
    assert vague == set()
