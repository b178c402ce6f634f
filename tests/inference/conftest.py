"""A registered ensemble and the people and studies of the ratings' tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from inference import registering
from inference.models import Ensemble
from tests.inference.ensembles import make_ensemble
from tests.ratings.conftest import (  # noqa: F401  (fixtures)
    ada,
    add_cases,
    coordinator,
    files_in_tmp,
    open_study,
    other_rater,
    outsider,
    rater,
    script,
    statistician,
    study,
)


@pytest.fixture(scope="session")
def ensemble_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ensemble(tmp_path_factory.mktemp("model") / "random")


@pytest.fixture(scope="session")
def stored(
    ensemble_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> registering.Stored:
    """The same, checked and re-saved once for all tests."""
    place = override_settings(ENSEMBLES_DIR=tmp_path_factory.mktemp("ensembles"))
    with django_db_blocker.unblock(), place:
        return registering.store(ensemble_folder)


@pytest.fixture
def ensemble(db: None, stored: registering.Stored) -> Ensemble:
    """Three folds with random weights, in the register."""
    made, _ = registering.enter(name="random", label="Random weights", stored=stored)
    return made
