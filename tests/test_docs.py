"""What the product has is documented: settings, commands, columns, pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from ratings.statistics.rows import COLUMNS
from tests.processes import ROOT

SETTING = re.compile(r"env\.\w+\(\s*\"([A-Z_]+)\"|env\(\s*\"([A-Z_]+)\"")
DOCS = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))


def test_every_setting_stands_in_the_example() -> None:
    text = (ROOT / "config/settings.py").read_text()
    names = {a or b for a, b in SETTING.findall(text)}
    example = (ROOT / ".env.example").read_text()
    assert len(names) > 8
    missing = [n for n in sorted(names) if not re.search(rf"^#?{n}=", example, re.M)]
    assert missing == []


def test_every_setting_is_explained_to_operators() -> None:
    names = re.findall(
        r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE
    )
    told = (ROOT / "docs/operations.md").read_text()
    assert len(names) > 15
    assert [name for name in names if f"`{name}`" not in told] == []


@pytest.mark.parametrize(
    "command",
    sorted(
        name
        for name, app in get_commands().items()
        if app in ("config", "ratings", "inference")
    ),
)
def test_every_command_is_documented(command: str) -> None:
    assert f"manage.py {command}" in DOCS


def test_every_column_of_the_long_table_is_documented() -> None:
    text = (ROOT / "docs/statistics.md").read_text()
    assert [column for column in COLUMNS if column not in text] == []


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (Path(page).parent / target).exists(), f"{page.name}: {target}"


def test_every_document_is_reached_from_the_front_door() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in readme


def test_every_requirement_of_the_blind_has_a_row_with_proofs_that_exist() -> None:
    """A row names tests that there are, or says that something is open."""
    text = (ROOT / "docs/blinding.md").read_text()
    rows = dict(re.findall(r"^\| (B\d+) \|(.*)$", text, re.MULTILINE))
    assert set(rows) == {f"B{n}" for n in range(1, 17)}
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for identifier, row in rows.items():
        proof = row.rstrip(" |").rpartition("|")[2]
        named = re.findall(r"`(test_\w+)`", proof)
        files = re.findall(r"`(tests/[\w/]+\.py)`", proof)
        assert named or files or "Open:" in proof, identifier
        assert [name for name in named if f"def {name}(" not in tests] == []
        assert [name for name in files if not (ROOT / name).exists()] == []
