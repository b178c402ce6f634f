"""What is pinned is whole, holds no more than it should, and fits together."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import ROOT

pytestmark = pytest.mark.slow

LOCKS = ("requirements-web.txt", "requirements.txt", "requirements-dev.txt")


def read_pins(name: str) -> dict[str, str]:
    """The pins of one file, without the files that it includes."""
    lines = (ROOT / name).read_text().split("\n")
    pins = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}


def read_wishes(name: str) -> set[str]:
    lines = (ROOT / name).read_text().split("\n")
    kept = (line for line in lines if line and line[0] not in "-#")
    return {canonicalize_name(Requirement(line).name) for line in kept}


def find_dependencies(name: str) -> set[str]:
    """The names that an installed package asks for, of whatever extra."""
    wanted = map(Requirement, requires(name) or [])
    return {canonicalize_name(want.name) for want in wanted}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_pins_one_version(name: str) -> None:
    pins = read_pins(name)
    assert pins
    assert [pin for pin, version in pins.items() if not version.startswith("==")] == []
    assert [pin for pin, version in pins.items() if "+" in version] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_wish_is_pinned(name: str) -> None:
    include = LOCKS[: LOCKS.index(name) + 1]
    pinned = set().union(*(read_pins(lock) for lock in include))
    assert read_wishes(name.replace(".txt", ".in")) - pinned == set()


def test_no_package_is_pinned_twice() -> None:
    pins = [pin for name in LOCKS for pin in read_pins(name)]
    assert sorted(set(pins)) == sorted(pins)


def test_a_web_node_installs_no_torch() -> None:
    pins = read_pins("requirements-web.txt")
    heavy = {"torch", "torchvision", "nnunetv2", "timm"}
    assert heavy & set(pins) == set()
    assert not [pin for pin in pins if pin.startswith(("nvidia-", "cuda-"))]


def test_the_product_pins_torch_and_leaves_its_dependencies_to_the_machine() -> None:
    pins = read_pins("requirements-web.txt") | read_pins("requirements.txt")
    assert pins["torch"] == "==2.13.0"
    own = {"sympy", "mpmath", "jinja2", "markupsafe", "triton", "setuptools"}
    assert own & set(pins) == set()
    assert not [pin for pin in pins if pin.startswith(("nvidia-", "cuda-"))]


def test_what_torch_and_others_share_is_pinned_for_the_others() -> None:
    """A pinned name that torch also asks for is asked for by something else."""
    pins = read_pins("requirements-web.txt") | read_pins("requirements.txt")
    shared = find_dependencies("torch") & set(pins)
    others = set(pins) - {"torch"}
    asked = set().union(*(find_dependencies(name) for name in others))
    assert shared - asked == set()


def test_what_is_installed_fits_together() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_environment_holds_the_pinned_versions() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--all"],
        capture_output=True,
        text=True,
        check=True,
    )
    installed = dict(
        line.lower().replace("_", "-").split("==", 1)
        for line in done.stdout.splitlines()
        if "==" in line
    )
    wrong = {
        pin: installed.get(pin)
        for name in LOCKS
        for pin, version in read_pins(name).items()
        if pin in installed and installed[pin].split("+")[0] != version[2:]
    }
    assert wrong == {}


def test_nothing_in_the_locks_names_a_folder_or_an_index() -> None:
    text = "".join(Path(ROOT / name).read_text() for name in LOCKS)
    assert not {"://", "--find-links", "--index", "file:", " @ "} & set(text.split())
    assert "/" not in text
