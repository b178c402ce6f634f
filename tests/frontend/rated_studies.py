"""Makes the real studies that the browser tests rate; run in a process of its own.

    python -m tests.frontend.rated_studies < specs.json > seats.json

A spec names the study, its cases and its design; the answer holds, by study, the key
of the rater's first session and the cookie of a signed-in browser.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import django
import numpy as np

from tests.volumes import make_affine, make_image, make_lesion, save

PASSWORD = "a long enough password"
SHAPE = (24, 20, 8)


def make_study(spec: dict[str, Any], folder: Path) -> dict[str, str]:
    from django.contrib.auth.models import User

    from ratings import invitations, protocol
    from ratings.models import Enrolment, Session, Study

    title = spec["title"]
    ada, _ = User.objects.get_or_create(username="ada@example.org", is_staff=True)
    study = Study.objects.create(
        title=title, created_by=ada, contact="ada@example.org",
        instructions="Judge how well the mask follows what you see.",
    )  # fmt: skip
    Enrolment.objects.create(study=study, user=ada, role=Enrolment.Role.COORDINATOR)
    study.questions = spec.get("questions", study.questions)
    plain = {"min_distance": 1, "repeat_percent": 0, "guess": "off"}
    study.design = {**study.design, **plain, **spec.get("design", {})}
    study.save()
    add_cases(study, spec["cases"], folder)
    email = f"{title.lower().replace(' ', '-')}@example.org"
    rater = User.objects.create_user(email, email, PASSWORD, first_name="Rhea")
    invitations.add_rater(study=study, actor=ada, name="Rhea", email=email)
    study.refresh_from_db()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    session = Session.objects.filter(enrolment__user=rater).order_by("number")[0]
    return {"key": session.key, "email": email, "cookie": sign_in(rater)}


def add_cases(study: Any, count: int, folder: Path) -> None:
    from ratings import importing

    affine = make_affine((0.6, 0.6, 3.0))
    for n in range(count):
        rng = np.random.default_rng(n)
        path = save(folder / f"image{n}.nii.gz", make_image(SHAPE, rng), affine)
        case = importing.add_image(study=study, path=path, name=path.name, strata={})
        for key in ("manual", "other"):
            arm = importing.ensure_arm(study=study, key=key)
            path = save(folder / f"mask{n}.nii.gz", make_lesion(SHAPE, rng), affine)
            importing.add_mask(case=case, arm=arm, path=path, name=path.name)


def add_masks(study: Any, arm: Any, folder: Path) -> None:
    from ratings import importing

    affine = make_affine((0.6, 0.6, 3.0))
    for n, case in enumerate(study.cases.all()):
        rng = np.random.default_rng(n)
        path = save(folder / f"more{n}.nii.gz", make_lesion(SHAPE, rng), affine)
        importing.add_mask(case=case, arm=arm, path=path, name=path.name)


def make_pair(folder: Path, n: int) -> dict[str, Path]:
    """An image and its mask by the names under which they arrive."""
    affine, rng = make_affine((0.6, 0.6, 3.0)), np.random.default_rng(n)
    return {
        f"sub-{n}_T2w.nii.gz": save(
            folder / f"waiting{n}.nii.gz", make_image(SHAPE, rng), affine
        ),
        f"sub-{n}_T2w_mask.nii.gz": save(
            folder / f"mask{n}.nii.gz", make_lesion(SHAPE, rng), affine
        ),
    }


def sign_in(user: Any) -> str:
    from django.test import Client

    client = Client()
    client.force_login(
        user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return str(client.cookies["sessionid"].value)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        seats = {
            spec["title"]: make_study(spec, Path(folder))
            for spec in json.load(sys.stdin)
        }
    json.dump(seats, sys.stdout)


if __name__ == "__main__":
    main()
