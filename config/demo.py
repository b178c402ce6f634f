"""Builds what a new installation shows: people, a study to try, a finished study."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid4, uuid5

import numpy as np
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction

from config.scans import Scan, write_phantoms
from inference import batches, registering
from inference.models import Ensemble
from inference.sources import Source
from ratings import (
    audit,
    importing,
    invitations,
    protocol,
    results,
    scoring,
    signing,
)
from ratings.design import RECOMMENDED
from ratings.models import Enrolment, Item, Session, Study

Progress = Callable[[str], None]
DEMO_ENSEMBLE = Path(settings.BASE_DIR) / "inference" / "demo_ensemble"
PEOPLE = (
    ("coordinator@example.org", "Casey Coordinator", True),
    ("rater1@example.org", "Robin Rater", False),
    ("rater2@example.org", "Sam Rater", False),
)
TRY_TITLE = "Try rating"
DONE_TITLE = "Completed example (simulated)"
TRY_CASES, DONE_CASES, DONE_RATERS = 10, 40, 8
INSTRUCTIONS = (
    "Each item is one scan with one segmentation of multiple sclerosis lesions in the "
    "spinal cord. Look through all slices, then judge how well the mask fits the "
    "lesions you see. The scans are synthetic phantoms."
)


@dataclass(frozen=True)
class Login:
    email: str
    password: str


@dataclass(frozen=True)
class Spread:
    """Standard deviations of the simulated scores on the latent scale, in points."""

    case: float = 0.6
    rater: float = 0.3
    case_by_arm: float = 0.7
    rater_by_arm: float = 0.3
    rest: float = 0.8
    shift: float = 0.25


def make_studies(*, say: Progress) -> None:
    """Make the ensemble known and both studies, as far as they are not there yet."""
    coordinator = User.objects.get(username=PEOPLE[0][0])
    registering.register(
        name="demo", source=DEMO_ENSEMBLE, label="Demo ensemble (phantoms only)"
    )
    # First, so that its analysis does not wait behind ten predictions.
    if not Study.objects.filter(title=DONE_TITLE).exists():
        make_done_study(coordinator, say)
    if not Study.objects.filter(title=TRY_TITLE).exists():
        make_try_study(coordinator, say)


def make_people() -> list[Login]:
    """The logins of the users made just now; their passwords are never seen again."""
    made = []
    for email, name, staff in PEOPLE:
        if not User.objects.filter(username=email).exists():
            password = secrets.token_urlsafe(12)
            first, last = name.split()
            User.objects.create_user(
                email, email, password, first_name=first, last_name=last, is_staff=staff
            )
            made.append(Login(email, password))
    return made


def start_study(*, title: str, user: User, simulated: bool) -> Study:
    study = Study.objects.create(
        title=title,
        instructions=INSTRUCTIONS,
        contact="demo",
        simulated=simulated,
        created_by=user,
        # simulated raters judge each mask once, and nobody asks them for sources
        design={
            **RECOMMENDED,
            **({"repeat_percent": 0, "guess": "off"} if simulated else {}),
        },
        # the same demo on every machine: its seed follows from its title
        seed=uuid5(NAMESPACE_URL, title).hex * 2
        if simulated
        else secrets.token_hex(32),
    )
    Enrolment.objects.create(study=study, user=user, role=Enrolment.Role.COORDINATOR)
    audit.record(study=study, actor=user, verb="create", payload={"title": title})
    return study


def add_scan(*, study: Study, scan: Scan) -> None:
    """Through the same gate as any upload."""
    case = importing.add_image(
        study=study, path=scan.image, name=scan.image.name, strata=scan.strata
    )
    for key, path in scan.masks.items():
        arm = importing.ensure_arm(study=study, key=key, label=key.capitalize())
        importing.add_mask(case=case, arm=arm, path=path, name=path.name)


def make_try_study(user: User, say: Progress) -> None:
    """Ten cases with manual masks; the worker predicts the others once it runs."""
    arms = [{"manual": n} for n in range(TRY_CASES)]
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        scans = write_phantoms(folder=Path(folder), first=9_000, arms=arms, say=say)
        with transaction.atomic():
            study = start_study(title=TRY_TITLE, user=user, simulated=False)
            for scan in scans:
                add_scan(study=study, scan=scan)
            for email, name, staff in PEOPLE:
                if not staff:
                    invitations.add_rater(
                        study=study, actor=user, name=name, email=email
                    )
            batches.submit(
                study=study, actor=user, label="Model",
                source=Source(ensemble=Ensemble.objects.get(name="demo")),
                settings={"rule": "paper", "mirroring": False},
            )  # fmt: skip


def make_done_study(user: User, say: Progress) -> None:
    """Forty cases, eight raters, all scores simulated, unblinded."""
    arms = [{"manual": n, "model": 1_000 + n} for n in range(DONE_CASES)]
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        scans = write_phantoms(folder=Path(folder), first=9_500, arms=arms, say=say)
        with transaction.atomic():
            study = start_study(title=DONE_TITLE, user=user, simulated=True)
            for scan in scans:
                add_scan(study=study, scan=scan)
            rate_and_finish(study=study, user=user)


def rate_and_finish(*, study: Study, user: User) -> None:
    for n in range(1, DONE_RATERS + 1):
        invitations.add_rater(
            study=study, actor=user, name=f"Simulated rater {n}",
            email=f"simulated-{n}@example.org",
        )  # fmt: skip
    protocol.lock(study=study, actor=user)
    protocol.open_study(study=study, actor=user)
    simulate_scores(study)
    sign_off(study)
    protocol.close(study=study, actor=user)
    protocol.unblind(study=study, actor=user, typed_title=study.title)
    results.request(study)


def simulate_scores(study: Study, spread: Spread | None = None) -> None:
    """A score for every item, from rater, case and arm effects and chance.

    The arms come from the study's own draw, not from its items: the seal stays shut.
    """
    spread = spread or Spread()
    rng = np.random.default_rng(40)
    effects: dict[tuple[str, ...], float] = {}

    def draw(size: float, *key: str) -> float:
        if key not in effects:
            effects[key] = float(rng.normal(0, size))
        return effects[key]

    items = find_items(study)
    for p in protocol.draw(study).placements:
        latent = 3.5 + (spread.shift if p.arm == "model" else 0.0)
        latent += draw(spread.case, p.case) + draw(spread.rater, p.rater)
        latent += draw(spread.rater_by_arm, p.rater, p.arm)
        latent += draw(spread.case_by_arm, p.case, p.arm, "case")
        latent += float(rng.normal(0, spread.rest))
        value = int(np.clip(round(latent), 1, 5))
        store_score(item=items[p.rater, p.position, p.slot], value=value, rng=rng)


def sign_off(study: Study) -> None:
    """Each rater for every session, with a password that nobody keeps."""
    password = secrets.token_urlsafe(24)
    hashed = make_password(password)
    users = User.objects.filter(enrolments__study=study, email__startswith="simulated-")
    users.update(password=hashed)
    for session in Session.objects.filter(enrolment__study=study):
        signing.sign_session(
            session=session, user=session.enrolment.user, password=password
        )
    users.update(password=make_password(None))


def find_items(study: Study) -> dict[tuple[str, int, int], Item]:
    items = Item.objects.filter(
        presentation__session__enrolment__study=study
    ).select_related("presentation__session__enrolment__study")
    return {
        (i.presentation.session.enrolment.code, i.presentation.position, i.slot): i
        for i in items
    }


def store_score(*, item: Item, value: int, rng: np.random.Generator) -> None:
    submission = scoring.Submission(
        client_key=uuid4(),
        answers=(scoring.Answer(question="quality", value=value, reason=""),),
        comment="",
        active_ms=int(rng.lognormal(10.2, 0.5)),
        conduct={"simulated": True},
    )
    scoring.record(item=item, submission=submission)
