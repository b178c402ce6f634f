"""Makes the studies whose desk pages the test of access opens: draft and finished.

python -m tests.frontend.desks desks.json
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import django


def make_study(title: str, ada: Any, folder: Path) -> Any:
    from ratings import invitations
    from ratings.models import Enrolment, Study
    from tests.frontend.rated_studies import add_cases

    study = Study.objects.create(title=title, created_by=ada, contact="ada@example.org")
    plain = {"min_distance": 1, "repeat_percent": 0, "guess": "off"}
    study.design = {**study.design, **plain}
    study.save()
    Enrolment.objects.create(study=study, user=ada, role=Enrolment.Role.COORDINATOR)
    add_cases(study, 3, folder)
    contrasts = ("T2w", "T1w", "T2w")
    for case, contrast in zip(study.cases.all(), contrasts, strict=True):
        case.strata = {"contrast": contrast, "site": "Lyon"}
        case.save()
    for number in (1, 2):
        email = f"{title.lower()}-{number}@example.org"
        invitations.add_rater(study=study, actor=ada, name="Rhea", email=email)
    study.refresh_from_db()
    return study


def add_arms(study: Any, folder: Path) -> None:
    """Three more, with names as long as people give them; the last lacks its masks."""
    from ratings import importing
    from tests.frontend.rated_studies import add_masks

    for key, label in MORE_ARMS.items():
        arm = importing.ensure_arm(study=study, key=key)
        type(arm).objects.filter(pk=arm.pk).update(label=label)
        if key != "last":
            add_masks(study, arm, folder)


def receive_files(study: Any, ada: Any, folder: Path) -> None:
    """Two images that wait for import with their masks, and two files refused."""
    from ratings import importing
    from tests.frontend.rated_studies import make_pair

    for n in (1, 2):
        for name, path in make_pair(folder, n).items():
            importing.receive(
                study=study, user=ada, name=name, chunks=[path.read_bytes()]
            )
        importing.receive(
            study=study, user=ada, name=f"bad{n}.nii", chunks=[b"no" * 500]
        )


MORE_ARMS = {
    "nets": "nnU-Net ensemble of five folds",
    "mim": "MIM_contour_v2_experimental",
    "last": "Consensus of three readers",
}


def draw(study: Any, ada: Any) -> None:
    from ratings import sampling, selecting

    rule = sampling.Rule(mode=sampling.PROPORTIONAL, by=("contrast",), size=2)
    selecting.draw_cases(
        study=study, actor=ada, rule=rule, revision=study.cases_revision, reason=""
    )


def open_to_raters(study: Any, ada: Any) -> None:
    from ratings import protocol

    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)


def choose_scores(study: Any) -> dict[tuple[str, int, int, int], int]:
    """The score of each item by its rater, session, position and slot.

    The page must hold the interval that these give, of 150 digits.
    """
    from ratings import blinding
    from tests.ratings import vast

    placements = blinding.list_placements(study)
    raters = sorted({one.rater for one in placements})
    cases = sorted({one.case for one in placements})
    found = {}
    for p in placements:
        of_arm = vast.SCORES["manual" if p.arm == "manual" else "model"]
        score = of_arm[raters.index(p.rater)][cases.index(p.case)]
        found[p.rater, p.session, p.position, p.slot] = score
    return found


def finish(study: Any, ada: Any) -> None:
    """Every item scored; then closed, unblinded and analysed."""
    from config import work
    from ratings import finishing, measuring, protocol, results, scoring
    from ratings.models import Item

    open_to_raters(study, ada)
    items = Item.objects.filter(presentation__session__enrolment__study=study)
    order = ("presentation__session__enrolment", "presentation__session__number")
    items = items.order_by(*order, "presentation__position", "slot")
    values = choose_scores(study)
    for item in items:
        shown, session = item.presentation, item.presentation.session
        place = (session.enrolment.code, session.number, shown.position, item.slot)
        answer = scoring.Answer(question="quality", value=values[place], reason="")
        scoring.record(
            item=item,
            submission=scoring.Submission(
                client_key=uuid4(), answers=(answer,), comment="", active_ms=9000,
                conduct={},
            ),
        )  # fmt: skip
    names = finishing.list_codes(study)
    protocol.close(study=study, actor=ada, unfinished=names)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    work.run(str(results.request(study).pk))
    work.run(str(measuring.request(study, study.arms.get(key="manual")).pk))


def work_a_while(study: Any) -> None:
    """One rater has begun and asks something; the deadline is over."""
    from ratings import asking, declaring, reading, scoring
    from ratings.models import Session

    type(study).objects.update(deadline=declaring.today() - timedelta(days=2))
    session = Session.objects.filter(enrolment__study=study).order_by("pk")[0]
    for reason in ("", "Image unusable"):
        shown = reading.open_presentations(session)[0]
        item = shown.items.all()[0]
        answer = scoring.Answer("quality", None if reason else 4, reason)
        sent = scoring.Submission(uuid4(), (answer,), "", 41_000, {})
        scoring.record(item=item, submission=sent)
    asking.ask(item=item, kind="question", text="Does the bright rim count as lesion?")


def make_all(folder: Path) -> dict[str, str]:
    from django.contrib.auth.models import User

    from tests.frontend.rated_studies import sign_in

    ada = User.objects.create_user("ada@example.org", is_staff=True, first_name="Ada")
    draft, running, done = (
        make_study(title, ada, folder) for title in ("Draft", "Running", "Done")
    )
    draw(draft, ada)
    wide = make_study("Wide", ada, folder)
    add_arms(wide, folder)
    waiting = make_study("Waiting", ada, folder)
    receive_files(waiting, ada, folder)
    open_to_raters(running, ada)
    work_a_while(running)
    finish(done, ada)
    keys = {
        "draft": draft,
        "running": running,
        "done": done,
        "wide": wide,
        "waiting": waiting,
    }
    return {
        "cookie": sign_in(ada), "case": str(done.cases.earliest("label").pk),
        **{key: str(study.pk) for key, study in keys.items()}
    }  # fmt: skip


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        made = make_all(Path(folder))
    Path(sys.argv[1]).write_text(json.dumps(made))


if __name__ == "__main__":
    main()
