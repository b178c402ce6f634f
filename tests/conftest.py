"""What every test can ask for, and which tests run on which database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pristine, services

DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def pytest_sessionstart() -> None:
    """The second pass, on PostgreSQL, is left out loudly where no server answers."""
    if services.on_postgres() and not services.reachable("PostgreSQL"):
        pytest.exit(
            "NOT TESTED on PostgreSQL: no server answers at "
            f"{services.address('PostgreSQL')}; set TEST_POSTGRES_URL.",
            returncode=1 if services.CI else 0,
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database as pytest-django makes it, with a copy of it set aside."""
    with django_db_blocker.unblock():
        pristine.set_aside()
    pristine.replace_flushing()
    yield
    with django_db_blocker.unblock():
        pristine.discard()


def uses_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db") or names & DATABASE_FIXTURES)


@pytest.hookimpl(tryfirst=True)  # before -m chooses by the marks given here
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """On PostgreSQL only what a database can change runs: the others ran on SQLite."""
    for item in filter(uses_database, items):
        item.add_marker("database")
    if not services.on_postgres():
        return
    kept = [
        item
        for item in items
        if uses_database(item)
        and not any(map(item.get_closest_marker, ("browser", "any_database")))
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture
def shared() -> Path:
    """The reference data beside the repository; without it the test is skipped."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.exists():
        pytest.skip(f"NOT TESTED: the folder {folder} is absent")
    return folder
