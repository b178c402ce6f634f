"""The four actors and a small real study, made through the product's own doors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import finishing, importing, invitations, protocol
from ratings.design import RECOMMENDED
from ratings.models import Enrolment, Session, Study
from tests.ratings.script import Script
from tests.volumes import make_affine, make_image, make_lesion, save

# What is recommended, without hidden repeats and without asking for sources.
PLAIN = {**RECOMMENDED, "repeat_percent": 0, "guess": "off"}


@pytest.fixture(autouse=True)
def files_in_tmp(settings: object, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def quick_lock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locking audits the blind each time; only tests marked `audited` wait for it."""
    if not request.node.get_closest_marker("audited"):
        monkeypatch.setattr(protocol, "list_leaks", lambda study: [])


def make_user(name: str, *, staff: bool = False) -> User:
    email = f"{name}@example.org"
    return User.objects.create_user(
        email, email, "a long enough password", first_name=name, is_staff=staff
    )


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(
        user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada", staff=True)


@pytest.fixture
def coordinator(ada: User) -> Client:
    return sign_in(ada)


@pytest.fixture
def script(ada: User) -> Script:
    return Script(ada)


@pytest.fixture
def statistician(study: Study) -> Script:
    """A script of somebody who sees the study's results, once there are any."""
    user = make_user("stan")
    Enrolment.objects.create(study=study, user=user, role=Enrolment.Role.STATISTICIAN)
    return Script(user)


@pytest.fixture
def outsider(db: None) -> Client:
    """Signed in, on the staff even, but of no study here."""
    return sign_in(make_user("olaf", staff=True))


@pytest.fixture
def study(ada: User) -> Study:
    """A draft with its coordinator and nothing else, for as few items as can be."""
    study = Study.objects.create(
        title="Cord lesions", created_by=ada, design=dict(PLAIN), faces="none"
    )
    Enrolment.objects.create(study=study, user=ada, role=Enrolment.Role.COORDINATOR)
    return study


@pytest.fixture
def other_coordinator(study: Study) -> Client:
    """A colleague, who does the same in another browser."""
    bo = make_user("bo")
    Enrolment.objects.create(study=study, user=bo, role=Enrolment.Role.COORDINATOR)
    return sign_in(bo)


AddCases = Callable[[int], None]


@pytest.fixture
def add_cases(study: Study, tmp_path: Path) -> AddCases:
    """Add cases with masks of two arms, written to files and read in again."""

    def add(count: int) -> None:
        for n in range(count):
            rng = np.random.default_rng(n)
            affine = make_affine((0.6, 0.6, 3.0))
            shape = (24, 20, 8)
            path = save(tmp_path / f"i{n}.nii.gz", make_image(shape, rng), affine)
            case = importing.add_image(
                study=study, path=path, name=path.name, strata={"contrast": "T2w"}
            )
            for key in ("manual", "model"):
                arm = importing.ensure_arm(study=study, key=key)
                path = save(tmp_path / f"m{n}.nii.gz", make_lesion(shape, rng), affine)
                importing.add_mask(case=case, arm=arm, path=path, name=path.name)

    return add


@pytest.fixture
def open_study(study: Study, ada: User, add_cases: AddCases) -> Study:
    """Six cases, two arms, two raters, locked and open for rating."""
    add_cases(6)
    for name in ("rhea", "otto"):
        make_user(name)
        invitations.add_rater(
            study=study, actor=ada, name=name, email=f"{name}@example.org"
        )
    study.design["min_distance"] = 4
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    return study


def end_collecting(study: Study, actor: User) -> None:
    """Close, with a sentence about whatever is missing and whoever has not finished."""
    gaps = {gap.rater: "Ran out of time." for gap in protocol.list_gaps(study)}
    names = finishing.list_codes(study)
    protocol.close(study=study, actor=actor, dispositions=gaps, unfinished=names)


@pytest.fixture
def rater(open_study: Study) -> Client:
    return sign_in(User.objects.get(first_name="rhea"))


@pytest.fixture
def other_rater(open_study: Study) -> Client:
    return sign_in(User.objects.get(first_name="otto"))


@pytest.fixture
def session(open_study: Study) -> Session:
    """The rater's session."""
    return Session.objects.get(enrolment__user__first_name="rhea")


@pytest.fixture
def other_session(open_study: Study) -> Session:
    return Session.objects.get(enrolment__user__first_name="otto")
