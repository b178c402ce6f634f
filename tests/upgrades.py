"""Makes the small backup of a finished study that later versions are upgraded from.

`python -m tests.upgrades` writes tests/data/upgrades/VERSION.zip, once for each version
in the change log. All of it is made up: volumes, people and scores.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.processes import ROOT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from ratings.models import Study

FOLDER = ROOT / "tests" / "data" / "upgrades"
CASES, RATERS = 4, 2


def make_site() -> None:
    """A database with a finished study in it, through the product's own doors."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    make_study()


def make_study() -> Study:
    from django.contrib.auth.models import User

    from ratings import audit, invitations, protocol
    from ratings.models import Enrolment, Study

    ada = User.objects.create_user("ada@example.org", "ada@example.org", is_staff=True)
    study = Study.objects.create(title="An upgrade", created_by=ada, simulated=True)
    Enrolment.objects.create(study=study, user=ada, role=Enrolment.Role.COORDINATOR)
    audit.record(study=study, actor=ada, verb="create_study", payload={})
    add_cases(study)
    for n in range(RATERS):
        invitations.add_rater(
            study=study, actor=ada, name=f"Rater {n}", email=f"r{n}@example.org"
        )
    study.design["min_distance"] = 2
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    score_all(study)
    finish(study, ada)
    return study


def add_cases(study: Study) -> None:
    import numpy as np

    from ratings import importing
    from tests.volumes import make_affine, make_image, make_lesion, save

    with TemporaryDirectory() as folder:
        for n in range(CASES):
            rng = np.random.default_rng(n)
            affine, shape = make_affine((0.6, 0.6, 3.0)), (12, 10, 6)
            path = save(Path(folder) / "i.nii.gz", make_image(shape, rng), affine)
            case = importing.add_image(
                study=study, path=path, name=path.name, strata={"contrast": "T2w"}
            )
            for key in ("manual", "model"):
                arm = importing.ensure_arm(study=study, key=key)
                path = save(Path(folder) / "m.nii.gz", make_lesion(shape, rng), affine)
                importing.add_mask(case=case, arm=arm, path=path, name=path.name)


def score_all(study: Study) -> None:
    from uuid import uuid4

    from ratings import scoring
    from ratings.models import Item

    own = Item.objects.filter(presentation__session__enrolment__study=study)
    order = ("presentation__session", "presentation__position", "slot")
    for n, item in enumerate(own.order_by(*order)):
        answer = scoring.Answer("quality", 1 + n * 7 % 5, "")
        scoring.record(
            item=item,
            submission=scoring.Submission(
                client_key=uuid4(), answers=(answer,), comment="", active_ms=4000 + n,
                conduct={},
            ),
        )  # fmt: skip


def finish(study: Study, actor: User) -> None:
    from ratings import finishing, protocol

    names = finishing.list_codes(study)
    protocol.close(study=study, actor=actor, unfinished=names)
    protocol.unblind(study=study, actor=actor, typed_title=study.title)


def main() -> None:
    with TemporaryDirectory() as folder:
        os.environ |= {
            "DATA_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "",
        }
        import django

        django.setup()
        from django.conf import settings

        from config import backup

        make_site()
        FOLDER.mkdir(parents=True, exist_ok=True)
        backup.write_backup(FOLDER / f"{settings.VERSION}.zip", say=print)


if __name__ == "__main__":
    main()
